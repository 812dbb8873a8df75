"""sql/ and the migrations make the same database, and the real CLI applies them all or not at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from edge_proxy.local import migrate, schema_check, sql_source, tools
from tests.conftest import Database
from tests.stack.support import ringfence

LATER = """
create table app.note (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  body text not null,
  primary key (org_id, id)
);
comment on table app.note is 'A note.';
alter table app.note enable row level security;
alter table app.note force row level security;
create policy note_select_member on app.note for select to authenticated using (org_id = any (array(select authz.org_ids())));
grant select on app.note to authenticated;
create function authz.later() returns boolean language sql stable security definer set search_path = pg_catalog, pg_temp as 'select true';
comment on function authz.later() is 'Later.';
revoke all on function authz.later() from public;
grant execute on function authz.later() to authenticated;
alter function authz.later() owner to ringfence_owner;
"""
HISTORY = "select version, name from supabase_migrations.schema_migrations order by version"


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Any]:
    """Return a cluster nobody else uses: migrations change roles, which belong to the whole cluster."""
    with schema_check.scratch_clusters(1) as (cluster,):
        yield cluster


@pytest.fixture
def new_database(own_cluster: Any) -> Iterator[Any]:
    """Return a database as a new Supabase project has it."""
    name = f"t_{secrets.token_hex(4)}"
    own_cluster.create_database(name)
    yield Database(own_cluster, name)
    own_cluster.drop_database(name)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of the project as the CLI sees it: configuration and migrations."""
    folder = tmp_path / "project"
    shutil.copytree(tools.SUPABASE / "migrations", folder / "supabase" / "migrations")
    shutil.copy(tools.SUPABASE / "config.toml", folder / "supabase")
    return folder


def test_pushing_twice_does_nothing_the_second_time_R27(new_database: Any, project: Path, tmp_path: Path) -> None:
    first = migrate.push(new_database.url(), home=tmp_path, project=project)
    assert "Applying migration" in first
    before = schema_check.facts(new_database.url())
    with new_database.connect() as connection:
        applied = connection.execute(HISTORY).fetchall()
    assert [f"{version}_{name}.sql" for version, name in applied] == [file.name for file in sorted((project / "supabase/migrations").iterdir())]
    second = migrate.push(new_database.url(), home=tmp_path, project=project)
    assert "up to date" in second and "Applying" not in second
    assert schema_check.facts(new_database.url()) == before


def test_a_failing_migration_leaves_nothing_behind_R27(new_database: Any, project: Path, tmp_path: Path) -> None:
    migrate.push(new_database.url(), home=tmp_path, project=project)
    before = schema_check.facts(new_database.url())
    late = project / "supabase" / "migrations" / "29991231235959_half.sql"
    late.write_text("create table app.half (id uuid);\ncreate table app.half (id uuid);\n")
    with pytest.raises(migrate.MigrationFailed, match="already exists") as failure:
        migrate.push(new_database.url(), home=tmp_path, project=project)
    assert new_database.cluster.passwords["postgres"] not in str(failure.value)
    assert schema_check.facts(new_database.url()) == before
    with new_database.connect() as connection:
        assert ("29991231235959", "half") not in connection.execute(HISTORY).fetchall()
    late.write_text("create table app.half (id uuid);\n")  # the allowed twin
    migrate.push(new_database.url(), home=tmp_path, project=project)
    assert ("relation", "app.half") in schema_check.facts(new_database.url())


