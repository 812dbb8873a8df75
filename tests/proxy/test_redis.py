"""The counters of several edges in one real Redis: exact together, by Redis's clock, and closed when it is not there (R92, F74)."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from edge_proxy.buckets import MemoryBuckets
from edge_proxy.errors import TooMany
from edge_proxy.limiter import Charge
from edge_proxy.limits import Limits, Rate
from edge_proxy.redis_limiter import RedisBuckets
from tests.proxy.redis_server import RedisServer
from tests.proxy.support import ORG, USER, assert_error, call

pytestmark = pytest.mark.anyio

SEARCH = "/rest/v1/rpc/search_documents"
SLOW = Rate(per_second=0.01, burst=7)


@pytest.fixture(scope="module")
def _server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def redis(_server: RedisServer) -> Any:
    """The server with nothing in it, and a client to look inside."""
    from redis import asyncio as client

    async with client.Redis.from_url(_server.url) as inside:
        await inside.flushall()
        yield _server.url, inside


@pytest.fixture
async def pair(make_edge, redis):
    """Two edges that share their counters."""
    # What is counted is tested here, not how soon: a busy machine may take a second to connect, and no counter is forgotten meanwhile.
    slowly = {name: replace(getattr(Limits(), name), per_second=0.01) for name in ("address_rate", "user_bytes", "organization_bytes")}
    limits = replace(Limits(), user_rate=SLOW, organization_rate=Rate(0.01, 11), redis_seconds=10.0, **slowly)
    return [await make_edge(redis_url=redis[0], limits=limits) for _ in range(2)]


async def test_fifty_parallel_requests_over_two_edges_get_exactly_the_burst_through_R92_F74(pair, upstream, key):
    answers = await asyncio.gather(*(call(pair[n % 2], token=key.token()) for n in range(50)))
    assert sorted(got.status for got in answers) == [200] * 7 + [429] * 43
    refused = next(got for got in answers if got.status == 429)
    assert_error(refused, 429, "rate_limited")
    assert refused.header("retry-after") == "100"
    assert len(upstream.function_calls) == 7


async def test_an_organizations_rate_is_shared_by_its_members_at_both_edges_R92_F74(pair, upstream, key):
    tokens = [key.token(sub=f"0f8fad5b-d9cb-469f-a165-{n:012d}", session_id=f"7c9e6679-7425-40de-944b-{n:012d}") for n in range(10)]
    body = json.dumps({"org_id": ORG}).encode()
    answers = await asyncio.gather(*(call(pair[n % 2], SEARCH, token=tokens[n % 10], body=body) for n in range(40)))
    assert sorted(got.status for got in answers) == [200] * 11 + [429] * 29


async def test_redis_holds_no_id_and_no_address_and_forgets_by_itself_R92_R59(pair, redis, key):
    await call(pair[0], SEARCH, token=key.token(), body=json.dumps({"org_id": ORG}).encode(), address="198.51.100.7")
    keys = [name.decode() for name in await redis[1].keys()]
    assert {name.split(":")[2] for name in keys} == {"address", "user", "user_bytes", "organization", "organization_bytes"}
    for private in (USER, ORG, "198.51.100.7"):
        assert not any(private in name for name in keys)
    for name in keys:
        assert 0 < await redis[1].pttl(name) <= 101_000


async def test_without_redis_every_request_is_refused_and_with_it_again_served_R92_F09(make_edge, upstream, key):
    server = RedisServer()
    server.start()
    try:
        edge = await make_edge(redis_url=server.url)
        assert (await call(edge, token=key.token())).status == 200
        server.stop()
        for _ in range(3):
            refused = await call(edge, token=key.token())
            assert_error(refused, 503, "limiter_unavailable")
            assert refused.header("retry-after") == "1"
        assert (await call(edge, "/healthz", method="GET", headers=[], body=b"")).status == 200
        assert (await call(edge, "/readyz", method="GET", headers=[], body=b"")).json["missing"] == "counters"
        assert len(upstream.function_calls) == 1
        server.start()
        assert (await call(edge, token=key.token())).status == 200
    finally:
        server.stop()


async def test_a_redis_that_hangs_is_a_refusal_in_time_R92_F09(make_edge, upstream, key):
    server = RedisServer()
    server.start()
    try:
        edge = await make_edge(redis_url=server.url, limits=replace(Limits(), redis_seconds=0.5))
        assert (await call(edge, token=key.token())).status == 200
        server.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        assert_error(await call(edge, token=key.token()), 503, "limiter_unavailable")
        assert 0.3 < time.monotonic() - began < 3
        server.process.send_signal(signal.SIGCONT)
        assert (await call(edge, token=key.token())).status == 200
    finally:
        server.stop()


@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_both_limiters_do_the_same_R92_F74(redis, kind):
    limiter: Any = RedisBuckets(redis[0], seconds=1, connections=4) if kind == "redis" else MemoryBuckets(100, time.monotonic)
    small, large = Rate(0.1, 2), Rate(0.1, 5)
    await limiter.spend(Charge("a", "k", small), Charge("b", "k", large))
    await limiter.spend(Charge("a", "k", small), Charge("b", "k", large))
    with pytest.raises(TooMany) as refused:
        await limiter.spend(Charge("a", "k", small), Charge("b", "k", large))
    assert (refused.value.reason, refused.value.retry_after_s) == ("a", 10)
    for _ in range(3):
        await limiter.spend(Charge("b", "k", large))  # the refused request took nothing of it
    with pytest.raises(TooMany):
        await limiter.spend(Charge("b", "k", large))
    await limiter.refund(Charge("a", "k", small))
    await limiter.refund(Charge("a", "nobody", small))
    await limiter.spend(Charge("a", "k", small))
    with pytest.raises(TooMany) as refused:
        await limiter.spend(Charge("c", "k", small, owed=100))
    assert refused.value.retry_after_s == 50, "a debt is at most two buckets"
    await limiter.spend(Charge("d", "k", small, cost=99))  # more than a bucket costs a full one
    await limiter.check()
    await limiter.close()


async def test_a_token_comes_back_by_the_clock_of_redis_R92(redis):
    limiter = RedisBuckets(redis[0], seconds=1, connections=4)
    fast = Rate(20, 1)
    await limiter.spend(Charge("a", "k", fast))
    with pytest.raises(TooMany):
        await limiter.spend(Charge("a", "k", fast))
    await asyncio.sleep(0.06)
    await limiter.spend(Charge("a", "k", fast))
    await limiter.close()
