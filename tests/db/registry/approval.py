"""Approvals of calls of tools: what waits, who decides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    import psycopg

    from tests.db.world import Organization

_TICKET = """'{"subject": "s", "body": "b"}'"""

TABLES: dict[str, Decision] = {
    # A trigger asks further: a person, and to approve a fresh second factor.
    "approval": Decision(
        "t.user_id = :me or can(approvals.decide)", insert=":me = :customer",
        update="t.state = 'pending' and t.expires_at > now() and (t.user_id = :me or can(approvals.decide))", change="state = 'denied'",
        new={"org_id": ":org", "run_id": ":running_run", "tool": "'create_ticket'", "arguments": _TICKET}, scope=frozenset({"bots.run"})),
}

RECIPES: dict[str, Recipe] = {
    "list_approvals": ("customer", {"org_id": ":org", "waiting": False, "max_rows": 100}),
    "decide_approval": ("customer", {"org_id": ":org", "approval_id": ":approval", "decision": "deny"}),
    "resume_run": ("customer", {"approval_id": ":denied_approval"}),
    "set_approval_policy": ("owner", {"org_id": ":org", "writes": True, "by_another": True}),
}

EVENTS: dict[str, list[str]] = {
    "decide_approval": ["approval.update"],
    "set_approval_policy": ["organization.update"],
}


def plant(connection: psycopg.Connection[Any], organization: Organization) -> None:
    """A running run that has read untrusted text: what it wants to write waits; something else was denied."""
    ids, customer = organization.ids, organization.people["customer"]
    connection.execute("update app.run set taint = '{private,untrusted}' where id = %s", [ids["running_run"]])
    connection.execute("select set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)", [json.dumps(customer.claims())])
    for key, body in (("approval", "waits"), ("denied_approval", "denied")):
        row = connection.execute(
            "insert into app.approval (org_id, run_id, tool, arguments) values (%s, %s, 'create_ticket', %s) returning id",
            [organization.id, ids["running_run"], Jsonb({"subject": "s", "body": f"{body} {organization.canary}"})]).fetchone()
        assert row
        ids[key] = row[0]
    connection.execute("reset role")
    # For as long as the tests may take.
    connection.execute("update app.approval set expires_at = now() + interval '1 day' where run_id = %s", [ids["running_run"]])
    connection.execute("update app.approval set state = 'denied', decided_by = user_id, decided_at = now(), arguments = null where id = %s",
                       [ids["denied_approval"]])
