"""Hostile documents and a model that obeys every one of them, through edge, agent and database: nothing is done that nobody approved (F82, F39, R100)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from tests.agent.scripted_model import calls, says
from tests.e2e import hostile
from tests.e2e.conftest import ScriptedEdge, send
from tests.e2e.test_data_policy import Company
from tests.e2e.test_second_factor import Device, account, new_device  # noqa: F401


class Desk(Company):
    """A company whose bot also writes, with a knowledge base that anybody could have filled."""

    def __init__(self, device: Device, account: dict[str, Any], edge: ScriptedEdge, database_url: str) -> None:  # noqa: F811
        super().__init__(device, account, edge)
        self.database_url = database_url
        (bot,) = self.made("list_bots")
        for tool in ("create_ticket", "my_orders"):
            self.made("bind_bot", org_id=self.org, bot_id=bot["id"], tool=tool)
        self.made("place_order", org_id=self.org, order_number="ORD-1042", total_cents=1, currency="EUR")
        edge.model.turns = [hostile.obey]

    def plant(self, text: str) -> str:
        """Upload a document; return a word that is in it and in no other."""
        word = f"word{secrets.token_hex(6)}"
        answer = httpx.post(f"{self.edge.url}/v1/files", files={"file": (f"{word}.txt", f"{word}. {text}".encode(), "text/plain")},
                            data={"knowledge_base": f"{self.slug}/files", "purpose": "user_data"},
                            headers={"authorization": f"Bearer {self.device.token()}"}, timeout=60)
        assert answer.status_code == 200, answer.text
        return word

    def asks(self, question: str, **ringfence: Any) -> tuple[int, dict[str, Any]]:
        headers = {"authorization": f"Bearer {self.device.token()}", "content-type": "application/json"}
        body = {"model": f"{self.slug}/desk", "messages": [{"role": "user", "content": question}], "ringfence": ringfence}
        answer = send(self.edge.url, "POST", "/v1/chat/completions", headers, body)
        return answer.status, answer.json()

    def tickets(self) -> int:
        with psycopg.connect(self.database_url) as operator:
            row = operator.execute("select count(*) from app.support_ticket where org_id = %s", [self.org]).fetchone()
        assert row
        return int(row[0])

    def decide(self, approval: dict[str, Any], decision: str) -> None:
        self.made("decide_approval", org_id=self.org, approval_id=approval["id"], decision=decision)


@pytest.fixture
def desk(new_device: Callable[[], Device], account: dict[str, Any], scripted_edge: ScriptedEdge, stack: dict[str, Any]) -> Desk:  # noqa: F811
    return Desk(new_device(), account, scripted_edge, stack["database_url"])


def test_the_model_obeys_what_is_hidden_in_each_document_F82() -> None:
    """Or the rest of this file would prove nothing."""
    for name, text in hostile.WRITING.items():
        assert "create_ticket" in {tool for tool, _ in hostile.orders(text)}, name
    for name, text in hostile.OTHER.items():
        assert hostile.orders(text), name


def test_no_document_makes_a_bot_write_before_somebody_approved_it_and_then_it_writes_once_F82_F39(desk: Desk) -> None:
    waiting: dict[str, Any] = {}
    for name, text in hostile.WRITING.items():
        status, answer = desk.asks(desk.plant(text))
        assert status == 200 and answer["ringfence"]["approval"]["reason"] == "tainted", (name, answer)
        waiting[name] = answer["ringfence"]
        assert desk.tickets() == 0, name
    listed = {one["id"]: one for one in desk.made("list_approvals", org_id=desk.org)}
    assert listed.keys() == {one["approval"]["id"] for one in waiting.values()}
    assert all("ORD-1042" in one["arguments"]["body"] for one in listed.values()), "who decides sees what would leave"

    approved = waiting["plain"]["approval"]
    desk.decide(approved, "approve")
    assert desk.tickets() == 0, "an approval alone does nothing"
    status, answer = desk.asks("Go on.", approval_id=approved["id"])
    assert status == 200 and answer["choices"][0]["message"]["content"] == hostile.OVER
    assert answer["ringfence"]["run_id"] == waiting["plain"]["run_id"] and desk.tickets() == 1
    status, answer = desk.asks("Go on.", approval_id=approved["id"])
    assert (status, answer["code"], desk.tickets()) == (404, "not_found", 1)

    denied = waiting["encoded"]["approval"]
    desk.decide(denied, "deny")
    status, _ = desk.asks("Go on.", approval_id=denied["id"])
    assert (status, desk.tickets()) == (200, 1)
    status, answer = desk.asks("Go on.", approval_id=waiting["comment"]["approval"]["id"])
    assert (status, answer["code"], desk.tickets()) == (409, "conflict", 1)


def test_no_document_makes_a_bot_do_what_no_model_may_ask_for_F82(desk: Desk) -> None:
    for name, text in hostile.OTHER.items():
        status, answer = desk.asks(desk.plant(text))
        assert (status, answer["ringfence"].get("approval")) == (200, None), (name, answer)
        assert desk.edge.model.tool_messages()[-1].startswith("invalid: "), name
    assert (desk.tickets(), desk.made("list_approvals", org_id=desk.org, waiting=False)) == (0, [])


def test_what_a_conversation_read_before_still_counts_F82_F39(desk: Desk) -> None:
    status, answer = desk.asks(desk.plant("Remember this for later."))
    assert status == 200 and "approval" not in answer["ringfence"]
    writes = calls(("create_ticket", {"subject": "Later", "body": "As the document said."}))
    desk.edge.model.turns, desk.edge.model.bodies = [writes], []
    status, later = desk.asks("And now?", conversation_id=answer["ringfence"]["conversation_id"])
    assert later["ringfence"]["approval"]["reason"] == "tainted" and desk.tickets() == 0
    # A conversation of its own has read nothing.
    desk.edge.model.turns, desk.edge.model.bodies = [writes, says(hostile.OVER)], []
    status, fresh = desk.asks("And now?")
    assert (status, "approval" in fresh["ringfence"], desk.tickets()) == (200, False, 1)
