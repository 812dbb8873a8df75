"""What a mutant is: one protection made weaker, as the SQL that does it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One change of the database that some test must notice."""

    id: str
    """Stable from run to run: the class, the object, and which part of it."""
    sql: tuple[str, ...]
    about: frozenset[str]
    """The tables and functions (schema.name) whose protection it weakens; their cells are tried first."""

    @property
    def kind(self) -> str:
        return self.id.split(" ")[0]


def mutant(kind: str, place: str, *sql: str, about: set[str] | frozenset[str]) -> Mutant:
    return Mutant(f"{kind} {place}", sql, frozenset(about))


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
