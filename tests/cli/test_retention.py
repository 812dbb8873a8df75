"""`ringfence retention apply` as the log-in of the jobs of a running stack (F72)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg

from tests.cli.test_org import enrol
from tests.cli.test_people import Someone, founder
from tests.cli.test_why import rpc
from tests.stack.support import ringfence

__all__ = ["founder"]


def test_what_is_over_is_deleted_by_the_command_and_by_no_other_log_in_F72(founder: tuple[Someone, str], stack: dict[str, Any]) -> None:
    owner, slug = founder
    token = owner.done("login", owner.email, "--password-stdin", "--code", enrol(owner))
    org_id = next(o["id"] for o in rpc(owner, token, "whoami")["organizations"] if o["slug"] == slug)
    ticket = rpc(owner, token, "create_ticket", org_id=org_id, subject="old", body="old")
    rpc(owner, token, "set_retention", org_id=org_id, **{"class": "tickets"}, days=30)
    with psycopg.connect(stack["database_url"]) as connection:  # bypasses policies, as an operator does
        connection.execute("update app.support_ticket set status = 'closed', created_at = now() - interval '31 days' where id = %s", [ticket["id"]])
    done = ringfence("retention", "apply", "--json", "--database-url", stack["worker_database_url"], environment=owner.environment)
    assert done.returncode == 0, done.stderr
    assert {"org_id": org_id, "class": "tickets", "deleted": {"support_ticket": 1}} in json.loads(done.stdout)
    again = ringfence("retention", "apply", "--database-url", stack["worker_database_url"], environment=owner.environment)
    assert again.returncode == 0 and again.stdout == "nothing is over\n"
    refused = ringfence("retention", "apply", "--database-url", stack["analyst_database_url"], environment=owner.environment)
    assert refused.returncode == 1 and "permission denied for function apply_retention" in refused.stderr
    assert "password" not in refused.stderr and Path(stack["state_dir"]).exists()
