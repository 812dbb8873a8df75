"""What is done for a person reaches the database as that person, and nothing that runs could do otherwise (F02)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from tests.e2e.conftest import SignedIn

# What only an operator or the auth service may hold: a login of the database, a secret key, a key that signs.
SECRET = re.compile(rb"postgres(ql)?://|sb_secret_|SERVICE_ROLE|SECRET_KEY|SIGNING_KEY|supabase_admin")


def environment(stack: dict[str, Any], name: str) -> bytes:
    [process] = [p for p in json.loads((Path(stack["state_dir"]) / "stack.json").read_text())["processes"] if p["name"].startswith(name)]
    return Path(f"/proc/{process['pid']}/environ").read_bytes()


def test_the_edge_and_the_agent_hold_no_key_past_the_publishable_one_F02(stack: dict[str, Any]) -> None:
    edge = environment(stack, "edge")
    assert stack["publishable_key"].encode() in edge
    assert SECRET.search(edge) is None
    # The same look at a process that does hold one finds it.
    assert SECRET.search(environment(stack, "auth")) is not None


def test_an_answer_leaves_the_askers_name_and_only_request_roles_were_logged_in_F02(stack: dict[str, Any], person: Callable[[str], SignedIn]) -> None:
    asker = person("member@acme.test")
    run = asker.ask("acme/helpdesk", "What are my orders?").json()["ringfence"]["run_id"]
    with psycopg.connect(stack["database_url"]) as connection:
        rows = connection.execute("select user_id::text from app.run where id = %s union all select user_id::text from app.run_step where run_id = %s"
                                  " union all select actor_id::text from app.audit_event where run_id = %s", [run, run, run]).fetchall()
        assert len(rows) >= 4 and {user for (user,) in rows} == {asker.user_id}
        logged_in = {name for (name,) in connection.execute(
            "select distinct usename from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()").fetchall()}
    assert "authenticator" in logged_in
    assert logged_in <= {"authenticator", "supabase_auth_admin", "postgres"}  # postgres: tests looking, as this one does
