"""`ringfence audit` on a running stack: the story of an answer, the chains checked from outside, anchors, the export (F62, F64, F65, F66)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e.conftest import send
from tests.stack.support import ringfence


@pytest.fixture
def audit(stack: dict[str, Any]) -> Any:
    """Return a function that runs `ringfence audit ...`, as somebody or as the operator."""
    def run(*arguments: str | Path, as_: str | None = "auditor@acme.test", status: int = 0) -> Any:
        who = ("--as", as_) if as_ else ("--database-url", stack["database_url"])
        done = ringfence("audit", arguments[0], *who, "--state-dir", stack["state_dir"], *arguments[1:])
        assert done.returncode == status, done.stderr
        return done

    return run


def call(stack: dict[str, Any], email: str, name: str, arguments: dict[str, Any]) -> Any:
    token = ringfence("login", email, "--state-dir", stack["state_dir"]).stdout.strip()
    return send(stack["url"], "POST", f"/rest/v1/rpc/{name}", {"authorization": f"Bearer {token}", "content-type": "application/json"}, arguments)


def acme(stack: dict[str, Any]) -> str:
    return str(next(o["id"] for u in stack["users"] for o in u["orgs"] if o["slug"] == "acme"))


def test_the_story_of_an_answer_is_told_to_who_asked_and_to_the_auditor_F65(stack: dict[str, Any], audit: Any) -> None:
    asked = ringfence("chat", "--as", "member@acme.test", "--bot", "acme/helpdesk", "--state-dir", stack["state_dir"], "How long does delivery take?")
    assert asked.returncode == 0, asked.stderr
    (run,) = set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", asked.stderr + asked.stdout)) & _runs(stack)
    told = [audit("show", run, as_=email).stdout for email in ("member@acme.test", "auditor@acme.test")]
    for text in told:
        assert "asked by member@acme.test as member" in text and "bot helpdesk version" in text and "tool search_documents: ok" in text
        assert "delivery" not in text and "NOT AS RECORDED" not in text
    assert "no such run that you may see" in audit("show", run, as_="member@globex.test", status=1).stderr
    assert json.loads(audit("show", run, "--json").stdout)["run_id"] == run


def _runs(stack: dict[str, Any]) -> set[str]:
    with psycopg.connect(stack["database_url"]) as db:
        return {str(run) for (run,) in db.execute("select id from app.run")}


def test_an_auditor_and_the_operator_find_the_chains_whole_and_an_anchor_holds_F62(stack: dict[str, Any], audit: Any, tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.jsonl"
    anchors.write_text(audit("anchor", as_=None).stdout)
    assert len(anchors.read_text().splitlines()) >= 2
    told = json.loads(audit("anchor", "acme").stdout)
    assert told["org_id"] == acme(stack) and told["heads"][0]["sequence"] > 0
    for as_ in ("auditor@acme.test", None):
        done = audit("verify", "acme", "--anchors", anchors, as_=as_)
        assert "of 1 organizations, 0 findings" in done.stderr and done.stdout == ""
    assert "0 findings" in audit("verify", "--anchors", anchors, as_=None).stderr
    assert "audit.read" in audit("verify", as_="member@acme.test", status=1).stderr
    longer = json.loads(anchors.read_text().splitlines()[0])
    longer["heads"][0]["sequence"] += 10**6
    anchors.write_text(json.dumps(longer) + "\n")
    assert ": cut: " in audit("verify", "--anchors", anchors, as_=None, status=1).stdout
    anchors.write_text("{}\n")
    assert "does not hold lines of" in audit("verify", "--anchors", anchors, as_=None, status=1).stderr


def test_the_export_goes_on_where_it_ended_F66(stack: dict[str, Any], audit: Any, tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    first = [json.loads(line) for line in audit("export", "acme", "--cursor-file", cursor).stdout.splitlines()]
    assert len(first) > 20 and {e["metadata"]["tenant_uid"] for e in first} == {acme(stack)}
    assert call(stack, "member@acme.test", "create_ticket", {"org_id": acme(stack), "subject": "Late", "body": "Where?"}).status == 200
    done = audit("export", "acme", "--cursor-file", cursor)
    second = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"session.start", "support_ticket.insert"} <= {e["metadata"]["event_code"] for e in second}
    assert not {e["metadata"]["uid"] for e in first} & {e["metadata"]["uid"] for e in second}
    assert done.stderr.strip() == f"cursor: {cursor.read_text().strip()}"


def test_a_refusal_at_the_edge_is_in_the_trail_with_its_request_and_rule_F64(stack: dict[str, Any], audit: Any) -> None:
    refused = call(stack, "member@acme.test", "create_role", {"org_id": acme(stack), "name": "boss", "permissions": ["audit.read"]})
    assert refused.status == 403
    request_id = json.loads(refused.body)["request_id"]
    events = [json.loads(line) for line in audit("export", "acme").stdout.splitlines()]
    (event,) = [e for e in events if e["metadata"]["event_code"] == "access.deny" and e["api"].get("request", {}).get("uid") == request_id]
    assert (event["status_code"], event["api"]["operation"]) == ("denied", "create_role") and event["status_detail"]
    assert event["actor"]["user"]["uid"] == next(u["user_id"] for u in stack["users"] if u["email"] == "member@acme.test")