def test_sql_and_the_migrations_make_the_same_database_R26() -> None:
    done = ringfence("db", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "make the same database" in done.stdout


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("column", "alter table app.bot add column planted text"),
        ("column", "alter table app.bot alter column name set default 'planted'"),
        ("constraint", "alter table app.bot add constraint planted check (name <> 'planted')"),
        ("index", "create index planted on app.bot (name)"),
        ("policy", "alter policy bot_select_viewer on app.bot using (true)"),
        ("policy", "create policy planted on app.bot for select to authenticated using (false)"),
        ("relation", "alter table app.bot no force row level security"),
        ("relation", "alter table app.bot disable row level security"),
        ("privilege on relation", "grant delete on app.audit_event to authenticated"),
        ("privilege on column", "grant update (id) on app.organization to authenticated"),
        ("privilege on function", "grant execute on function api.whoami() to anon"),
        ("privilege on schema", "grant usage on schema app to service_role"),
        ("privilege on database", "grant temporary on database {database} to public"),
        ("privilege on default privilege", "alter default privileges grant execute on functions to public"),
        ("function", "alter function api.whoami() reset search_path"),
        ("function", "alter function api.whoami() volatile"),
        ("function", "alter function api.whoami() security definer"),
        ("function", "grant create on schema api to ringfence_owner; alter function api.whoami() owner to ringfence_owner"),
        ("trigger", "alter table app.organization disable trigger user"),
        ("comment", "comment on function api.whoami() is 'planted'"),
        ("comment", "comment on column app.bot.name is 'planted'"),
        ("setting", "alter role authenticator in database {database} set statement_timeout = '1h'"),
        ("type", "create type app.planted as enum ('one')"),
        ("schema", "create schema planted"),
    ],
)
def test_every_planted_difference_is_found_R26(database: Any, kind: str, statement: str) -> None:
    clean = schema_check.facts(database.url())
    with database.connect() as connection:
        connection.execute(statement.replace("{database}", sql.Identifier(database.name).as_string()))
    found = schema_check.differences(schema_check.facts(database.url()), clean)
    assert any(difference.startswith(f"{kind} ") for difference in found), found


def test_db_check_names_what_differs_and_fails(project: Path, tmp_path: Path) -> None:
    source = tmp_path / "sql"
    shutil.copytree(sql_source.SQL, source)
    (source / "999_planted.sql").write_text("comment on schema app is 'planted';\ngrant usage on schema app to service_role;\n")
    with schema_check.both_databases(project, source) as (migrated, sourced):
        found = schema_check.differences(schema_check.facts(migrated), schema_check.facts(sourced))
        text = schema_check.migration_between(migrated, sourced)
    assert {difference.splitlines()[0] for difference in found} >= {"comment schema app", "privilege on schema app"}
    assert "COMMENT ON SCHEMA" in text and '"service_role"' in text
    assert "supabase_migrations" not in text, "the CLI's own history is not part of a migration"


def test_a_later_migration_is_written_pushed_and_leaves_no_difference_R26(project: Path, tmp_path: Path) -> None:
    """Replaces a function of the definers' owner, makes a new one, a table with its policies, and a tool."""
    source = tmp_path / "sql"
    shutil.copytree(sql_source.SQL, source)
    helpers = source / "120_permission_helpers.sql"
    helpers.write_text(helpers.read_text().replace("security definer rows 10", "security definer rows 11"))
    (source / "890_later.sql").write_text(LATER)
    with schema_check.both_databases(project, source) as (migrated, sourced):
        text = schema_check.migration_between(migrated, sourced)
        (project / "supabase/migrations/29990101000000_later.sql").write_text(text)
        migrate.push(migrated, home=tmp_path, project=project)
        assert schema_check.differences(schema_check.facts(migrated), schema_check.facts(sourced)) == []
        assert schema_check.migration_between(migrated, sourced) == ""


def test_going_back_as_the_readme_says_leaves_what_was_there_before_F83(tmp_path: Path) -> None:
    block = (tools.PROJECT / "README.md").read_text().split("Going back takes the data along:")[1].split("```sql\n")[1].split("```")[0]
    with schema_check.scratch_clusters(1) as (cluster,):
        before = schema_check.facts(cluster.url("postgres"))
        for _ in range(2):
            sql_source.apply(cluster.url("postgres"))
            assert len(schema_check.facts(cluster.url("postgres"))) > len(before) + 1000
            with cluster.connect("postgres") as connection:
                connection.execute(block)
            assert schema_check.differences(schema_check.facts(cluster.url("postgres")), before) == []


def test_the_first_migration_holds_every_file_of_sql_in_order() -> None:
    text = sql_source.baseline()
    names = [line.removeprefix("-- ==== ").removesuffix(" ====") for line in text.splitlines() if line.startswith("-- ==== ")]
    assert names == sorted(file.name for file in sql_source.SQL.glob("*.sql"))


@pytest.mark.parametrize("name", ["Has Capitals", "../escape", "1st", ""])
def test_a_migration_name_is_letters_digits_and_underscores(name: str) -> None:
    done = ringfence("db", "migration", name)
    assert (done.returncode, done.stdout) == (1, "")
    assert "use lower case letters" in done.stderr
