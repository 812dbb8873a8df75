"""`ringfence doctor`: each check passes on a good deployment and fails on a planted bad one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.cli.doctor import Finding, _database, _signing_keys, version_finding
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
        "keys in the environment", "edge", "signing keys", "no token, no answer", "posture", "supabase cli", "postgrest"}


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
    assert [found.status for found in _database(database.url()) if found.check == "posture"] == ["ok"]
    with database.connect() as connection:
        connection.execute(statement)
    assert Finding("posture", "fail", finding) in _database(database.url())


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
    assert _signing_keys({"keys": [{"alg": name} for name in algorithms]}).status == status


def test_a_database_that_cannot_be_reached_fails_and_hides_the_password(tmp_path: Any) -> None:
    code, found = statuses("--database-url", "postgresql://someone:hidden-word@127.0.0.1:9/x", "--state-dir", str(tmp_path))
    assert code == 1
    assert found["database"][0][0] == "fail" and "hidden-word" not in str(found)
