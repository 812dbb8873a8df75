"""Rates: per user and per address, with the time to wait."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from edge_proxy.limits import Limits, Rate
from tests.proxy.doubles import Answer
from tests.proxy.support import NOW, OTHER_USER, assert_error, call

pytestmark = pytest.mark.anyio


def few(**changes: Rate) -> Limits:
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
    assert len(edge._addresses._levels) == 5
