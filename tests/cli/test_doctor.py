"""`ringfence doctor`: each check passes on a good deployment and fails on a planted bad one."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from agent.cli import doctor_database, manifest
from agent.cli.doctor_database import skew_finding, temporary_files_finding, version_finding
from agent.cli.doctor_service import signing_keys
from agent.cli.findings import ADVICE, Finding
from tests.stack.support import ringfence


def statuses(*arguments: str, environment: dict[str, str] | None = None) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """Return the exit status and (status, detail) by check."""
    done = ringfence("doctor", "--json", *arguments, environment=environment)
    report = json.loads(done.stdout)
    assert report["ok"] == (done.returncode == 0)
    found: dict[str, list[tuple[str, str]]] = {}
    for check in report["checks"]:
        found.setdefault(check["check"], []).append((check["status"], check["detail"]))
    return done.returncode, found


def test_a_good_deployment_passes_every_check(stack: dict[str, Any]) -> None:
    code, found = statuses("--state-dir", stack["state_dir"])
    assert code == 0, found
    assert {name for name, rows in found.items() if rows[0][0] == "ok"} >= {
        "keys in the environment", "edge", "signing keys", "no token, no answer", "posture", "supabase cli", "postgrest",
        "exposed schemas", "pre-request", "temporary files", "database clock", "service clock", "drift"}


def test_a_supabase_project_is_checked_by_its_address(stack: dict[str, Any], tmp_path: Any) -> None:
    project = {"SUPABASE_URL": stack["url"], "SUPABASE_PUBLISHABLE_KEY": stack["publishable_key"]}
    code, found = statuses("--state-dir", str(tmp_path), environment=project)
    assert code == 0 and found["signing keys"][0][0] == found["no token, no answer"][0][0] == "ok"
    assert "edge" not in found, "a project has no /readyz"
    code, found = statuses("--state-dir", str(tmp_path), environment=project | {"SUPABASE_URL": "http://127.0.0.1:9"})
    assert code == 1 and found["service"] == [("fail", "http://127.0.0.1:9 cannot be reached")]


def test_a_secret_key_in_the_environment_fails_without_being_shown_R82(stack: dict[str, Any]) -> None:
    code, found = statuses("--state-dir", stack["state_dir"], environment={"SOMETHING": "sb_secret_abcdef"})
    assert code == 1
    assert found["keys in the environment"][0][0] == "fail"
    assert "abcdef" not in str(found)


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("alter table app.bot no force row level security", "table without enabled and forced row security: app.bot"),
        ("create table api.planted (id uuid)", "table or view in the exposed schema: api.planted"),
        ("alter function api.whoami() reset search_path", "function without a pinned search_path: api.whoami()"),
        ("grant execute on function api.whoami() to public", "function executable by everybody: api.whoami()"),
        ("alter function api.whoami() security definer", "SECURITY DEFINER function owned by a role that bypasses policies: api.whoami()"),
        ("create policy planted on app.bot using (true)", "policy for everybody, or without an explicit check: planted on app.bot"),
        ("grant usage on schema app to service_role", "service_role may use a schema of ours: app"),
        ("grant usage on schema api to anon", "anon may use the exposed schema: api"),
        ("drop schema authz cascade", "schema missing: the migrations have not been applied: authz"),
    ],
)
def test_the_posture_check_finds_a_planted_fault(database: Any, statement: str, finding: str) -> None:
    assert [found.status for found in doctor_database.check(database.url()) if found.check == "posture"] == ["ok"]
    with database.connect() as connection:
        connection.execute(statement)
    assert Finding("posture", "fail", finding) in doctor_database.check(database.url())


def test_a_planted_fault_in_the_database_makes_the_exit_status_1(database: Any, tmp_path: Any) -> None:
    with database.connect() as connection:
        connection.execute("grant usage on schema app to service_role")
    code, found = statuses("--database-url", database.url(), "--state-dir", str(tmp_path))
    assert (code, found["posture"]) == (1, [("fail", "service_role may use a schema of ours: app")])


@pytest.mark.parametrize(
    ("number", "status"),
    [(180007, "ok"), (180006, "warn"), (170012, "ok"), (170011, "warn"), (160016, "ok"), (150020, "fail"), (190000, "warn")],
)
def test_a_server_below_the_minimum_is_noted(number: int, status: str) -> None:
    assert version_finding(number, "x").status == status


@pytest.mark.parametrize(
    ("algorithms", "status"), [(["ES256"], "ok"), (["ES256", "RS256"], "ok"), (["HS256"], "fail"), (["ES256", "HS256"], "fail"), ([], "fail")]
)
def test_only_asymmetric_signing_keys_are_good(algorithms: list[str], status: str) -> None:
    found = signing_keys({"keys": [{"alg": name, "kid": name} for name in algorithms]})
    assert {finding.status for finding in found} == {status}


@pytest.mark.parametrize("more", [{"d": "AA"}, {"k": "AA"}, {"kid": None}, {"kid": "b"}])
def test_a_published_private_key_and_a_key_without_an_id_of_its_own_fail_R79(more: dict[str, Any]) -> None:
    keys = [{"kty": "EC", "alg": "ES256", "kid": "a", **more}, {"kty": "EC", "alg": "ES256", "kid": "b"}]
    assert [finding.status for finding in signing_keys({"keys": keys})] == ["ok", "fail"]
    assert [finding.status for finding in signing_keys({"keys": keys[1:]})] == ["ok"]


@pytest.mark.parametrize(("seconds", "status"), [(0, "ok"), (-4.9, "ok"), (6, "warn"), (-29, "warn"), (31, "fail"), (-3600, "fail")])
def test_clocks_that_differ_are_told(seconds: float, status: str) -> None:
    assert skew_finding("clock", seconds).status == status


@pytest.mark.parametrize(("limit", "status"), [("-1", "warn"), ("1048576", "ok")])
def test_a_server_that_lets_a_query_fill_the_disk_is_noted_F52(limit: str, status: str) -> None:
    assert temporary_files_finding(limit).status == status


def test_a_lagging_server_is_a_failure_where_it_is_deployed_unless_it_is_accepted_R29() -> None:
    assert version_finding(170011, "17.11", local=False).status == "fail"
    assert version_finding(170012, "17.12", local=False).status == "ok"


def checks_in_the_code() -> set[str]:
    """Return the names that the modules of doctor give to what may fail or warn."""
    found = set()
    for module in Path(doctor_database.__file__).parent.glob("doctor*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Finding", "skew_finding", "_program") and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return found | {"signing keys", "supabase cli", "postgrest"}


def test_every_check_says_what_to_do_when_it_fails() -> None:
    assert len(checks_in_the_code()) > 12 and checks_in_the_code() - {"python"} <= set(ADVICE)
    for check, advice in ADVICE.items():
        assert Finding(check, "ok", "").advice == "" and Finding(check, "fail", "").advice == advice
    assert {check for check, advice in ADVICE.items() if not advice} == {"exposed schemas", "pre-request"}, "these give the statement itself"


def test_the_advice_is_printed_below_what_failed(tmp_path: Any) -> None:
    said = ringfence("doctor", "--state-dir", str(tmp_path), environment={"SUPABASE_URL": "http://127.0.0.1:9", "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_x"})
    lines = said.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("fail  service:"))
    assert lines[at + 1] == f"      {ADVICE['service']}" and said.returncode == 1


def test_without_a_stack_there_is_nothing_to_check_and_that_fails(tmp_path: Any) -> None:
    code, found = statuses("--state-dir", str(tmp_path))
    [(status, detail)] = found["service"]
    assert (code, status) == (1, "fail") and "ringfence up" in detail and "SUPABASE_URL" in detail


def test_a_check_that_is_known_to_fail_can_be_accepted_and_still_warns(tmp_path: Any) -> None:
    code, found = statuses("--state-dir", str(tmp_path), "--accept", "service")
    assert (code, found["service"][0][0]) == (0, "warn")
    assert statuses("--state-dir", str(tmp_path), "--accept", "posture")[0] == 1


DRIFT = {
    "drop policy {policy} on app.bot": "policy {policy} on app.bot: missing",
    "create policy planted on app.bot for select to authenticated using (true)": "policy planted on app.bot: not in the manifest",
    "alter table app.bot no force row level security": "relation app.bot: changed",
    "grant delete on app.bot to anon": "privilege on relation app.bot: changed",
    "grant update (id) on app.bot to authenticated": "privilege on column of app.bot: changed",
    "alter function api.whoami() security definer": "function api.whoami(): changed",
    "create function api.planted() returns int language sql as 'select 1'": "function api.planted(): not in the manifest",
    "alter table app.bot disable trigger _900_audit": "trigger _900_audit on app.bot: changed",
    "alter table app.bot add column planted int": "column of app.bot: changed",
    "alter table app.bot add constraint planted check (true) not valid": "constraint of app.bot: changed",
    "create index planted on app.bot (id)": "index of app.bot: changed",
    "create schema app_planted; create table app_planted.t (); create view app.planted as select 1 as one": "relation app.planted: not in the manifest",
}


@pytest.mark.parametrize("statement", DRIFT)
def test_what_was_changed_by_hand_is_named_F78(database: Any, statement: str) -> None:
    assert [one for one in doctor_database.check(database.url()) if one.check == "drift" and one.status != "ok"] == []
    with database.connect() as connection:
        policy = connection.execute("select polname from pg_policy where polrelid = 'app.bot'::regclass and polpermissive order by 1").fetchone()[0]
        connection.execute(statement.format(policy=policy))
    assert Finding("drift", "fail", DRIFT[statement].format(policy=policy)) in doctor_database.check(database.url())


def test_the_manifest_reads_back_as_it_is_written_and_its_absence_fails_F78(database: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {"policy a b on app.bot": "0" * 16, "function api.f(text, integer)": "1" * 16}
    (tmp_path / "manifest.txt").write_text(manifest.text(entries))
    assert manifest.read(tmp_path / "manifest.txt") == entries
    monkeypatch.setattr(manifest, "read", lambda: manifest_missing())
    assert [one.status for one in doctor_database.check(database.url()) if one.check == "drift"] == ["fail"]


def manifest_missing() -> dict[str, str]:
    raise FileNotFoundError


@pytest.mark.parametrize("broken", ["pgrst.db_schemas = 'api, app'", "pgrst.db_schemas = ''", "pgrst.db_pre_request = ''"])
def test_another_schema_or_no_pre_request_fails_and_the_advice_is_a_statement_R3_R41(database: Any, broken: str) -> None:
    def failing() -> set[str]:
        return {one.check for one in doctor_database.check(database.url()) if one.status == "fail"}

    name = broken.split(" ")[0]
    check = "exposed schemas" if "schemas" in broken else "pre-request"
    assert check not in failing()
    with database.connect("supabase_admin") as connection:
        connection.execute(f"alter role authenticator in database {database.name} set {broken}")
    try:
        assert {check} <= failing()
    finally:
        with database.connect("supabase_admin") as connection:
            connection.execute(f"alter role authenticator in database {database.name} reset {name}")


def test_a_database_that_cannot_be_reached_fails_and_hides_the_password(tmp_path: Any) -> None:
    code, found = statuses("--database-url", "postgresql://someone:hidden-word@127.0.0.1:9/x", "--state-dir", str(tmp_path))
    assert code == 1
    assert found["database"][0][0] == "fail" and "hidden-word" not in str(found)
