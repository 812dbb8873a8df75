"""`ringfence approvals`: from a call that waits to the answer that goes on, at a terminal, with a second factor (F36, F46)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent.cli.approvals import lines
from tests.cli.test_org import enrol
from tests.cli.test_people import Someone, founder
from tests.e2e.conftest import send

__all__ = ["founder"]


def rpc(person: Someone, token: str, name: str, /, **arguments: Any) -> Any:
    answer = send(person.stack["url"], "POST", f"/rest/v1/rpc/{name}", {"authorization": f"Bearer {token}", "content-type": "application/json"}, arguments)
    assert answer.status == 200, answer.body
    return answer.json()


def test_a_call_that_waits_is_listed_approved_with_a_second_factor_and_made_F36_F46(founder: tuple[Someone, str], tmp_path: Path) -> None:
    owner, slug = founder
    token = owner.done("login", owner.email, "--password-stdin", "--code", enrol(owner))
    (org,) = [one["id"] for one in rpc(owner, token, "whoami")["organizations"] if one["slug"] == slug]
    bot = rpc(owner, token, "create_bot", org_id=org, slug="desk", name="Desk")["id"]
    rpc(owner, token, "bind_bot", org_id=org, bot_id=bot, tool="create_ticket")
    rpc(owner, token, "set_approval_policy", org_id=org, writes=True, by_another=False)
    call = {"bot": f"{slug}/desk", "tool": "create_ticket", "arguments": {"subject": "Lamp", "body": "Broken\u001b[2J."}}
    first, second = (rpc(owner, token, "use_tool", **call | {"arguments": call["arguments"] | more}) for more in ({}, {"subject": "Other"}))
    assert (first["outcome"], second["outcome"]) == ("needs_approval", "needs_approval")

    listed = owner.done("approvals", "list", slug)
    assert first["approval"]["id"] in listed and '"subject": "Lamp"' in listed and "organization" in listed and "\x1b" not in listed
    assert owner.done("approvals", "deny", slug, second["approval"]["id"]).startswith("create_ticket is denied")
    # A session without a second factor is told what to do.
    weak = owner.done("login", owner.email, "--password-stdin")
    refused = owner.run("approvals", "approve", slug, first["approval"]["id"])
    assert refused.returncode == 1 and "ringfence login EMAIL --code CODE" in refused.stderr and len(refused.stderr.splitlines()) == 1
    assert rpc(owner, weak, "use_tool", **call)["outcome"] == "needs_approval"
    (tmp_path / "founder" / "session.json").write_text(json.dumps({"url": owner.stack["url"], "email": owner.email, "access_token": token}))
    assert owner.done("approvals", "approve", slug, first["approval"]["id"]).startswith("create_ticket is approved")
    again = owner.run("approvals", "approve", slug, first["approval"]["id"])
    assert again.returncode == 1 and "decided before" in again.stderr
    assert [rpc(owner, weak, "use_tool", **call)["outcome"] for _ in range(2)] == ["ok", "needs_approval"]
    decided = owner.done("approvals", "list", slug, "--decided")
    assert {"used", "denied", "pending"} <= set(decided.split())


def test_what_a_model_wrote_reaches_the_terminal_as_text_alone() -> None:
    one = {"id": "1", "state": "pending", "tool": "create_ticket", "email": None, "user_id": "u", "bot": None, "reason": "tainted",
           "expires_at": "2026-11-22T12:00:00+00:00", "arguments": {"body": "\u009b2J\u0007\x1b]0;x\u202e\u200b\u2028", "subject": "ä"}}
    shown = "\n".join(lines(one))
    assert all(ch == "\n" or ch.isprintable() for ch in shown) and "ä" in shown
    assert "\\u202e\\u200b\\u2028" in shown
    assert lines(one | {"arguments": None}) == [lines(one)[0]]
