"""What still holds when a policy is wrong: the restrictive floor of every table (R19), and no recursion anywhere (R22)."""

from __future__ import annotations

import psycopg
import pytest

from tests.db.catalog.breaking import broken, opened, org, tables, tenant_tables
from tests.db.registry import GLOBAL, TABLES
from tests.db.world import Organization, World

# The registry of permission names belongs to no organization.
TENANT_TABLES = [table for table in TABLES if table not in GLOBAL]
every_table = pytest.mark.parametrize("table", TENANT_TABLES)


def without_other_walls(world: World, table: str, command: str) -> list[str]:
    """Return the DDL that leaves the floor of the table alone: all permissive policies say true, no other restrictive one is left, the grant is there, our triggers are off."""
    with world.operator() as db:
        policies = opened(db, table, command)
        assert policies
        others = db.all("select polname from pg_policy where polrelid = %s::regclass and not polpermissive and polname <> %s", f"app.{table}", f"{table}_floor")
    return [*policies, *(f"drop policy {name} on app.{table}" for (name,) in others), f"grant {command} on app.{table} to authenticated",
            f"alter table app.{table} disable trigger user"]


def rows(world: World, table: str, organization: Organization) -> int:
    """Return how many rows of the organization the table has."""
    count = world.rows(table, f"{org(table)} = '{organization.id}'")
    assert count
    return count


def test_every_table_of_organizations_is_tried(world: World) -> None:
    assert set(tenant_tables(world)) == set(TENANT_TABLES)


@every_table
def test_with_select_policies_that_say_true_organizations_are_still_apart_R19(world: World, table: str) -> None:
    ddl, count = without_other_walls(world, table, "select"), rows(world, table, world.acme)
    for stranger in (world.globex.people["owner"], world.nobody, world.removed):
        with broken(world, ddl, stranger) as db:
            assert db.one(f"select count(*) from app.{table} where {org(table)} = %s", world.acme.id) == 0
    # The mutation took: a member now sees all rows of the organization, whosever they are.
    with broken(world, ddl, world.acme.people["auditor"]) as db:
        assert db.one(f"select count(*) from app.{table}") == count


@every_table
def test_with_update_policies_that_say_true_organizations_are_still_apart_R19(world: World, table: str) -> None:
    """Written without WHERE and reading no column, so that the select policy has no say (RLS_TESTING.md, trap 2)."""
    ddl, ours = without_other_walls(world, table, "update"), rows(world, table, world.globex)
    with broken(world, ddl, world.globex.people["auditor"]) as db:
        assert db.run(f"update app.{table} set {org(table)} = %s", world.globex.id) == ours
        error = db.error(f"update app.{table} set {org(table)} = %s", world.acme.id)
        assert (error.sqlstate, f'policy "{table}_floor" for table "{table}"' in str(error)) == ("42501", True), str(error)
    with broken(world, ddl, world.nobody) as db:
        assert db.run(f"update app.{table} set {org(table)} = %s", world.globex.id) == 0


@every_table
def test_with_delete_policies_that_say_true_organizations_are_still_apart_R19(world: World, table: str) -> None:
    ddl, theirs = without_other_walls(world, table, "delete"), rows(world, table, world.acme)
    with broken(world, ddl, world.nobody) as db:
        assert db.run(f"delete from app.{table}") == 0
    # A member reaches their organization's rows: they go, or other rows still refer to them. The superuser's session sees what is left.
    with broken(world, ddl, world.globex.people["auditor"]) as db:
        try:
            with db.connection.transaction():
                assert db.run(f"delete from app.{table}") > 0
        except (psycopg.errors.ForeignKeyViolation, psycopg.errors.RestrictViolation):
            return
        db.run("reset session authorization")
        db.run("reset role")
        assert db.one(f"select count(*) from app.{table} where {org(table)} = %s", world.acme.id) == theirs


@every_table
def test_with_insert_policies_that_say_true_a_row_for_another_organization_is_refused_by_the_floor_R19(world: World, table: str) -> None:
    with broken(world, without_other_walls(world, table, "insert"), world.globex.people["owner"]) as db:
        # The floor is asked before NOT NULL is: a row with nothing but the organization is enough.
        error = db.error(f"insert into app.{table} ({org(table)}) values (%s)", world.acme.id)
        assert (error.sqlstate, f'policy "{table}_floor" for table "{table}"' in str(error)) == ("42501", True), str(error)
        allowed = db.error(f"insert into app.{table} ({org(table)}) values (%s)", world.globex.id)
        assert allowed.sqlstate == "23502", str(allowed)


@pytest.mark.parametrize("role", ["member", "owner"])
def test_no_command_on_any_table_recurses_through_policies_R22(world: World, role: str) -> None:
    names = tables(world)
    with world.operator() as db:
        deletable = {t for t in names if db.one("select has_table_privilege('authenticated', %s, 'delete')", f"app.{t}")}
    assert 0 < len(deletable) < len(names)
    with world.as_(world.acme.people[role]) as db:
        for table in names:
            assert db.run(f"select * from app.{table}") >= 0
            key = "name" if table in GLOBAL else org(table)
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
