"""What a statement may read: relations by the name the asker uses, and what stands in their place when it runs."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of a data source."""

    columns: Mapping[str, str]
    """Name to type, both as PostgreSQL writes them; nothing else of the relation can be named, no system column either."""
    target: str
    """A qualified name (`source.orders`), or the text of one SELECT made by the worker. Trusted: never text of a person or a model."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The relations of one data source for one person."""

    relations: Mapping[str, Relation]
    """By name, in the case in which PostgreSQL keeps it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement that may run, and only as it stands here."""

    sql: str
    """The text made from the tree, with each relation replaced by its target."""
    relations: tuple[str, ...]
    """Names of `Schema.relations` that it reads; sorted."""
    functions: tuple[str, ...]
    """Functions that it calls, as PostgreSQL reads them; sorted."""
    sha256: str
    """Of `sql` in UTF-8, hexadecimal."""
