"""Bad objects, for seeing that a check can fail: each is planted in a transaction that is rolled back.

What a plant adds must be all that the check finds, and must be found by name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plant:
    """DDL that makes something wrong, and the names under which the check must report it ({db}: the database's)."""

    check: str
    ddl: str
    objects: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.check}-{'-'.join(self.ddl.split()[:6])}"


def plants(check: str, *pairs: tuple[str, str | tuple[str, ...]]) -> list[Plant]:
    return [Plant(check, ddl, (objects,) if isinstance(objects, str) else objects) for ddl, objects in pairs]


# A function, table or policy that is in order but for what a plant does to it.
FUNCTION = "create function api.planted() returns int language sql stable set search_path = pg_catalog, pg_temp as 'select 1'"
TABLE = ("create table app.planted (org_id uuid not null, id uuid not null, note text, primary key (org_id, id));"
         "alter table app.planted enable row level security; alter table app.planted force row level security")
FLOOR = "org_id = any (array(select authz.org_ids()))"
DEFINER = ("create function authz.planted() returns bigint language sql stable security definer"
           " set search_path = pg_catalog, pg_temp as 'select count(*) from app.chunk'")
