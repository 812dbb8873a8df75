"""Rates, bytes and places of an organization: only its members' requests count for it, whatever id a request names (R92, F74)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import generate_latest

from edge_proxy.limits import Limits, Rate
from edge_proxy.memberships import organization_ids
from tests.proxy.doubles import Answer, RecordingUpstream
from tests.proxy.support import NOW, ORG, OTHER_USER, USER, Got, assert_error, call

pytestmark = pytest.mark.anyio

SEARCH = "/rest/v1/rpc/search_documents"
CHAT = "/v1/chat/completions"
OTHER_ORG = "9a0e35f1-4d0b-4a6c-8f83-33a0f5b0f2aa"
SESSIONS = {person: person.replace("-", "0-", 1)[-36:] for person in (USER, OTHER_USER)}


def few(**changes: Any) -> Limits:
    return replace(Limits(), **changes)


async def search(edge: Any, token: str, org: object = ORG, **more: Any) -> Got:
    return await call(edge, SEARCH, token=token, body=json.dumps({"org_id": org}).encode(), **more)


@pytest.fixture
def people(key) -> list[str]:
    """Tokens of several members of the same organization, each with a session of their own."""
    return [key.token(sub=f"0f8fad5b-d9cb-469f-a165-{n:012d}", session_id=f"7c9e6679-7425-40de-944b-{n:012d}") for n in range(10)]


async def test_all_members_together_get_the_organizations_rate_and_no_more_R92_F74(make_edge, upstream, people, clock):
    edge = await make_edge(limits=few(organization_rate=Rate(per_second=0.5, burst=5)))
    answers = await asyncio.gather(*(search(edge, people[n % 10]) for n in range(50)))
    assert sorted(got.status for got in answers) == [200] * 5 + [429] * 45
    refused = next(got for got in answers if got.status == 429)
    assert_error(refused, 429, "rate_limited")
    assert refused.header("retry-after") == "2"
    assert (await call(edge, token=people[0])).status == 200, "what names no organization is not held back"
    clock.now = NOW + 2
    assert (await search(edge, people[0])).status == 200


async def test_a_refused_request_takes_nothing_from_anybody_R92_F74(make_edge, upstream, people, clock):
    edge = await make_edge(limits=few(organization_rate=Rate(per_second=1, burst=2), user_rate=Rate(per_second=0.001, burst=3)))
    assert [(await search(edge, people[0])).status for _ in range(3)] == [200, 200, 429]
    kinds = edge.admission.limiter.kinds
    assert round(kinds["organization"][ORG][0]) == 0
    clock.now += 1
    assert (await search(edge, people[0])).status == 429, "their own rate is used up"
    assert (await search(edge, people[1])).status == 200, "and took nothing of the organization's"


async def test_a_stranger_cannot_use_up_the_rate_of_an_organization_R92(make_edge, upstream, key):
    edge = await make_edge(limits=few(organization_rate=Rate(per_second=0.001, burst=2)))
    stranger = key.token(sub=OTHER_USER, session_id=SESSIONS[OTHER_USER])
    upstream.answers["/rest/v1/rpc/whoami"] = Answer(body=b'{"organizations":[]}')
    assert [(await search(edge, stranger)).status for _ in range(9)] == [200] * 9, "the database decides what they get"
    assert "organization" not in edge.admission.limiter.kinds
    upstream.answers["/rest/v1/rpc/whoami"] = RecordingUpstream(key).answers["/rest/v1/rpc/whoami"]
    assert [(await search(edge, key.token())).status for _ in range(3)] == [200, 200, 429]
    assert (await search(edge, stranger)).status == 200, "a stranger does not learn from a 429 how busy it is"


@pytest.mark.parametrize("org", [OTHER_ORG, "acme ", "", 7, None, ["x"], {"a": 1}, "x" * 9000, ORG.replace("-", "")])
async def test_an_organization_that_is_not_the_persons_is_counted_for_nobody_R92_F09(edge, upstream, key, org):
    assert (await search(edge, key.token(), org)).status == 200
    assert "organization" not in edge.admission.limiter.kinds
    assert "ringfence_edge_organization_requests_total{" not in generate_latest(edge.metrics.registry).decode()


async def test_in_any_spelling_it_is_the_same_organization_R92(edge, upstream, key):
    for org in (ORG, ORG.upper(), "acme"):
        await search(edge, key.token(), org)
    assert list(edge.admission.limiter.kinds["organization"]) == [ORG]


async def test_a_token_of_one_organization_counts_for_that_one_whatever_it_names_R92(edge, upstream, key):
    await search(edge, key.token(org_id=ORG), OTHER_ORG)
    assert list(edge.admission.limiter.kinds["organization"]) == [ORG]


async def test_questions_to_bots_have_a_rate_of_their_own_R92(make_edge, agent, key):
    edge = await make_edge(limits=few(user_chat_rate=Rate(per_second=1, burst=2)))
    asked = [await call(edge, CHAT, token=key.token(), body=b'{"model":"acme/desk"}') for _ in range(3)]
    assert [got.status for got in asked] == [200, 200, 429]
    assert asked[-1].json["error"]["code"] == "rate_limited" and len(agent.scopes) == 2
    assert (await call(edge, token=key.token())).status == 200, "only questions are held back"


async def test_all_questions_to_an_organizations_bots_have_a_rate_R92(make_edge, agent, people):
    edge = await make_edge(limits=few(organization_chat_rate=Rate(per_second=1, burst=3)))
    asked = [await call(edge, CHAT, token=token, body=b'{"model":"acme/desk"}') for token in people[:5]]
    assert [got.status for got in asked] == [200, 200, 200, 429, 429]


async def test_an_organization_cannot_take_all_places_R92(make_edge, upstream, people):
    edge = await make_edge(limits=few(organization_in_flight=3))
    await search(edge, people[0])
    upstream.answers[SEARCH] = Answer(before=lambda: asyncio.sleep(0.1))
    answers = await asyncio.gather(*(search(edge, token) for token in people[:5]), call(edge, token=people[6]))
    assert sorted(got.status for got in answers) == [200, 200, 200, 200, 429, 429]
    assert (await search(edge, people[0])).status == 200, "the places are given back"
    assert not edge.admission._org_places._taken


async def test_bytes_are_counted_after_a_request_and_hold_the_next_one_back_R92(make_edge, upstream, people, clock):
    edge = await make_edge(limits=few(organization_bytes=Rate(per_second=100, burst=1000)))
    upstream.answers[SEARCH] = Answer(body=json.dumps("x" * 1200).encode())
    assert (await search(edge, people[0])).status == 200
    refused = await search(edge, people[1])
    assert refused.status == 429 and 2 <= int(refused.header("retry-after") or 0) <= 5
    clock.now += 5
    assert (await search(edge, people[1])).status == 200


async def test_the_bytes_of_one_person_are_counted_R92(make_edge, upstream, key, clock):
    edge = await make_edge(limits=few(user_bytes=Rate(per_second=100, burst=1000)))
    assert (await call(edge, token=key.token(), body=json.dumps({"q": "x" * 1500}).encode())).status == 200
    assert (await call(edge, token=key.token())).status == 429
    assert (await call(edge, token=key.token(sub=OTHER_USER))).status == 200
    clock.now += 10
    assert (await call(edge, token=key.token())).status == 200


async def test_who_belongs_where_is_asked_once_a_minute_for_a_session_and_by_one_call_for_many_R92(edge, upstream, key, clock):
    def asked() -> int:
        return sum(sent.path.endswith("/whoami") for sent in upstream.calls)

    upstream.answers["/rest/v1/rpc/whoami"].before = lambda: asyncio.sleep(0.02)
    await asyncio.gather(*(search(edge, key.token()) for _ in range(5)))
    assert asked() == 1
    clock.now += 59
    await search(edge, key.token())
    assert asked() == 1
    clock.now += 1
    await search(edge, key.token())
    await search(edge, key.token(session_id=SESSIONS[OTHER_USER]))
    assert asked() == 3, "another session may see other organizations"


async def test_without_an_answer_about_memberships_the_request_is_refused_F09(edge, upstream, key):
    upstream.answers["/rest/v1/rpc/whoami"] = Answer(503, b"<html>", {"content-type": "text/html"})
    assert_error(await search(edge, key.token()), 502, "upstream_error")
    upstream.answers["/rest/v1/rpc/whoami"] = Answer(body=b"[]")
    assert_error(await search(edge, key.token()), 502, "upstream_error")
    assert all(not sent.path.endswith("search_documents") for sent in upstream.calls)


def test_of_two_organizations_of_one_slug_no_guess_is_made_R92():
    rows = [{"id": ORG, "slug": "twin"}, {"id": OTHER_ORG, "slug": "twin"}]
    assert organization_ids({"organizations": rows}) == {ORG: ORG, OTHER_ORG: OTHER_ORG}


async def test_metrics_tell_organizations_apart_up_to_a_bound_and_count_made_up_ones_F77(make_edge, upstream, key):
    edge = await make_edge(limits=few(metric_organizations=2))
    orgs = [f"2b1e0d52-7c1f-4a0e-9a53-{n:012d}" for n in range(4)]
    answer = {"organizations": [{"id": org, "slug": f"s{n}"} for n, org in enumerate(orgs)]}
    upstream.answers["/rest/v1/rpc/whoami"] = Answer(body=json.dumps(answer).encode())
    for org in [*orgs, *orgs, OTHER_ORG]:
        await search(edge, key.token(), org)
    upstream.answers[SEARCH] = Answer(403, b'{"code":"42501","message":"you may not"}')
    await search(edge, key.token(), orgs[0])
    text = generate_latest(edge.metrics.registry).decode()
    assert f'ringfence_edge_organization_requests_total{{org="{orgs[0]}",outcome="ok"}} 2.0' in text
    assert f'ringfence_edge_organization_requests_total{{org="{orgs[0]}",outcome="denied"}} 1.0' in text
    assert 'ringfence_edge_organization_requests_total{org="other",outcome="ok"} 4.0' in text
    assert "ringfence_edge_foreign_organization_named_total 1.0" in text
    assert orgs[2] not in text and OTHER_ORG not in text
