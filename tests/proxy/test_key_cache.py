"""For how long a key set is believed, how rarely it is fetched, and what a verdict is worth."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from edge_proxy import tokens
from tests.proxy.doubles import Answer
from tests.proxy.support import NOW, SigningKey, assert_error, call, jwks

pytestmark = pytest.mark.anyio

JWKS = "/auth/v1/.well-known/jwks.json"


@pytest.fixture
async def anyone(edge, key, upstream, clock):
    """Return a function that sends a call `after` seconds with a token that is good at that moment."""

    async def send(signer: SigningKey = key, *, after: float = 0.0, **claims: object):
        clock.now += after
        return await call(edge, token=signer.token(iat=int(clock.now), exp=int(clock.now) + 3600, **claims))

    return send


async def test_unknown_kids_cause_at_most_one_fetch_in_thirty_seconds_R76(edge, upstream, key, clock):
    for number in range(1000):
        clock.now = NOW + 60 * number / 1000
        got = await call(edge, token=key.token(header={"kid": f"random-{number}"}), address=f"10.0.{number % 250}.1")
        assert got.status == 401
    assert upstream.key_fetches <= 3


async def test_many_requests_at_once_share_one_fetch_R76(edge, upstream, key, clock):
    clock.now += 31
    fetches = upstream.key_fetches
    token = key.token(header={"kid": "not-there"})
    answers = await asyncio.gather(*(call(edge, token=token) for _ in range(20)))
    assert {got.status for got in answers} == {401}
    assert upstream.key_fetches == fetches + 1


async def test_a_set_is_fetched_again_after_its_time_and_not_before_R76(edge, upstream, anyone, limits):
    assert limits.jwks_ttl_seconds <= 600
    fetches = upstream.key_fetches
    assert (await anyone(after=limits.jwks_ttl_seconds - 1)).status == 200
    assert upstream.key_fetches == fetches
    assert (await anyone(after=2)).status == 200
    assert upstream.key_fetches == fetches + 1


async def test_a_standby_key_is_accepted_within_thirty_seconds_and_beside_the_old_one_R77(
    upstream, key, other_key, anyone
):
    assert (await anyone(other_key)).status == 401
    upstream.set_keys(key.jwk(), other_key.jwk())
    assert (await anyone(other_key, after=30)).status == 200
    assert (await anyone(key)).status == 200


async def test_a_revoked_key_is_refused_within_the_time_of_a_set_R77_R80(upstream, key, other_key, anyone, limits):
    assert (await anyone(key)).status == 200
    upstream.set_keys(other_key.jwk())
    assert_error(await anyone(key, after=limits.jwks_ttl_seconds), 401, "invalid_token")


async def test_a_purge_refuses_a_revoked_key_at_once_R77_R80(edge, upstream, key, other_key):
    token = key.token()
    assert (await call(edge, token=token)).status == 200
    upstream.set_keys(other_key.jwk())
    assert (await call(edge, token=token)).status == 200
    edge.keys.purge()
    assert_error(await call(edge, token=token), 401, "invalid_token")


async def test_a_purge_during_a_fetch_wins_over_what_the_fetch_brings_R77(edge, upstream, key, other_key, clock):
    clock.now += 400
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        asked.set()
        await go_on.wait()

    upstream.answers[JWKS] = Answer(body=jwks(key.jwk()), before=slow)
    waiting = asyncio.create_task(call(edge, token=key.token()))
    await asked.wait()
    edge.keys.purge()
    upstream.set_keys(other_key.jwk())
    assert (await call(edge, token=other_key.token())).status == 200, "the next request does not wait for the old fetch"
    go_on.set()
    assert_error(await waiting, 401, "invalid_token")
    assert_error(await call(edge, token=key.token()), 401, "invalid_token")


async def test_a_request_that_waits_while_keys_are_purged_is_served_with_the_new_ones_R77(edge, upstream, key, other_key, clock, limits):
    clock.now += limits.jwks_ttl_seconds
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        asked.set()
        await go_on.wait()

    upstream.answers[JWKS] = Answer(body=jwks(key.jwk()), before=slow)
    waiting = asyncio.create_task(call(edge, token=other_key.token()))
    await asked.wait()
    edge.keys.purge()
    upstream.set_keys(other_key.jwk())
    go_on.set()
    assert (await waiting).status == 200


async def test_a_verdict_is_dropped_when_the_same_kid_becomes_another_key_R80(
    edge, upstream, key, other_key, clock, limits
):
    token = key.token()
    assert (await call(edge, token=token)).status == 200
    upstream.set_keys({**other_key.jwk(), "kid": key.kid})
    clock.now += limits.jwks_ttl_seconds
    assert_error(await call(edge, token=token), 401, "invalid_token")


@pytest.fixture
def checks(monkeypatch) -> list[bytes]:
    """The signatures that were really checked, in order."""
    seen: list[bytes] = []
    real = tokens.check_signature

    def counted(jws, key):
        seen.append(jws.signature)
        real(jws, key)

    monkeypatch.setattr("edge_proxy.tokens.check_signature", counted)
    return seen


async def test_a_verdict_saves_the_second_verification_and_ends_with_the_token_R80(edge, key, clock, checks):
    token = key.token()
    for _ in range(3):
        assert (await call(edge, token=token)).status == 200
    assert len(checks) == 1
    clock.now = NOW + 3600
    assert (await call(edge, token=token)).status == 200, "within the leeway"
    assert len(checks) == 2, "but checked again"
    clock.now = NOW + 3600 + 30
    assert_error(await call(edge, token=token), 401, "expired_token")


async def test_the_verdict_cache_is_bounded_and_forgets_the_longest_unused_R80(make_edge, key, config, checks):
    edge = await make_edge(limits=replace(config.limits, verdicts=2))
    first, second, third = (key.token(n=number) for number in range(3))
    for token in (first, second, first, third):
        assert (await call(edge, token=token)).status == 200
    assert len(checks) == 3
    assert (await call(edge, token=first)).status == 200
    assert len(checks) == 3, "still known"
    assert (await call(edge, token=second)).status == 200
    assert len(checks) == 4, "forgotten"


def failures(url: str, good: bytes) -> dict[str, Answer]:
    async def hang() -> None:
        await asyncio.sleep(5)

    return {
        "500": Answer(500, good),
        "206": Answer(206, good),
        "html": Answer(body=b"<html>"),
        "no key": Answer(body=jwks()),
        "only symmetric keys": Answer(body=jwks({"kty": "oct", "k": "c2VjcmV0", "kid": "live-key"})),
        "keys is no list": Answer(body=b'{"keys":{}}'),
        "duplicate member": Answer(body=b'{"keys":[],"keys":[]}'),
        "empty": Answer(body=b""),
        "too large": Answer(body=good[:-1] + b',"x":"' + b"x" * 65_536 + b'"}'),
        "redirect": Answer(302, good, headers={"location": f"{url}/elsewhere"}),
        "hanging": Answer(before=hang),
    }


@pytest.mark.parametrize("kind", sorted(failures("", b"")))
async def test_a_failing_fetch_keeps_the_last_good_set_to_its_bound_then_503_R78_R79(
    make_edge, upstream, key, clock, config, kind
):
    limits = replace(config.limits, jwks_fetch_seconds=0.05)
    edge = await make_edge(limits=limits)
    upstream.answers[JWKS] = failures(upstream.url, jwks(key.jwk()))[kind]
    clock.now += limits.jwks_max_age_seconds - 1
    assert (await call(edge, token=key.token())).status == 200
    assert upstream.key_fetches == 2
    calls = len(upstream.calls)
    clock.now += 40
    assert_error(await call(edge, token=key.token()), 503, "keys_unavailable")
    assert len(upstream.calls) == calls, "neither the function nor a redirect's target was called"
    upstream.set_keys(key.jwk())
    clock.now += limits.jwks_first_seconds
    assert (await call(edge, token=key.token())).status == 200


async def test_an_edge_that_starts_before_the_keys_are_there_recovers_R78(make_edge, upstream, key, clock):
    upstream.answers[JWKS] = Answer(503)
    edge = await make_edge()
    assert_error(await call(edge, token=key.token()), 503, "keys_unavailable")
    upstream.set_keys(key.jwk())
    clock.now += 1
    assert (await call(edge, token=key.token())).status == 200


async def test_a_client_that_hangs_up_does_not_end_the_fetch_of_the_others_R76(edge, upstream, key, clock):
    clock.now += 400
    waiting = asyncio.Event()

    async def slow() -> None:
        waiting.set()
        await asyncio.sleep(0.05)

    upstream.answers[JWKS] = Answer(body=jwks(key.jwk()), before=slow)
    first = asyncio.create_task(call(edge, token=key.token()))
    await waiting.wait()
    second = asyncio.create_task(call(edge, token=key.token()))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).status == 200
    assert upstream.key_fetches == 2
    with pytest.raises(asyncio.CancelledError):
        await first
