"""The engine on a small schema: what it makes, what it reports for one mistake at a time, and that it leaves nothing behind."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import Database
from tests.rls import config, engine
from tests.rls.patterns import matching
from tests.rls.probes import read, write

SCHEMA = (Path(__file__).parent / "notebook.sql").read_text()
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def notebook(cluster: Any) -> Iterator[Database]:
    """A small correct schema: studios, their members, notes with comments, keys, a catalogue for all. Shared: tests roll back what they do."""
    yield from _notebook(cluster)


@pytest.fixture
def broken_notebook(cluster: Any) -> Iterator[Database]:
    """The same with row security missing on its notes, for one test alone."""
    for made in _notebook(cluster):
        with made.connect() as connection:
            connection.execute("alter table public.note disable row level security")
        yield made


def _notebook(cluster: Any) -> Iterator[Database]:
    name = f"t_{secrets.token_hex(6)}"
    cluster.create_database(name)
    try:
        made = Database(cluster, name)
        with made.connect() as connection:
            connection.execute(SCHEMA)  # type: ignore[arg-type]
        yield made
    finally:
        cluster.drop_database(name)


def found(database: Database, broken: str = "", role: str = "postgres", told: config.Config | None = None, probes: str = ".") -> engine.Result:
    """Run the probes alone (of them those whose module's name matches) on the schema with a mistake in it."""
    with database.connect(role) as connection:
        if broken:
            connection.execute(broken)  # type: ignore[arg-type]
        checks = [check for check in engine.discovered() if re.search(rf"\.probes\.({probes})", check.__module__)]
        result = engine.run_on(connection, told or config.Config(), checks)
        connection.rollback()
    return result


@pytest.mark.parametrize("role", ["postgres", "supabase_admin"])
def test_nothing_is_reported_on_a_correct_schema_and_everything_was_tried(notebook: Database, role: str) -> None:
    result = found(notebook, role=role)
    assert [(f.id, f.object, f.finding) for f in result.findings] == []
    assert result.not_covered == []
    assert all(result.checked[kind] > 0 for kind in ("select cells", "insert cells", "update cells", "delete cells", "function calls", "helper calls", "key cells"))


MISTAKES = {
    "select-using-true": ("public.note", "drop policy note_read on note; create policy note_read on note for select to authenticated using (true)", "note_read"),
    "signed-in-not-member": ("public.note", "drop policy note_read on note; create policy note_read on note for select to authenticated using (auth.uid() is not null)", "note_read"),
    "uncorrelated-membership": (
        "public.note", "drop policy note_read on note; create policy note_read on note for select to authenticated"
        " using (exists (select from crew c where c.person = auth.uid()))", "note_read"),
    "user-metadata": (
        "public.note", "create policy extra on note for select to authenticated using (studio::text = auth.jwt() -> 'user_metadata' ->> 'studio')", "extra"),
    "request-header": (
        "public.note", "create policy extra on note for select to authenticated using (studio::text = current_setting('request.headers', true)::json ->> 'x-studio')", "extra"),
    "rls-disabled": ("public.note", "alter table note disable row level security", "row security is disabled"),
    "definer-view": ("public.titles", "create view titles as select id, body from note; grant select on titles to authenticated", "no security_invoker"),
    "materialized-view": ("public.titles", "create materialized view titles as select id, body from note; grant select on titles to authenticated", "holds rows of every tenant"),
    "insert-check-true": ("public.note", "drop policy note_add on note; create policy note_add on note for insert to authenticated with check (true)", "note_add"),
    "update-using-true": ("public.note", "drop policy note_edit on note; create policy note_edit on note for update to authenticated using (true) with check (true)", "note_edit"),
    "delete-using-true": ("public.note", "drop policy note_remove on note; create policy note_remove on note for delete to authenticated using (true)", "note_remove"),
    "move-to-foreign-tenant": (
        "public.note", "drop policy note_edit on note; grant update on note to authenticated; create policy note_edit on note for update to authenticated"
        " using (studio in (select inner_room.studios())) with check (writer = auth.uid())", "note_edit"),
    "self-service-membership": ("public.crew", "create policy join_in on crew for insert to authenticated with check (person = auth.uid()); grant insert on crew to authenticated", "join_in"),
    "self-promotion": ("public.crew", "create policy rise on crew for update to authenticated using (person = auth.uid()); grant update (rank) on crew to authenticated", "rise"),
    "unique-not-tenant-scoped": ("public.note", "alter table note add unique (body)", "note_body_key"),
    "fk-not-tenant-scoped": ("public.remark", "alter table remark drop constraint remark_note_fk, add foreign key (note) references note (id)", "remark_note_fkey"),
    "definer-without-tenant-filter": (
        "public.all_notes()", "create function all_notes() returns setof note language sql stable security definer set search_path = '' as 'select * from public.note'", "SECURITY DEFINER"),
    "trusts-tenant-argument": (
        "public.notes_of(uuid)", "create function notes_of(studio uuid) returns setof note language sql stable security definer set search_path = ''"
        " as 'select * from public.note n where n.studio = notes_of.studio'", "believes the tenant id"),
    "definer-writes-foreign-rows": (
        "public.burn(uuid)", "create function burn(note_id uuid) returns void language sql volatile security definer set search_path = '' as 'delete from public.note where id = note_id'", "public.note"),
    "exec-sql": (
        "public.ask(text)", "create function ask(q text) returns json language plpgsql as $$ declare r json; begin execute 'select to_json(array_agg(t)) from (' || q || ') t' into r; return r; end $$",
        "runs SQL text"),
    "existence-oracle": (
        "public.is_there(uuid)", "create function is_there(note_id uuid) returns boolean language sql stable security definer set search_path = ''"
        " as 'select exists (select from public.note where id = note_id)'", "foreign and random ids"),
    "helper-ignores-status": (
        "inner_room.studios()", "create or replace function inner_room.studios() returns setof uuid language sql stable security definer set search_path = ''"
        " as 'select studio from public.crew where person = auth.uid()'", "in force"),
    "former-member-keeps-rows": ("public.note", "drop policy note_remove on note; create policy note_remove on note for delete to authenticated using (writer = auth.uid())", "note_remove"),
    "role-of-another-tenant": (
        "public.note", "drop policy note_edit on note; create policy note_edit on note for update to authenticated using (studio in (select inner_room.studios())"
        " and exists (select from crew c where c.person = auth.uid() and c.rank = 'owner'))", "note_edit"),
    "secret-column-readable": ("public.door_key", "grant select on door_key to authenticated", "named as a secret"),
    "protected-column-writable": (
        "public.studio", "create policy studio_edit on studio for update to authenticated using (id in (select inner_room.studios())); grant update on studio to authenticated", "plan"),
}


WRITES = ("insert-check-true", "update-using-true", "delete-using-true", "move-to-foreign-tenant", "self-service-membership")
CALLS = ("definer-without-tenant-filter", "trusts-tenant-argument", "definer-writes-foreign-rows", "exec-sql", "existence-oracle")
INSIDE = ("secret-column-readable", "protected-column-writable")
PROBES = dict.fromkeys(WRITES, "write$") | dict.fromkeys(CALLS, "functions$") | dict.fromkeys(INSIDE, "privileges$") | {
    "unique-not-tenant-scoped": "oracles$", "fk-not-tenant-scoped": "oracles$", "helper-ignores-status": "helpers$", "self-promotion": "escalation$",
    "former-member-keeps-rows": "former$", "role-of-another-tenant": "two_tenants$"}


@pytest.mark.parametrize("name", MISTAKES)
def test_one_mistake_is_named_with_its_culprit(notebook: Database, name: str) -> None:
    place, broken, said = MISTAKES[name]
    reported = found(notebook, broken, probes=PROBES.get(name, "read$")).findings
    named = [f for f in reported if (f.id, f.object) == (name, place)]
    assert [said in f.finding for f in named] == [True], reported
    assert named[0].proven


def test_the_script_of_a_finding_shows_it_by_itself(broken_notebook: Database) -> None:
    (finding,) = (f for f in found(broken_notebook, probes="read$").findings if f.object == "public.note")
    with broken_notebook.connect(autocommit=True) as connection:
        cursor = connection.execute(finding.reproduce.replace("rollback;", ""))  # type: ignore[arg-type]
        while cursor.nextset():
            pass
        assert len(cursor.fetchall()) >= 2, "the rows of two tenants"
        connection.execute("rollback")
        assert connection.execute("select count(*) from public.note").fetchone() == (0,), "and nothing is left"


def test_a_run_leaves_no_trace_even_where_rows_were_there_before(notebook: Database) -> None:
    def state() -> list[tuple[object, ...]]:
        with notebook.connect("supabase_admin") as connection:
            return connection.execute("select (select count(*) from auth.users), (select count(*) from public.note), (select count(*) from pg_class), (select count(*) from pg_policy)").fetchall()
    before = state()
    engine.run(notebook.url())
    assert state() == before


def test_row_security_is_tried_without_where_and_without_returning(notebook: Database) -> None:
    """Traps 1 and 2: RETURNING and WHERE add the SELECT policy, which hides a missing check."""
    place, broken, _ = MISTAKES["insert-check-true"]
    (finding,) = (f for f in found(notebook, broken, probes="write$").findings if f.id == "insert-check-true")
    assert "RETURNING is refused (42501)" in finding.evidence
    assert not re.search(r"returning", finding.reproduce.rpartition("-- act")[2], re.I)


def test_a_table_no_row_can_be_made_for_is_not_covered_until_that_is_reviewed(notebook: Database) -> None:
    broken = "create table odd (id uuid primary key, studio uuid not null references studio (id), body text check (false)); grant select on odd to authenticated; alter table odd enable row level security"
    result = found(notebook, broken, probes="read$")
    assert [(one.object, result.exit_code) for one in result.not_covered] == [("public.odd", 3)]
    allowed = config.Config(allow_not_covered=(config.Allowance("no rows yet", object="public.odd"),))
    assert found(notebook, broken, told=allowed, probes="read$").exit_code == 0


def test_a_number_that_says_what_a_member_may_do_is_taken_for_the_role(notebook: Database) -> None:
    numbers = ("alter table crew drop column rank, add column clearance smallint not null default 10 check (clearance in (10, 20, 30));"
               " create policy rise on crew for update to authenticated using (person = auth.uid()); grant update (clearance) on crew to authenticated")
    result = found(notebook, numbers, probes="escalation$")
    assert any("role clearance: 30, 20, 10" in guess for guess in result.guesses)
    assert [(f.id, f.object) for f in result.findings if "10 makes themselves 30" in f.finding] == [("self-promotion", "public.crew")]


def test_a_function_that_gives_its_caller_the_strongest_role_is_named(notebook: Database) -> None:
    """The second asks whether the caller owns the studio, and nobody of ours is raised by it."""
    ranks = ("create function promote(p_studio uuid, p_person uuid, p_rank text) returns void language sql volatile security definer set search_path = '' as"
             " 'update public.crew set rank = p_rank where studio = p_studio and person = p_person and studio in (select inner_room.studios())';"
             " create function hand_over(p_studio uuid, p_person uuid) returns void language sql volatile security definer set search_path = '' as"
             " 'update public.crew c set rank = ''owner'' where c.studio = p_studio and c.person = p_person and exists"
             " (select from public.crew m where m.studio = c.studio and m.person = auth.uid() and m.rank = ''owner'')'")
    findings = found(notebook, ranks, probes="escalation$").findings
    assert [(f.id, f.object, f.proven) for f in findings] == [("function-raises-own-role", "public.promote(uuid,uuid,text)", True)]


def test_whose_name_a_row_has_matters_only_where_it_decides_who_changes_it(notebook: Database) -> None:
    """Every member may edit here, the writer too: who is named as the writer gets nothing by it."""
    edit = ("drop policy note_edit on note; grant update on note to authenticated; create policy note_edit on note for update to authenticated"
            " using (studio in (select inner_room.studios()) and (body is not null or writer = auth.uid()))")
    assert "author-change" not in {f.id for f in found(notebook, edit, probes="privileges$").findings}
    assert "author-change" in {f.id for f in found(notebook, edit.replace("body is not null or ", "") + " with check (studio in (select inner_room.studios()))", probes="privileges$").findings}


def test_of_numbers_compared_by_less_the_least_is_the_strongest(notebook: Database) -> None:
    numbers = ("alter table crew drop column rank, add column tier int not null default 3; create policy chief on note for delete to authenticated"
               " using (exists (select from crew c where c.studio = note.studio and c.person = auth.uid() and c.tier <= 1));"
               " create policy second on note for update to authenticated using (exists (select from crew c where c.studio = note.studio and c.person = auth.uid() and c.tier <= 2))")
    assert any("role tier: 1, 2" in guess for guess in found(notebook, numbers, probes="signup$").guesses)


def test_the_command_prints_json_and_exits_by_what_it_found(broken_notebook: Database) -> None:
    def command(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "agent.cli", "rls", "test", "--database-url", broken_notebook.url(), *more], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert command("--config", "missing.toml").returncode == 2
    done = command("--json")
    assert done.returncode == 1, done.stderr
    finding = next(f for f in json.loads(done.stdout) if f["object"] == "public.note" and f["command"] == "select")
    assert sorted(finding) == ["command", "evidence", "finding", "id", "object", "persona", "reproduce"]


def test_no_connection_is_a_wrong_use_and_not_a_clean_result() -> None:
    done = subprocess.run([sys.executable, "-m", "agent.cli", "rls", "test", "--database-url", "postgresql://nobody@127.0.0.1:1/none"], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 2


def test_the_plugin_gives_one_test_for_each_finding(broken_notebook: Database, tmp_path: Path) -> None:
    (tmp_path / "rls_cells.toml").write_text("")
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "tests.rls.plugin", "-p", "no:cacheprovider", "--rls-database-url", broken_notebook.url(), "--rootdir", tmp_path, tmp_path / "rls_cells.toml", "-q"],
                          capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 1, done.stderr
    assert re.search(r"FAILED .*public\.note select as member of another organization: rls-disabled", done.stdout), done.stdout[-2000:]
    assert "passed" in done.stdout


@pytest.mark.parametrize("pattern", ["^[a-z][a-z0-9_]{2,30}$", "^rf_[0-9a-f]{8}$", r"^\d{4}-\d{2}$", "^(alpha|beta)-[A-Z]{3}$", "^[^@]+@[^@]+$"])
def test_a_text_that_a_check_asks_for_can_be_made(pattern: str) -> None:
    made = matching(pattern)
    assert made is not None and re.search(pattern, made)


def test_what_cannot_be_a_pattern_is_not_made() -> None:
    assert matching("(") is None and matching("a(?!a)a^") is None


def test_the_probes_are_found_by_themselves() -> None:
    assert {read.check, write.check} <= set(engine.discovered())


def test_a_lost_connection_is_an_error_and_not_a_result(notebook: Database) -> None:
    with pytest.raises(psycopg.OperationalError):
        engine.run("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
