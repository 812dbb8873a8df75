"""Tokens that are not exactly right: each is 401, and nothing behind the edge hears of it."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge_proxy.app import Edge
from tests.proxy.support import NOW, SESSION, USER, Clock, RecordingUpstream, SigningKey, assert_error, b64, call, claims

pytestmark = pytest.mark.anyio

PAYLOAD = json.dumps(claims()).encode()


async def refused(edge: Edge, upstream: RecordingUpstream, token: str, code: str = "invalid_token") -> None:
    """Assert that the token is a 401 without one call upstream."""
    assert_error(await call(edge, token=token), 401, code)
    assert upstream.calls == []


def header(key: SigningKey, **changes: object) -> bytes:
    head = {"alg": "ES256", "kid": key.kid, "typ": "JWT", **changes}
    return json.dumps({name: value for name, value in head.items() if value is not ...}).encode()


async def test_the_good_token_of_these_tests_is_accepted(edge, upstream, key):
    assert (await call(edge, token=key.token())).status == 200
    assert len(upstream.function_calls) == 1


@pytest.mark.parametrize("alg", ["none", "nOnE", "HS256", "RS256", "ES384", "es256", "", None, ["ES256"], ..., 1, {}])
async def test_any_alg_but_the_configured_one_is_refused_R60_F01(edge, upstream, key, alg):
    await refused(edge, upstream, key.compact(header(key, alg=alg), PAYLOAD))


async def test_an_unsigned_token_is_refused_R60(edge, upstream, key):
    await refused(edge, upstream, f"{b64(header(key, alg='none'))}.{b64(PAYLOAD)}.")


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
async def test_hs256_keyed_with_the_public_key_is_refused_R61(edge, upstream, key, encoding):
    public = key.private.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    text = f"{b64(header(key, alg='HS256'))}.{b64(PAYLOAD)}"
    await refused(edge, upstream, f"{text}.{b64(hmac.digest(public, text.encode(), hashlib.sha256))}")


@pytest.mark.parametrize(
    "kid",
    [..., None, "", 7, ["live-key"], "unknown", "../live-key", "live-key' or 1=1", "k" * 65, "k" * 10_000, "lіve-key", "live-key\n", "live key"],
)
async def test_a_kid_that_is_absent_odd_or_unknown_is_refused_R64(edge, upstream, key, kid):
    await refused(edge, upstream, key.compact(header(key, kid=kid), PAYLOAD))


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
async def test_a_header_member_that_could_redirect_the_check_is_refused_and_fetches_nothing_R65(edge, upstream, key, extra):
    fetches = upstream.key_fetches
    await refused(edge, upstream, key.compact(header(key, **extra), PAYLOAD))
    assert upstream.key_fetches == fetches


async def test_a_token_carrying_its_own_key_is_refused_R65(edge, upstream, key, other_key):
    await refused(edge, upstream, other_key.compact(header(key, jwk=other_key.jwk()), PAYLOAD))


def shapes(key: SigningKey) -> dict[str, str]:
    good = key.token()
    head, payload, signature = good.split(".")
    return {
        "jwe with five parts": f"{good}.a.b",
        "two parts": f"{head}.{payload}",
        "four parts": f"{good}.",
        "detached payload": f"{head}..{signature}",
        "padded header": f"{b64(header(key) + b' ')}=.{payload}.{signature}",
        "padded signature": f"{head}.{payload}.{signature}==",
        "standard alphabet": good.replace("-", "+").replace("_", "/") if set("-_") & set(good) else good + "+",
        "duplicate header member": key.compact(b'{"alg":"none","alg":"ES256","kid":"%s"}' % key.kid.encode(), PAYLOAD),
        "duplicate claim": key.compact(header(key), b'{"role":"service_role",' + PAYLOAD[1:]),
        "header not UTF-8": key.compact(header(key)[:-1] + b',"x":"\xff"}', PAYLOAD),
        "claims not UTF-8": key.compact(header(key), PAYLOAD[:-1] + b',"x":"\xff"}'),
        "claims in UTF-16": key.compact(header(key), PAYLOAD.decode().encode("utf-16")),
        "claims with a byte order mark": key.compact(header(key), b"\xef\xbb\xbf" + PAYLOAD),
        "claims are a list": key.compact(header(key), b"[" + PAYLOAD + b"]"),
        "claims are a string": key.compact(header(key), b'"x"'),
        "header is a list": key.compact(b"[]", PAYLOAD),
        "claims with NaN": key.compact(header(key), PAYLOAD[:-1] + b',"x":NaN}'),
        "nested token": key.compact(header(key), good.encode()),
        "longer than allowed": key.token(padding="x" * 9000),
        "deep claims": key.compact(header(key), PAYLOAD[:-1] + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    }


@pytest.mark.parametrize("shape", sorted(shapes(SigningKey.generate("k"))))
async def test_only_compact_jws_in_its_one_spelling_is_read_R66(edge, upstream, key, shape):
    await refused(edge, upstream, shapes(key)[shape])


async def test_a_json_serialised_token_is_refused_R66(edge, upstream, key):
    head, payload, signature = key.token().split(".")
    flattened = json.dumps({"protected": head, "payload": payload, "signature": signature})
    assert_error(await call(edge, headers=[("authorization", f"Bearer {flattened}")]), 401, "invalid_token")
    assert upstream.calls == []


async def test_no_other_spelling_of_the_signatures_last_character_is_accepted_R66_R73(edge, upstream, key):
    good = key.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for letter in set(alphabet) - {good[-1]}:
        await refused(edge, upstream, good[:-1] + letter)


async def test_a_token_with_one_changed_byte_is_refused_R73(edge, upstream, key):
    good = key.token()
    for position in range(0, len(good), 7):
        letter = "A" if good[position] != "A" else "B"
        await refused(edge, upstream, good[:position] + letter + good[position + 1 :])
    assert (await call(edge, token=good)).status == 200


@pytest.mark.parametrize(
    ("at", "status"), [(3599, 200), (3600 + 29, 200), (3600 + 30, 401), (3600 + 31, 401), (10**6, 401)]
)
async def test_a_token_ends_at_exp_plus_thirty_seconds_R67(edge, upstream, key, clock, at, status):
    token = key.token()
    clock.now = NOW + at
    got = await call(edge, token=token)
    assert got.status == status
    if status == 401:
        assert_error(got, 401, "expired_token")
        assert upstream.calls == []


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [None, "", [], "*", "1800003600", True, {}])
async def test_a_time_that_is_not_a_number_is_refused_R67_F09(edge, upstream, key, name, value):
    await refused(edge, upstream, key.token(**{name: value}))


@pytest.mark.parametrize("name", ["exp", "iat"])
async def test_a_token_without_exp_or_iat_is_refused_R67(edge, upstream, key, name):
    await refused(edge, upstream, key.token(**{name: ...}))


@pytest.mark.parametrize("literal", [b"1e999", b"-1e999"])
async def test_an_infinite_time_is_refused_R67(edge, upstream, key, literal):
    payload = json.dumps(claims(exp="HERE")).encode().replace(b'"HERE"', literal)
    await refused(edge, upstream, key.compact(header(key), payload))


@pytest.mark.parametrize("name", ["iat", "nbf"])
async def test_a_token_from_the_future_is_refused_beyond_the_leeway_R67(edge, upstream, key, name):
    await refused(edge, upstream, key.token(**{name: int(NOW) + 31}))
    assert (await call(edge, token=key.token(**{name: int(NOW) + 30}))).status == 200


async def test_a_token_that_lives_longer_than_allowed_is_refused_R67(edge, upstream, key, limits):
    longest = limits.token_lifetime_seconds
    await refused(edge, upstream, key.token(exp=int(NOW) + longest + 1))
    await refused(edge, upstream, key.token(exp=int(NOW) - 1, iat=int(NOW)))
    assert (await call(edge, token=key.token(exp=int(NOW) + longest))).status == 200


WRONG = [..., None, "", [], "*", {}, 1, True]


@pytest.mark.parametrize("iss", [*WRONG, "https://project.example/auth/v1/", "https://PROJECT.example/auth/v1", "https://evil.example"])
async def test_another_issuer_is_refused_R68_F09(edge, upstream, key, iss):
    await refused(edge, upstream, key.token(iss=iss))


@pytest.mark.parametrize("aud", [*WRONG, "anon", "Authenticated", ["anon"], [["authenticated"]], ["authenticated", 1]])
async def test_a_missing_or_other_audience_is_refused_R69_F09(edge, upstream, key, aud):
    await refused(edge, upstream, key.token(aud=aud))


@pytest.mark.parametrize("aud", ["authenticated", ["authenticated"], ["other", "authenticated"]])
async def test_the_audience_may_be_a_string_or_a_list_R69(edge, key, aud):
    assert (await call(edge, token=key.token(aud=aud))).status == 200


@pytest.mark.parametrize(
    "role",
    [*WRONG, "service_role", "anon", "postgres", "supabase_admin", ["authenticated"], "Authenticated", "authenticated ", "аuthenticated"],
)
async def test_a_token_of_any_other_role_is_refused_though_the_live_key_signed_it_R70_F09(edge, upstream, key, role):
    await refused(edge, upstream, key.token(role=role))


@pytest.mark.parametrize("name", ["sub", "session_id"])
@pytest.mark.parametrize("value", [*WRONG, "x", USER + "x", "{" + USER + "}", USER.replace("-", ""), USER + "\n"])
async def test_sub_and_session_id_must_be_uuids_R71_F09(edge, upstream, key, name, value):
    await refused(edge, upstream, key.token(**{name: value}))


@pytest.mark.parametrize("kind", ["at+jwt", "JWE", "", None, ["JWT"], "ſwt", "JWT "])
async def test_another_typ_is_refused_R72(edge, upstream, key, kind):
    await refused(edge, upstream, key.compact(header(key, typ=kind), PAYLOAD))


@pytest.mark.parametrize("kind", ["JWT", "jwt", ...])
async def test_typ_may_be_jwt_in_any_case_or_absent_R72(edge, key, kind):
    assert (await call(edge, token=key.compact(header(key, typ=kind), PAYLOAD))).status == 200


async def test_an_id_token_is_refused_by_its_claims_R72(edge, upstream, key):
    identity = {"iss": claims()["iss"], "aud": "my-client", "sub": USER, "exp": NOW + 60, "iat": NOW, "nonce": "n"}
    await refused(edge, upstream, key.compact(header(key), json.dumps(identity).encode()))


async def test_no_token_is_401_and_never_an_anonymous_call_R73_F09(edge, upstream):
    assert_error(await call(edge), 401, "missing_token")
    assert upstream.calls == []


async def test_the_publishable_key_as_a_token_is_refused_on_a_function_R73(edge, upstream, config):
    await refused(edge, upstream, config.publishable_key)


def authorizations(token: str) -> dict[str, list[str]]:
    return {
        "two headers": [f"Bearer {token}", f"Bearer {token}"],
        "comma-joined": [f"Bearer {token}, Bearer {token}"],
        "basic": ["Basic dXNlcjpwYXNz"],
        "no scheme": [token],
        "dpop": [f"DPoP {token}"],
        "tab": [f"Bearer\t{token}"],
        "two spaces": [f"Bearer  {token}"],
        "trailing space": [f"Bearer {token} "],
        "trailing data": [f"Bearer {token} x"],
        "trailing comma": [f"Bearer {token},"],
        "empty": [""],
        "scheme only": ["Bearer "],
        "quoted": [f'Bearer "{token}"'],
        "a latin-1 letter": [f"Bearer {token}é"],
    }


@pytest.mark.parametrize("form", sorted(authorizations("t")))
async def test_every_odd_authorization_header_has_the_same_outcome_R74(edge, upstream, key, form):
    values = authorizations(key.token())[form]
    sent = [("content-type", "application/json"), *(("authorization", value) for value in values)]
    assert_error(await call(edge, headers=sent), 401, "invalid_token")
    assert upstream.calls == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_read_in_any_case_R74(edge, key, scheme):
    sent = [("content-type", "application/json"), ("authorization", f"{scheme} {key.token()}")]
    assert (await call(edge, headers=sent)).status == 200


@pytest.mark.parametrize("name", ["apikey", "cookie", "x-access-token", "proxy-authorization", "x-forwarded-authorization"])
async def test_a_token_anywhere_but_in_its_header_is_not_a_token_R75(edge, upstream, key, name):
    value = f"access_token={key.token()}" if name == "cookie" else f"Bearer {key.token()}"
    got = await call(edge, headers=[("content-type", "application/json"), (name, value)])
    assert_error(got, 401, "missing_token")
    assert upstream.calls == []


@pytest.mark.parametrize("name", ["access_token", "apikey", "token"])
async def test_a_token_in_the_query_is_not_read_even_beside_a_good_one_R75(edge, upstream, key, name):
    assert_error(await call(edge, query=f"{name}={key.token()}"), 400, "query_not_allowed")
    assert_error(await call(edge, query=f"{name}={key.token()}", token=key.token()), 400, "query_not_allowed")
    assert upstream.calls == []


async def test_a_forged_token_with_the_live_kid_and_alg_is_refused_R81_F01(edge, upstream, key, other_key):
    await refused(edge, upstream, SigningKey(key.kid, other_key.private).token())


async def test_ids_reach_nobody_in_another_spelling_R71(edge, agent, key):
    await call(edge, "/v1/models", method="GET", token=key.token(sub=USER.upper(), session_id=SESSION.upper()))
    identity = agent.scopes[0]["ringfence.identity"]
    assert (identity["user_id"], identity["session_id"]) == (USER, SESSION)


async def test_an_unforeseen_failure_while_checking_denies_F09_R90(edge, upstream, key, monkeypatch):
    monkeypatch.setattr("edge_proxy.tokens.check_signature", lambda *_: 1 / 0)
    assert_error(await call(edge, token=key.token()), 500, "internal_error")
    assert upstream.calls == []


async def test_a_failing_rate_limiter_denies_F09(edge, upstream, key, monkeypatch):
    monkeypatch.setattr("edge_proxy.buckets.Buckets.spend", lambda *_: 1 / 0)
    assert_error(await call(edge, token=key.token()), 500, "internal_error")
    assert upstream.calls == []


async def test_one_persons_verdict_is_not_anothers(edge, upstream, key):
    from tests.proxy.support import OTHER_USER

    first, second = key.token(), key.token(sub=OTHER_USER)
    for token in (first, second, first, second):
        assert (await call(edge, token=token)).status == 200
    assert [sent.names["authorization"] for sent in upstream.function_calls] == [
        f"Bearer {token}" for token in (first, second, first, second)
    ]


async def test_a_good_request_after_a_refused_one_on_the_same_edge_is_served(edge, upstream, key):
    await refused(edge, upstream, key.token(role="service_role"))
    assert (await call(edge, token=key.token())).status == 200


def test_the_fake_clock_is_the_time_of_the_tokens():
    assert Clock().now == claims()["iat"]
