"""Two tenants with people and canary rows: what was made, and how to recognise it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.rls.acting import text
from tests.rls.catalog import Table, quoted

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CANARY = re.compile(r"rf([abns])\d{4}x[0-9a-f]{8}", re.I)


@dataclass(frozen=True)
class Row:
    """One row that was made, or that a trigger made for us."""

    table: Table = field(repr=False)
    tenant: str | None
    """`A`, `B`; `null` for a row whose tenant is NULL; None for a row that belongs to no tenant."""
    user: str | None
    """Key of `World.users`: who made or owns it."""
    values: dict[str, str | None] = field(hash=False)

    @property
    def where(self) -> str:
        """A condition that names this row alone, by its primary key or by everything it holds."""
        names = self.table.primary_key or tuple(name for name, value in self.values.items() if value is not None and len(value) < 200)
        return " and ".join(
            f"{quoted(n)} is null" if self.values[n] is None else f"{quoted(n)} = {text(self.values[n])}::{self.table.column(n).type}"  # type: ignore[union-attr]
            for n in names)

    def get(self, column: str | None) -> str | None:
        return self.values.get(column) if column else None


@dataclass
class World:
    users: dict[str, str] = field(default_factory=dict)
    """Ids of users: `owner_a`, `admin_a`, `member_a`, `owner_b`, `member_b`, `both`, `removed_a`, `outsider`, `anonymous`, and one for each status not in force."""
    tenants: dict[str, str] = field(default_factory=dict)
    """Ids of tenants `A` and `B`; empty where every user is their own tenant."""
    roles: dict[str, str | None] = field(default_factory=dict)
    """What the membership says of each user: the value of the role column."""
    inactive: dict[str, str] = field(default_factory=dict)
    """Users of A whose membership is not in force, with the reason: `status = suspended`."""
    rows: list[Row] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    """Tables for which no row could be made, with the reason."""
    script: str = ""
    """The statements that made all this; findings repeat them, so that they can be shown again."""
    strings: dict[str, set[str]] = field(default_factory=dict)
    """By tenant: ids and canaries that nobody else may see. `X`: ids of tenants that were there before us."""

    def of(self, table: Table | int, tenant: str | None = None, user: str | None = None) -> list[Row]:
        oid = table if isinstance(table, int) else table.oid
        return [row for row in self.rows if row.table.oid == oid and tenant in (None, row.tenant) and user in (None, row.user)]

    def first(self, table: Table | int, tenant: str, user: str | None = None) -> Row | None:
        return next(iter(self.of(table, tenant, user) or self.of(table, tenant)), None)

    def remember(self, tenant: str, values: Iterable[str | None]) -> None:
        """Note ids and canaries of a tenant's row."""
        mine = self.strings.setdefault(tenant, set())
        for value in values:
            if value:
                mine.update(UUID.findall(value))
                mine.update(match[0].lower() for match in CANARY.finditer(value))
                if value.isdigit() and len(value) >= 10:
                    mine.add(value)

    def seen(self, tenant: str, values: Iterable[str], given: str = "") -> set[str]:
        """Return which strings of a tenant occur in what a caller saw, without those the caller gave."""
        found: set[str] = set()
        for value in values:
            found |= {part for part in UUID.findall(value)} | {m[0].lower() for m in CANARY.finditer(value)} | set(re.findall(r"\b\d{10,}\b", value))
        # A long number that another tenant's rows hold too, as a limit or a price, names nobody.
        elsewhere = {part for other, strings in self.strings.items() if other in ("A", "B") and other != tenant for part in strings if part.isdigit()}
        return {part for part in found & (self.strings.get(tenant, set()) | self.strings.get("X", set())) - elsewhere if part not in given.lower()}
