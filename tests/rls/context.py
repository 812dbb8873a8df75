"""What every probe and every rule is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.rls.catalog import Catalog
from tests.rls.config import Config
from tests.rls.tenancy import Tenancy


@dataclass
class Context:
    """One run. The connection is inside the transaction that is rolled back; a check that changes something does it in a savepoint and rolls back to it."""

    conn: psycopg.Connection[Any]
    catalog: Catalog
    tenancy: Tenancy
    config: Config
    personas: Any = None
    """`personas.Personas`: who is acting, and the statements to act with. None when only rules run."""
    world: Any = None
    """`seeding.World`: the two tenants and their canary rows. None when only rules run."""
    leaking: set[int] = field(default_factory=set)
    """Oids of relations that somebody read foreign rows of; what only passes those on is not told again."""
    checked: dict[str, int] = field(default_factory=dict)
    """How often each kind of check was made: cells, calls, rules."""

    def count(self, kind: str, number: int = 1) -> None:
        self.checked[kind] = self.checked.get(kind, 0) + number
