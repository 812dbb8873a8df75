"""A refusal of the database is recorded by a call of its own, in the name of who was refused, whatever the client does meanwhile (F64)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.proxy.doubles import Answer, Call, error
from tests.proxy.support import ORG, assert_error, call

pytestmark = pytest.mark.anyio
RECORD = "/rest/v1/rpc/record_denial"
TICKET = "/rest/v1/rpc/create_ticket"
RUN = "0b0e7f7c-6d0e-4a60-9d57-0c8a3f0f8a11"


def records(upstream: Any) -> list[dict[str, Any]]:
    return [json.loads(made.body) for made in upstream.calls if made.path == RECORD]


@pytest.mark.parametrize(("status", "code", "message", "body", "about"), [
    (403, "42501", 'new row violates row-level security policy "note_insert_member" for table "note"', {"org_id": ORG, "subject": "canary"}, {"named_org": ORG}),
    (401, "PT401", "confirm your second factor", {"run_id": RUN, "bot": "acme/helpdesk"}, {"run_id": RUN, "bot": "acme/helpdesk"}),
    (403, "42501", "x" * 900, {"org_id": "not an id", "run_id": 7, "bot": "b" * 201}, {}),
    (403, "42501", "no", {"org_id": None, "bot": "a\u0000b"}, {}),
])
async def test_a_refusal_is_recorded_with_the_persons_own_token_F64(edge, upstream, key, status, code, message, body, about):
    upstream.answers[TICKET] = error(status, code, message)
    token = key.token()
    got = await call(edge, TICKET, token=token, body=json.dumps(body).encode())
    assert got.status == status
    assert records(upstream) == [{"function_name": "create_ticket", "code": code, "message": message[:500], **about}]
    refused, recorded = (made for made in upstream.calls if made.path in (TICKET, RECORD))
    for header in ("authorization", "apikey", "x-request-id", "content-profile"):
        assert recorded.names[header] == refused.names[header]
    assert recorded.names["authorization"] == f"Bearer {token}" and b"canary" not in recorded.body


@pytest.mark.parametrize(("status", "code"), [(404, "PT404"), (400, "22023"), (409, "PT409"), (429, "PT429"), (401, "28000"), (500, "57014")])
async def test_what_is_no_refusal_is_not_recorded_F64(edge, upstream, key, status, code):
    upstream.answers[TICKET] = error(status, code)
    await call(edge, TICKET, token=key.token())
    upstream.answers[TICKET] = Answer()
    assert (await call(edge, TICKET, token=key.token())).status == 200
    assert records(upstream) == []


@pytest.mark.parametrize("answer", [error(500, "XX000"), error(403, "42501"), Answer(500, b"")])
async def test_a_refusal_stands_when_it_cannot_be_recorded_and_that_is_told_F64(edge, upstream, key, answer, caplog):
    upstream.answers[TICKET], upstream.answers[RECORD] = error(403, "42501", "you may not"), answer
    with caplog.at_level("INFO", logger="edge_proxy"):
        assert_error(await call(edge, TICKET, token=key.token()), 403, "denied", sqlstate="42501")
    assert len(records(upstream)) == 1
    assert [json.loads(line)["rpc"] for line in caplog.messages if '"denial_unrecorded"' in line] == ["create_ticket"]


async def test_a_refusal_that_no_organization_of_ones_own_is_about_belongs_in_no_trail_F64(edge, upstream, key, caplog):
    upstream.answers[TICKET], upstream.answers[RECORD] = error(403, "42501", "you may not"), error(404, "PT404", "none of your organizations is meant")
    with caplog.at_level("INFO", logger="edge_proxy"):
        assert_error(await call(edge, TICKET, token=key.token()), 403, "denied", sqlstate="42501")
    assert len(records(upstream)) == 1 and not any('"denial_unrecorded"' in line for line in caplog.messages)


async def test_who_does_not_wait_for_the_answer_is_recorded_all_the_same_F64(edge, upstream, key):
    reached = asyncio.Event()

    async def slow() -> None:
        reached.set()
        await asyncio.sleep(0.05)

    upstream.answers[TICKET] = error(403, "42501", "you may not")
    upstream.answers[RECORD] = Answer(before=slow)
    asking = asyncio.create_task(call(edge, TICKET, token=key.token()))
    await reached.wait()
    asking.cancel()
    await asyncio.sleep(0.1)
    assert [type(made) for made in upstream.calls if made.path == RECORD] == [Call]
