"""`ringfence why` through a running stack: about oneself, about a member, and about what is not to be seen (F87)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.cli.errors import CliError
from agent.cli.why import parts
from tests.cli.test_people import Someone, founder
from tests.e2e.conftest import send

__all__ = ["founder"]


def rpc(person: Someone, token: str, name: str, /, **arguments: Any) -> Any:
    answer = send(person.stack["url"], "POST", f"/rest/v1/rpc/{name}", {"authorization": f"Bearer {token}", "content-type": "application/json"}, arguments)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def test_why_names_what_decides_for_oneself_and_for_a_member_and_nothing_of_what_is_not_there_F87(
    founder: tuple[Someone, str], stack: dict[str, Any], tmp_path: Path,
) -> None:
    owner, slug = founder
    guest = Someone(stack, tmp_path / "guest")
    guest.done("join", owner.done("invite", slug, guest.email, "--role", "member"))
    token = owner.done("login", owner.email, "--password-stdin")
    org_id = next(o["id"] for o in rpc(owner, token, "whoami")["organizations"] if o["slug"] == slug)
    base = rpc(owner, token, "create_knowledge_base", org_id=org_id, slug="manual", name="Manual")
    rpc(owner, token, "create_bot", org_id=org_id, slug="helpdesk", name="Help")

    assert owner.done("why", owner.email, f"{slug}/bot/helpdesk", "--action", "run").splitlines()[0].endswith(": allowed")
    told = owner.done("why", guest.email, f"{slug}/bot/helpdesk")
    assert told.splitlines()[0].endswith(": denied") and "because bot_select_viewer: holds bots.manage" in told
    told = owner.done("why", guest.email, f"{slug}/knowledge_base/manual")
    assert "allowed" in told and "[role member]" in told
    exact = json.loads(owner.done("why", guest.email, f"{slug}/knowledge_base/{base['id']}", "--action", "change", "--json"))
    assert exact["verdict"] == "denied" and [d["policy"] for d in exact["decided_by"]] == ["knowledge_base_update_manager"] * 2

    absent = "00000000-0000-4000-8000-000000000000"
    for person, thing in ((owner, f"{slug}/document/{absent}"), (guest, f"{slug}/order/{absent}")):
        refused = person.run("why", person.email, thing)
        assert refused.returncode == 1 and "no such object, or not yours to see" in refused.stderr
    refused = guest.run("why", owner.email, f"{slug}/knowledge_base/manual")
    assert refused.returncode == 1 and "no member" in refused.stderr


@pytest.mark.parametrize("thing", ["acme", "acme/bot", "acme//helpdesk", "a/b/c/d", ""])
def test_an_object_is_written_as_organization_kind_and_name(thing: str) -> None:
    assert parts("acme/bot/helpdesk") == ("acme", "bot", "helpdesk")
    with pytest.raises(CliError, match="ORG/KIND/ID"):
        parts(thing)
