"""What still holds when a policy is wrong: the restrictive floor of every table (R19), and no recursion anywhere (R22)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.db.session import Person, Request, request
from tests.db.world import World

COMMANDS = {"select": "r", "update": "w", "delete": "d", "insert": "a"}


def tables(world: World) -> list[str]:
    with world.operator() as db:
        return [t for (t,) in db.all(
            "select c.relname from pg_class c where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') order by 1")]


def org(table: str) -> str:
    return "id" if table == "organization" else "org_id"


def opened(db: Request, table: str, command: str) -> list[str]:
    """Return the DDL that makes every permissive policy of the command say true."""
    using = " using (true)" if command != "insert" else ""
    check = " with check (true)" if command in ("insert", "update") else ""
    return [f"alter policy {name} on app.{table}{using}{check}" for (name,) in db.all(
        "select polname from pg_policy where polrelid = %s::regclass and polpermissive and polcmd in (%s, '*')"
        " and 'authenticated'::regrole = any (polroles)", f"app.{table}", COMMANDS[command])]


@contextmanager
def broken(world: World, ddl: list[str], person: Person) -> Iterator[Request]:
    """A request of the person in a database with the DDL applied; all of it is rolled back."""
    with world.operator() as db:
        for statement in ddl:
            db.run(statement)
        db.run("set local session authorization authenticator")
        with request(world.superuser_url, person.claims(), connection=db.connection) as made:
            yield made


def tenant_tables(world: World) -> list[str]:
    return [t for t in tables(world) if t != "permission"]


def test_with_a_select_policy_that_says_true_organizations_are_still_apart_R19(world: World) -> None:
    for table in tenant_tables(world):
        there = world.rows(table, f"{org(table)} = '{world.acme.id}'")
        assert there > 0, table
        with world.operator() as db:
            ddl = opened(db, table, "select")
        assert len(ddl) == 1, table
        for stranger in (world.globex.people["owner"], world.nobody, world.removed):
            with broken(world, ddl, stranger) as db:
                assert db.one(f"select count(*) from app.{table} where {org(table)} = %s", world.acme.id) == 0, table
        # The mutation took: a member now sees all rows of the organization, whosever they are.
        with broken(world, ddl, world.acme.people["auditor"]) as db:
            assert db.one(f"select count(*) from app.{table} where {org(table)} = %s", world.acme.id) == there, table
            assert db.one(f"select count(*) from app.{table} where {org(table)} <> %s", world.acme.id) == 0, table


def without_other_walls(world: World, table: str, command: str) -> list[str]:
    """Return the DDL that leaves the floor alone: permissive policies say true, the grant is there, our triggers are off."""
    with world.operator() as db:
        return [*opened(db, table, command), f"grant {command} on app.{table} to authenticated", f"alter table app.{table} disable trigger user"]


def test_with_an_update_policy_that_says_true_organizations_are_still_apart_R19(world: World) -> None:
    """Written without WHERE and reading no column, so that the select policy has no say (RLS_TESTING.md, trap 2)."""
    for table in tenant_tables(world):
        ddl, ours = without_other_walls(world, table, "update"), world.rows(table, f"{org(table)} = '{world.globex.id}'")
        assert 0 < ours < world.rows(table), table
        with broken(world, ddl, world.globex.people["auditor"]) as db:
            assert db.run(f"update app.{table} set {org(table)} = %s", world.globex.id) == ours, table
            error = db.error(f"update app.{table} set {org(table)} = %s", world.acme.id)
            assert (error.sqlstate, f'policy "{table}_floor" for table "{table}"' in str(error)) == ("42501", True), (table, str(error))
        with broken(world, ddl, world.nobody) as db:
            assert db.run(f"update app.{table} set {org(table)} = %s", world.globex.id) == 0, table


def test_with_a_delete_policy_that_says_true_organizations_are_still_apart_R19(world: World) -> None:
    for table in tenant_tables(world):
        ddl = without_other_walls(world, table, "delete")
        with broken(world, ddl, world.nobody) as db:
            assert db.run(f"delete from app.{table}") == 0, table
        with broken(world, ddl, world.globex.people["auditor"]) as db:
            try:
                assert 0 < db.run(f"delete from app.{table}"), table
            except (psycopg.errors.ForeignKeyViolation, psycopg.errors.RestrictViolation):
                pass  # its own rows were reached; others still refer to them


def test_with_an_insert_policy_that_says_true_a_row_for_another_organization_is_refused_by_the_floor_R19(world: World) -> None:
    for table in tenant_tables(world):
        ddl = without_other_walls(world, table, "insert")
        with broken(world, ddl, world.globex.people["owner"]) as db:
            # The floor is asked before NOT NULL is: a row with nothing but the organization is enough.
            error = db.error(f"insert into app.{table} ({org(table)}) values (%s)", world.acme.id)
            assert (error.sqlstate, f'policy "{table}_floor" for table "{table}"' in str(error)) == ("42501", True), (table, str(error))
            allowed = db.error(f"insert into app.{table} ({org(table)}) values (%s)", world.globex.id)
            assert allowed.sqlstate in ("23502", "23505"), (table, str(allowed))


@pytest.mark.parametrize("role", ["member", "owner"])
def test_no_command_on_any_table_recurses_through_policies_R22(world: World, role: str) -> None:
    names = tables(world)
    with world.operator() as db:
        deletable = {t for t in names if db.one("select has_table_privilege('authenticated', %s, 'delete')", f"app.{t}")}
    assert 0 < len(deletable) < len(names)
    with world.as_(world.acme.people[role]) as db:
        for table in names:
            assert db.run(f"select * from app.{table}") >= 0
            key = "name" if table == "permission" else org(table)
            # A recursion is found when the statement is rewritten, before any grant or constraint is looked at.
            assert db.error(f"insert into app.{table} ({key}) values (null)").sqlstate in ("42501", "23502"), table
            assert db.error(f"update app.{table} set {key} = null where {key} is not null").sqlstate == "42501", table
            if table in deletable:
                assert db.run(f"delete from app.{table} where {key} is null") == 0, table
            else:
                assert db.error(f"delete from app.{table} where {key} is null").sqlstate == "42501", table


def test_a_policy_that_reads_its_own_table_is_seen_as_recursion_R22(world: World) -> None:
    planted = ("create policy planted on app.membership for select to authenticated"
               " using (org_id in (select m.org_id from app.membership m where m.user_id = (select authz.uid())))")
    with broken(world, [planted], world.acme.people["member"]) as db:
        assert db.error("select * from app.membership").sqlstate == "42P17"
        assert db.error("delete from app.membership where org_id is null").sqlstate == "42P17"
        # Before a missing grant is found, or the test above would prove nothing for tables that are not writable.
        assert db.error("update app.membership set user_id = null where org_id is not null").sqlstate == "42P17"
