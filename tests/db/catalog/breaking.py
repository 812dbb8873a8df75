"""Breaking a policy for the length of one transaction, and asking as a person what still holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.db.registry import GLOBAL, OWNER_ALONE
from tests.db.session import Person, Request, request
from tests.db.world import World

COMMANDS = {"select": "r", "update": "w", "delete": "d", "insert": "a"}


def tables(world: World) -> list[str]:
    """Return the names of the tables of schema app, but for those that only definers reach."""
    with world.operator() as db:
        return [t for (t,) in db.all(
            "select c.relname from pg_class c where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') order by 1")
            if f"app.{t}" not in OWNER_ALONE]


def org(table: str) -> str:
    """Return the column that names the organization."""
    return "id" if table == "organization" else "org_id"


def opened(db: Request, table: str, command: str) -> list[str]:
    """Return the DDL that makes every permissive policy of the command say true."""
    using = " using (true)" if command != "insert" else ""
    check = " with check (true)" if command in ("insert", "update") else ""
    return [f"alter policy {name} on app.{table}{using}{check}" for (name,) in db.all(
        "select polname from pg_policy where polrelid = %s::regclass and polpermissive and polcmd in (%s, '*')"
        " and 'authenticated'::regrole = any (polroles)", f"app.{table}", COMMANDS[command])]


@contextmanager
def broken(world: World, ddl: list[str], person: Person, **claims: Any) -> Iterator[Request]:
    """A request of the person in a database with the DDL applied; all of it is rolled back."""
    with world.operator() as db:
        for statement in ddl:
            db.run(statement)
        db.run("set local session authorization authenticator")
        with request(world.superuser_url, person.claims(**claims), connection=db.connection) as made:
            yield made


def tenant_tables(world: World) -> list[str]:
    """Return the tables whose rows belong to organizations."""
    return [t for t in tables(world) if t not in GLOBAL]
