"""What leaves for a provider, all the way: a person sets the policy with a second factor, uploads a file and asks a bot (F69, F70, F75)."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pyotp
import pytest

from tests.agent.test_redaction import BEFORE, PLANTED
from tests.e2e.conftest import ScriptedEdge, send
from tests.e2e.test_second_factor import Device, account, new_device  # noqa: F401

VALUES = [value for values in PLANTED.values() for value in values]
FILE = "\n\n".join(f"The file says {BEFORE.get(kind, '')}{value} in it." for kind, values in PLANTED.items() for value in values)


class Company:
    """An organization of a person with a second factor, with a bot that searches one knowledge base."""

    def __init__(self, device: Device, account: dict[str, Any], edge: ScriptedEdge) -> None:  # noqa: F811
        self.device, self.edge, self.slug = device, edge, f"corp-{secrets.token_hex(4)}"
        device.auth.sign_up(account)  # type: ignore[arg-type]
        self.org = self.made("create_organization", slug=self.slug, name="Corp")["id"]
        base = self.made("create_knowledge_base", org_id=self.org, slug="files", name="Files")["id"]
        bot = self.made("create_bot", org_id=self.org, slug="desk", name="Desk")["id"]
        self.made("bind_bot", org_id=self.org, bot_id=bot, knowledge_base_id=base)
        self.made("bind_bot", org_id=self.org, bot_id=bot, tool="search_documents")
        factor = device.auth.mfa.enroll({"factor_type": "totp", "friendly_name": "phone app", "issuer": "acme.test"})
        assert factor.totp
        device.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": pyotp.TOTP(factor.totp.secret).at(time.time())})

    def made(self, name: str, /, **arguments: Any) -> Any:
        answer = self.device.rpc(name, **arguments)
        assert answer.status == 200, answer.body
        return answer.json()

    def upload(self) -> httpx.Response:
        return httpx.post(f"{self.edge.url}/v1/files", files={"file": ("people.md", FILE.encode(), "text/markdown")},
                          data={"knowledge_base": f"{self.slug}/files", "purpose": "user_data"},
                          headers={"authorization": f"Bearer {self.device.token()}"}, timeout=60)

    def ask(self, question: str) -> tuple[int, dict[str, Any]]:
        headers = {"authorization": f"Bearer {self.device.token()}", "content-type": "application/json"}
        body = {"model": f"{self.slug}/desk", "messages": [{"role": "user", "content": question}]}
        answer = send(self.edge.url, "POST", "/v1/chat/completions", headers, body)
        return answer.status, answer.json()

    def leaked(self) -> list[str]:
        received = b"\n".join(self.edge.model.received)
        return [value for value in VALUES if value.encode() in received or json.dumps(value)[1:-1].encode() in received]


@pytest.fixture
def company(new_device: Callable[[], Device], account: dict[str, Any], scripted_edge: ScriptedEdge) -> Company:  # noqa: F811
    return Company(new_device(), account, scripted_edge)


def test_a_file_and_questions_about_it_leave_without_personal_data_and_come_back_with_it_F69(company: Company) -> None:
    company.made("set_data_policy", org_id=company.org, redact=True)
    assert company.upload().status_code == 200
    status, answer = company.ask(f"Who has the card {PLANTED['CARD'][0]}?")
    assert status == 200 and answer["choices"][0]["message"]["content"].endswith("That is what I found.")
    assert len(company.edge.model.received) >= 4 and "_" in company.edge.model.seen()
    assert company.leaked() == []
    # The person's own conversation keeps what they said.
    run = answer["ringfence"]
    said = company.made("list_messages", org_id=company.org, conversation_id=run["conversation_id"])
    assert PLANTED["CARD"][0] in next(message["content"] for message in said if message["role"] == "user")
    calls = company.made("list_model_calls", org_id=company.org, in_run=run["run_id"])
    assert {(c["purpose"], c["provider"], c["redacted"]) for c in calls} == {("answer", "127.0.0.1", True), ("embedding", "127.0.0.1", True)}
    assert all(c["ended_at"] and c["input_tokens"] for c in calls)
    assert [c["input_tokens"] for c in calls if c["purpose"] == "embedding"] == [7]  # what the endpoint counted
    # Without the policy the same scan finds what is there.
    company.made("set_data_policy", org_id=company.org)
    assert company.ask(f"Who has the card {PLANTED['CARD'][0]}?")[0] == 200
    assert PLANTED["CARD"][0] in company.leaked() and len(company.leaked()) > 5


def test_a_provider_the_policy_refuses_is_sent_no_byte_until_the_operator_registers_what_is_attested_F70(company: Company, stack: dict[str, Any]) -> None:
    company.made("set_data_policy", org_id=company.org, zero_retention=True)
    upload = company.upload()
    assert (upload.status_code, upload.json()["code"]) == (403, "provider_refused")
    status, answer = company.ask("Hello?")
    assert (status, answer["error"]["code"]) == (403, "provider_refused") and "keep nothing" in answer["error"]["message"]
    assert company.edge.model.received == []
    with psycopg.connect(stack["database_url"], autocommit=True) as operator:
        operator.execute("insert into app.provider (name, region, retention_days, trains, attestation, attested_on) values ('127.0.0.1', 'eu', 0, false, 'test', current_date)")
    try:
        assert company.upload().status_code == 200 and company.ask("Hello?")[0] == 200
        (last, *_) = company.made("list_model_calls", org_id=company.org)
        assert (last["region"], last["retention_days"], last["trains"], last["refused_by"]) == ("eu", 0, False, None)
    finally:
        with psycopg.connect(stack["database_url"], autocommit=True) as operator:
            operator.execute("delete from app.provider where name = '127.0.0.1'")


def test_a_spent_budget_answers_in_the_clients_own_wire_format_F75(company: Company) -> None:
    company.made("set_budget", org_id=company.org, period="day", max_tokens=1)
    status, answer = company.ask("Hello?")
    assert (status, answer["error"]["code"]) == (429, "budget_spent") and company.edge.model.received == []
    company.made("set_budget", org_id=company.org, period="day", max_tokens=200_000)
    assert company.ask("Hello?")[0] == 200
    [budget] = company.made("list_budgets", org_id=company.org)
    assert 0 < budget["used_tokens"] < 5_000, "what was reserved and not taken was given back"
