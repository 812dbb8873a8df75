"""Who reaches what, tried instead of read from the catalog: every refusal beside the same act by somebody who may."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import Database
from tests.db.session import request
from tests.db.world import World

OUTSIDERS = ("anon", "service_role")
JOBS = ("ringfence_worker", "ringfence_analyst")


def refusal(connection: psycopg.Connection, statement: str) -> tuple[str | None, str]:
    """Return SQLSTATE and first line of the error the statement must raise; the transaction goes on."""
    try:
        with connection.transaction():
            connection.execute(statement.encode())
    except psycopg.Error as error:
        return error.sqlstate, str(error).splitlines()[0]
    raise AssertionError(f"not refused: {statement}")


@pytest.mark.parametrize("role", OUTSIDERS)
@pytest.mark.parametrize(("statement", "schema"), [
    ("select api.whoami()", "api"), ("select * from app.chunk", "app"), ("update app.knowledge_base set name = name", "app"), ("select authz.uid()", "authz"),
])
def test_anon_and_service_role_are_stopped_at_the_schema_R7(world: World, role: str, statement: str, schema: str) -> None:
    """service_role has BYPASSRLS: a leaked service key would read everything it holds a grant on."""
    claims = world.acme.people["owner"].claims()
    with request(world.authenticator_url, claims | {"role": role}, role=role, pre_request=False) as db:
        assert refusal(db.connection, statement) == ("42501", f"permission denied for schema {schema}")
    with request(world.authenticator_url, claims, pre_request=False) as db:
        assert db.run(statement) > 0


@pytest.mark.parametrize("role", JOBS)
def test_worker_and_analyst_call_the_identity_functions_and_nothing_else_R7(catalog: Database, role: str) -> None:
    with catalog.connect(role) as connection:
        connection.execute("select set_config('request.jwt.claims', '{\"sub\": \"11111111-1111-1111-1111-111111111111\"}', true)")
        assert connection.execute("select authz.uid(), authz.claims()").fetchall() == [(None, {})]
        assert refusal(connection, "select authz.org_ids()") == ("42501", "permission denied for function org_ids")
        assert refusal(connection, "select * from app.chunk") == ("42501", "permission denied for schema app")
        assert refusal(connection, "select api.whoami()") == ("42501", "permission denied for schema api")


@pytest.mark.parametrize("login", [*JOBS, "authenticator"])
@pytest.mark.parametrize("role", ["postgres", "ringfence_owner", "supabase_admin", "supabase_auth_admin", "pg_read_all_data", "ringfence_worker",
                                  "ringfence_analyst", "authenticated", "service_role"])
def test_a_login_becomes_only_the_roles_on_its_list_R16(catalog: Database, login: str, role: str) -> None:
    if role == login:
        return
    with catalog.connect(login) as connection:
        if login == "authenticator" and role in ("authenticated", "service_role"):
            connection.execute(f"set local role {role}".encode())
            assert connection.execute("select current_user").fetchone() == (role,)
        else:
            assert refusal(connection, f"set local role {role}") == ("42501", f'permission denied to set role "{role}"')
        connection.rollback()


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", "ringfence_owner", *JOBS])
def test_nobody_makes_an_object_anywhere_temporary_ones_included_R6(catalog: Database, role: str) -> None:
    with catalog.connect("supabase_admin") as connection:
        # session_user too, or the refusals of a superuser's session would be measured.
        connection.execute(f"set local session authorization {role}".encode())
        assert refusal(connection, "create temp table chunk (id uuid)") == (
            "42501", f'permission denied to create temporary tables in database "{catalog.name}"')
        for schema in ("api", "app", "authz", "public", "extensions", "auth"):
            assert refusal(connection, f"create table {schema}.planted (id uuid)") == ("42501", f"permission denied for schema {schema}")
        assert refusal(connection, "create schema planted")[0] == "42501"
    with catalog.connect("postgres") as connection:
        connection.execute("create temp table chunk (id uuid); create table app.planted (id uuid)")
        connection.rollback()


@pytest.mark.parametrize("schema", ["api", "app", "authz"])
def test_a_function_or_table_made_later_is_closed_until_a_grant_opens_it_R8(catalog: Database, schema: str) -> None:
    with catalog.connect("postgres") as connection:
        connection.execute(f"create function {schema}.later() returns int language sql as 'select 1'; create table {schema}.later (id int)".encode())

        def held(role: str) -> list[tuple[object, ...]]:
            return connection.execute(
                "select has_function_privilege(%(r)s, %(f)s, 'execute'), has_any_column_privilege(%(r)s, %(t)s, 'select, insert, update')"
                " or has_table_privilege(%(r)s, %(t)s, 'delete, truncate')", {"r": role, "f": f"{schema}.later()", "t": f"{schema}.later"}).fetchall()

        for role in ("anon", "authenticated", "authenticator", "service_role", "ringfence_owner", *JOBS):
            assert held(role) == [(False, False)], role
        connection.execute(f"grant execute on function {schema}.later() to authenticated; grant select on {schema}.later to authenticated".encode())
        assert held("authenticated") == [(True, True)]
        connection.rollback()


def test_a_partition_is_not_reached_past_its_parent_R13(world: World) -> None:
    with world.operator() as db:
        db.connection.execute(
            "create table app.planted (org_id uuid not null, kind text) partition by list (kind);"
            "create table app.planted_a partition of app.planted for values in ('a'); insert into app.planted values (gen_random_uuid(), 'a');"
            "alter table app.planted enable row level security; alter table app.planted force row level security;"
            "create policy planted on app.planted for select to authenticated using (org_id = any (array(select authz.org_ids())));"
            "grant select on app.planted to authenticated")
        assert db.one("select count(*) from app.planted_a") == 1
        with request(world.superuser_url, world.acme.people["owner"].claims(), connection=db.connection) as person:
            assert person.one("select count(*) from app.planted") == 0
            assert refusal(person.connection, "select * from app.planted_a") == ("42501", "permission denied for table planted_a")


def test_a_row_is_never_moved_to_another_organization_the_column_grant_says_R14(world: World) -> None:
    with world.operator() as db:
        tables = [t for (t,) in db.all(
            "select c.relname from pg_class c where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p')"
            " and has_any_column_privilege('authenticated', c.oid, 'update') order by 1")]
        columns = {table: db.one(
            "select a.attname from pg_attribute a where a.attrelid = %s::regclass and a.attnum > 0"
            " and has_column_privilege('authenticated', a.attrelid, a.attnum, 'update') order by a.attnum limit 1", f"app.{table}") for table in tables}
    assert len(tables) >= 7
    for table, column in columns.items():
        # A run is finished and a job cancelled by its own person only.
        person = world.acme.people["customer" if table in ("run", "analytics_job") else "owner"]
        to_itself = "'denied'" if table == "approval" else column  # what waits does not go on waiting
        with world.as_(person) as db:
            org = "id" if table == "organization" else "org_id"
            for to in (world.globex.id, world.acme.id):
                error = db.error(f"update app.{table} set {org} = %s", to)
                assert (error.sqlstate, str(error).splitlines()[0]) == ("42501", f"permission denied for table {table}"), table
            if table == "legal_hold":  # the world's is released and stays so: one that holds
                db.run("insert into app.legal_hold (org_id, reason) values (%s, 'a case')", world.acme.id)
            assert db.run(f"update app.{table} set {column} = {to_itself} where true") > 0, table
