"""Rates: per user and per address, with the time to wait."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from edge_proxy.limits import Limits, Rate
from tests.proxy.doubles import Answer
from tests.proxy.support import NOW, OTHER_USER, Got, assert_error, call

pytestmark = pytest.mark.anyio


WHOAMI = "/rest/v1/rpc/whoami"


def few(**changes: Any) -> Limits:
    return replace(Limits(), **changes)


async def test_a_user_who_asks_too_fast_is_told_when_to_come_back_R92(make_edge, upstream, key, clock):
    edge = await make_edge(limits=few(user_rate=Rate(per_second=0.5, burst=3)))
    token = key.token()
    assert [(await call(edge, token=token)).status for _ in range(3)] == [200] * 3
    refused = await call(edge, token=token)
    assert_error(refused, 429, "rate_limited")
    assert refused.header("retry-after") == "2"
    assert len(upstream.function_calls) == 3
    assert (await call(edge, token=key.token(sub=OTHER_USER))).status == 200, "another user is not held back"
    clock.now = NOW + 2
    assert (await call(edge, token=token)).status == 200
    assert (await call(edge, token=token)).status == 429


async def test_parallel_requests_of_one_user_get_exactly_the_burst_through_R92(make_edge, upstream, key):
    edge = await make_edge(limits=few(user_rate=Rate(per_second=1, burst=7)))
    answers = await asyncio.gather(*(call(edge, token=key.token()) for _ in range(50)))
    assert sorted(got.status for got in answers) == [200] * 7 + [429] * 43
    assert len(upstream.function_calls) == 7


async def test_an_address_that_tries_tokens_is_slowed_before_they_are_checked_R92(make_edge, upstream, key):
    edge = await make_edge(limits=few(address_rate=Rate(per_second=1, burst=2)))
    bad = key.token(role="anon")
    statuses = [(await call(edge, token=bad)).status for _ in range(3)]
    assert statuses == [401, 401, 429]
    assert (await call(edge, token=key.token(), address="192.0.2.2")).status == 200


async def test_sign_in_attempts_of_an_address_are_slowed_R92(make_edge, upstream):
    edge = await make_edge(limits=few(auth_rate=Rate(per_second=1, burst=2)))
    tries = [await call(edge, "/auth/v1/token", query="grant_type=password", body=b'{"email":"a"}') for _ in range(3)]
    assert [got.status for got in tries] == [200, 200, 429]
    assert tries[-1].header("retry-after") == "1"
    assert len(upstream.calls) == 2
    assert (await call(edge, "/auth/v1/settings", method="GET", body=b"")).status == 200, "reading is not trying"


async def test_more_requests_at_once_than_the_edge_can_hold_are_turned_away_R92(make_edge, upstream, key):
    edge = await make_edge(limits=few(in_flight=2))
    upstream.answers["/rest/v1/rpc/whoami"] = Answer(before=lambda: asyncio.sleep(0.05))
    answers = await asyncio.gather(*(call(edge, token=key.token()) for _ in range(4)))
    assert sorted(got.status for got in answers) == [200, 200, 503, 503]
    assert_error(next(got for got in answers if got.status == 503), 503, "overloaded")
    assert (await call(edge, token=key.token())).status == 200


async def test_the_memory_of_the_limiter_is_bounded_R92(make_edge, key):
    edge = await make_edge(limits=few(buckets=5))
    for number in range(20):
        await call(edge, address=f"10.0.0.{number}")
    assert len(edge.admission.limiter.kinds["address"]) == 5


def held_up(upstream: Any, path: str = WHOAMI) -> asyncio.Event:
    """Make upstream hold the answers of a path back until the event is set."""
    let_go = asyncio.Event()

    async def hold() -> None:
        await let_go.wait()

    upstream.answers[path] = Answer(before=hold)
    return let_go


@contextlib.asynccontextmanager
async def being_served(upstream: Any, *requests: Any) -> AsyncIterator[list[asyncio.Task[Got]]]:
    """Hold the requests in flight for the block; after it all of them have been answered."""
    let_go, before = held_up(upstream), len(upstream.function_calls)
    tasks = [asyncio.ensure_future(request) for request in requests]
    async with asyncio.timeout(2):
        while len(upstream.function_calls) < before + len(tasks):
            await asyncio.sleep(0.005)
    try:
        yield tasks
    finally:
        let_go.set()
        await asyncio.gather(*tasks)
        upstream.answers[WHOAMI] = Answer()


async def test_one_person_cannot_take_all_places_R92(make_edge, upstream, key):
    edge = await make_edge(limits=few(user_in_flight=2))
    token, other, search = key.token(), key.token(sub=OTHER_USER), "/rest/v1/rpc/search_documents"
    await call(edge, token=token)
    async with being_served(upstream, *(call(edge, token=token) for _ in range(2))) as held:
        refused = await call(edge, search, token=token)
        assert_error(refused, 429, "rate_limited")
        assert refused.header("retry-after") == "1"
        assert (await call(edge, search, token=other)).status == 200, "another person is not held back"
    assert [task.result().status for task in held] == [200, 200]
    assert (await call(edge, token=token)).status == 200, "the places are given back"
    assert not edge.admission._user_places._taken and not edge.admission._address_places._taken


async def test_one_address_cannot_take_all_places_R92(make_edge, upstream, key):
    edge = await make_edge(limits=few(address_in_flight=2))
    here, there = "2001:db8:1:2::1", "2001:db8:1:3::1"
    await call(edge, token=key.token())
    async with being_served(upstream, *(call(edge, token=key.token(), address=here) for _ in range(2))):
        assert_error(await call(edge, "/auth/v1/signup", address="2001:db8:1:2:ffff::9"), 429, "rate_limited")
        assert (await call(edge, "/auth/v1/signup", address=there)).status == 200
    assert (await call(edge, "/auth/v1/signup", address=here)).status == 200


async def test_health_is_answered_when_every_place_is_taken_R92(make_edge, upstream, key):
    edge = await make_edge(limits=few(in_flight=1, address_in_flight=1))
    await call(edge, token=key.token())
    async with being_served(upstream, call(edge, token=key.token())):
        assert_error(await call(edge, "/auth/v1/settings", method="GET", body=b""), 503, "overloaded")
        for path in ("/healthz", "/readyz"):
            assert (await call(edge, path, method="GET", headers=[], body=b"")).status == 200
    assert (await call(edge, token=key.token())).status == 200


async def test_one_person_has_few_calls_in_the_database_and_the_rest_wait_in_line_R92(make_edge, upstream, key):
    edge = await make_edge(limits=few(user_database_calls=2, database_wait_seconds=0.1))
    token, other = key.token(), key.token(sub=OTHER_USER)
    await call(edge, token=token)
    async with being_served(upstream, *(call(edge, token=token) for _ in range(2))):
        async with asyncio.timeout(1):
            refused = await call(edge, "/rest/v1/rpc/search_documents", token=token)
        assert_error(refused, 429, "rate_limited")
        assert refused.header("retry-after") == "1"
        assert (await call(edge, "/rest/v1/rpc/search_documents", token=other)).status == 200
        assert len(upstream.function_calls) == 4
    upstream.answers[WHOAMI] = Answer(before=lambda: asyncio.sleep(0.02))
    assert {got.status for got in await asyncio.gather(*(call(edge, token=token) for _ in range(6)))} == {200}
    assert edge._forwarder._lines._free == {}


async def guess(edge: Any, body: object, **more: Any) -> Got:
    return await call(edge, "/auth/v1/token", query="grant_type=password", body=json.dumps(body).encode(), **more)


async def test_passwords_of_one_account_cannot_be_guessed_at_speed_from_anywhere_R92(make_edge, upstream, clock):
    edge = await make_edge(limits=few(password_rate=Rate(per_second=0.5, burst=3)))
    upstream.answers["/auth/v1/token"] = Answer(400, b'{"code":"invalid_credentials"}')
    spellings = [{"email": "owner@acme.test"}, {"Email": "OWNER@acme.test "}, {"EMAIL": "owner@acme.test", "phone": ""}]
    for number, body in enumerate(spellings):
        assert (await guess(edge, body, address=f"192.0.2.{number}")).status == 400
    refused = await guess(edge, {"email": "owner@ACME.test", "phone": None}, address="198.51.100.1")
    assert_error(refused, 429, "rate_limited")
    assert refused.header("retry-after") == "2"
    assert len(upstream.calls) == 3
    assert (await guess(edge, {"email": "member@acme.test"})).status == 400, "another account is not held back"
    assert (await guess(edge, {"phone": "123"})).status == 400
    refresh = await call(edge, "/auth/v1/token", query="grant_type=refresh_token", body=b'{"email":"owner@acme.test"}')
    assert refresh.status == 400, "only passwords are guessed"
    clock.now = NOW + 2
    assert [(await guess(edge, spellings[0])).status for _ in range(2)] == [400, 429]


async def test_right_passwords_are_not_counted_R92(make_edge, upstream):
    edge = await make_edge(limits=few(password_rate=Rate(per_second=0.1, burst=2)))
    assert [(await guess(edge, {"email": "a@b.test"})).status for _ in range(9)] == [200] * 9
    upstream.answers["/auth/v1/token"] = Answer(400)
    assert [(await guess(edge, {"email": "a@b.test"})).status for _ in range(3)] == [400, 400, 429]


async def test_a_sign_in_with_two_accounts_is_refused_R92(edge, upstream):
    for body in ({"email": "a@b.test", "Email": "c@d.test"}, {"email": "a@b.test", "phone": "123"}):
        assert_error(await guess(edge, body), 400, "bad_body")
    assert upstream.calls == []


@pytest.mark.parametrize(("address", "network"), [
    ("192.0.2.1", "192.0.2.1"),
    ("::ffff:192.0.2.1", "192.0.2.1"),
    ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
    ("2001:DB8:1:2:ffff::", "2001:db8:1:2::/64"),
    ("2001:db8:1:3::4", "2001:db8:1:3::/64"),
    ("fe80::1%eth0", "fe80::/64"),
    ("unknown", "unknown"),
    ("no:address", "no:address"),
])  # fmt: skip
async def test_an_ipv6_address_counts_as_its_network_R92(make_edge, address, network):
    edge = await make_edge(limits=few(address_rate=Rate(per_second=1, burst=1)))
    await call(edge, address=address)
    assert list(edge.admission.limiter.kinds["address"]) == [network]
