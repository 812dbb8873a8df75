"""Tokens that are not exactly right: each is 401, and nothing behind the edge hears of it."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.proxy.support import (
    OTHER_USER,
    SESSION,
    USER,
    Clock,
    SigningKey,
    assert_error,
    assert_refused,
    b64,
    call,
    claims,
)

pytestmark = pytest.mark.anyio

PAYLOAD = json.dumps(claims()).encode()


async def test_the_good_token_of_these_tests_is_accepted(edge, upstream, key):
    assert (await call(edge, token=key.token())).status == 200
    assert len(upstream.function_calls) == 1


@pytest.mark.parametrize("alg", ["none", "nOnE", "HS256", "RS256", "ES384", "es256", "", None, ["ES256"], ..., 1, {}])
async def test_any_alg_but_the_configured_one_is_refused_R60_F01(edge, upstream, key, alg):
    await assert_refused(edge, upstream, key.compact(key.header(alg=alg), PAYLOAD))


async def test_an_unsigned_token_is_refused_R60(edge, upstream, key):
    await assert_refused(edge, upstream, f"{b64(key.header(alg='none'))}.{b64(PAYLOAD)}.")


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
async def test_hs256_keyed_with_the_public_key_is_refused_R61(edge, upstream, key, encoding):
    public = key.private.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    text = f"{b64(key.header(alg='HS256'))}.{b64(PAYLOAD)}"
    await assert_refused(edge, upstream, f"{text}.{b64(hmac.digest(public, text.encode(), hashlib.sha256))}")


@pytest.mark.parametrize(
    "kid",
    [
        ...,
        None,
        "",
        7,
        ["live-key"],
        "unknown",
        "../live-key",
        "live-key' or 1=1",
        "k" * 65,
        "k" * 10_000,
        "lіve-key",
        "live-key\n",
        "live key",
    ],
)
async def test_a_kid_that_is_absent_odd_or_unknown_is_refused_R64(edge, upstream, key, kid):
    await assert_refused(edge, upstream, key.compact(key.header(kid=kid), PAYLOAD))


@pytest.mark.parametrize(
    "extra",
    [
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
        {"jwk": {"kty": "EC"}},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
        {"cty": "JWT"},
    ],
)
async def test_a_header_member_that_could_redirect_the_check_is_refused_and_fetches_nothing_R65(
    edge, upstream, key, extra
):
    fetches = upstream.key_fetches
    await assert_refused(edge, upstream, key.compact(key.header(**extra), PAYLOAD))
    assert upstream.key_fetches == fetches


@pytest.mark.parametrize("member", [{"alg": "none"}, {"kid": "../x"}, {"crit": ["exp"]}, {"typ": "x"}])
async def test_a_bad_header_beside_an_unknown_kid_fetches_nothing_R65_R76(edge, upstream, key, clock, member):
    clock.now += 31
    assert_error(await call(edge, token=key.token(header={"kid": "unknown", **member})), 401, "invalid_token")
    assert upstream.key_fetches == 1
    assert_error(await call(edge, token=key.token(header={"kid": "unknown"})), 401, "invalid_token")
    assert upstream.key_fetches == 2, "the allowed twin: an unknown kid alone is worth one fetch"


async def test_a_token_carrying_its_own_key_is_refused_R65(edge, upstream, key, other_key):
    await assert_refused(edge, upstream, other_key.compact(key.header(jwk=other_key.jwk()), PAYLOAD))


def shapes(key: SigningKey) -> dict[str, str]:
    good = key.token()
    head, payload, signature = good.split(".")
    return {
        "jwe with five parts": f"{good}.a.b",
        "two parts": f"{head}.{payload}",
        "four parts": f"{good}.",
        "detached payload": f"{head}..{signature}",
        "padded header": f"{b64(key.header() + b' ')}=.{payload}.{signature}",
        "padded signature": f"{head}.{payload}.{signature}==",
        "standard alphabet": good.replace("-", "+").replace("_", "/") if set("-_") & set(good) else good + "+",
        "duplicate header member": key.compact(b'{"alg":"none","alg":"ES256","kid":"%s"}' % key.kid.encode(), PAYLOAD),
        "duplicate claim": key.compact(key.header(), b'{"role":"service_role",' + PAYLOAD[1:]),
        "header not UTF-8": key.compact(key.header()[:-1] + b',"x":"\xff"}', PAYLOAD),
        "claims not UTF-8": key.compact(key.header(), PAYLOAD[:-1] + b',"x":"\xff"}'),
        "claims in UTF-16": key.compact(key.header(), PAYLOAD.decode().encode("utf-16")),
        "claims with a byte order mark": key.compact(key.header(), b"\xef\xbb\xbf" + PAYLOAD),
        "claims are a list": key.compact(key.header(), b"[" + PAYLOAD + b"]"),
        "claims are a string": key.compact(key.header(), b'"x"'),
        "header is a list": key.compact(b"[]", PAYLOAD),
        "claims with NaN": key.compact(key.header(), PAYLOAD[:-1] + b',"x":NaN}'),
        "nested token": key.compact(key.header(), good.encode()),
        "longer than allowed": key.token(padding="x" * 9000),
        "deep claims": key.compact(key.header(), PAYLOAD[:-1] + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    }


@pytest.mark.parametrize("shape", sorted(shapes(SigningKey.generate("k"))))
async def test_only_compact_jws_in_its_one_spelling_is_read_R66(edge, upstream, key, shape):
    await assert_refused(edge, upstream, shapes(key)[shape])


async def test_a_json_serialised_token_is_refused_R66(edge, upstream, key):
    head, payload, signature = key.token().split(".")
    flattened = json.dumps({"protected": head, "payload": payload, "signature": signature})
    assert_error(await call(edge, headers=[("authorization", f"Bearer {flattened}")]), 401, "invalid_token")
    assert upstream.calls == []


async def test_no_other_spelling_of_the_signatures_last_character_is_accepted_R66_R73(edge, upstream, key):
    good = key.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for letter in set(alphabet) - {good[-1]}:
        await assert_refused(edge, upstream, good[:-1] + letter)


async def test_a_token_with_one_changed_byte_is_refused_R73(edge, upstream, key):
    good = key.token()
    for position in range(0, len(good), 7):
        letter = "A" if good[position] != "A" else "B"
        await assert_refused(edge, upstream, good[:position] + letter + good[position + 1 :])
    assert (await call(edge, token=good)).status == 200


async def test_no_token_is_401_and_never_an_anonymous_call_R73_F09(edge, upstream):
    assert_error(await call(edge), 401, "missing_token")
    assert upstream.calls == []


async def test_the_publishable_key_as_a_token_is_refused_on_a_function_R73(edge, upstream, config):
    await assert_refused(edge, upstream, config.publishable_key)


async def test_a_forged_token_with_the_live_kid_and_alg_is_refused_R81_F01(edge, upstream, key, other_key):
    await assert_refused(edge, upstream, SigningKey(key.kid, other_key.private).token())


async def test_ids_reach_nobody_in_another_spelling_R71(edge, agent, key):
    await call(edge, "/v1/models", method="GET", token=key.token(sub=USER.upper(), session_id=SESSION.upper()))
    identity = agent.scopes[0]["ringfence.identity"]
    assert (identity["user_id"], identity["session_id"]) == (USER, SESSION)


async def test_an_unforeseen_failure_while_checking_denies_F09_R90(edge, upstream, key, monkeypatch):
    monkeypatch.setattr("edge_proxy.tokens.check_signature", lambda *_: 1 / 0)
    assert_error(await call(edge, token=key.token()), 500, "internal_error")
    assert upstream.calls == []


async def test_a_failing_rate_limiter_denies_F09(edge, upstream, key, monkeypatch):
    monkeypatch.setattr("edge_proxy.buckets.MemoryBuckets.spend", lambda *_: 1 / 0)
    assert_error(await call(edge, token=key.token()), 500, "internal_error")
    assert upstream.calls == []


async def test_one_persons_verdict_is_not_anothers(edge, upstream, key):
    first, second = key.token(), key.token(sub=OTHER_USER)
    for token in (first, second, first, second):
        assert (await call(edge, token=token)).status == 200
    assert [sent.names["authorization"] for sent in upstream.function_calls] == [
        f"Bearer {token}" for token in (first, second, first, second)
    ]


async def test_a_good_request_after_a_refused_one_on_the_same_edge_is_served(edge, upstream, key):
    await assert_refused(edge, upstream, key.token(role="service_role"))
    assert (await call(edge, token=key.token())).status == 200


def test_the_fake_clock_is_the_time_of_the_tokens():
    assert Clock().now == claims()["iat"]
