"""Claims: a token that is well signed but says the wrong thing is 401, and nothing behind the edge hears of it."""

from __future__ import annotations

import json

import pytest

from tests.proxy.support import NOW, USER, assert_error, assert_refused, call, claims

pytestmark = pytest.mark.anyio

PAYLOAD = json.dumps(claims()).encode()


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
    await assert_refused(edge, upstream, key.token(**{name: value}))


@pytest.mark.parametrize("name", ["exp", "iat"])
async def test_a_token_without_exp_or_iat_is_refused_R67(edge, upstream, key, name):
    await assert_refused(edge, upstream, key.token(**{name: ...}))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("literal", [b"1e999", b"-1e999", b"1" + b"0" * 400, b"-1"])
async def test_a_number_that_is_no_time_is_refused_R67(edge, upstream, key, name, literal):
    payload = json.dumps(claims(**{name: "HERE"})).encode().replace(b'"HERE"', literal)
    await assert_refused(edge, upstream, key.compact(key.header(), payload))


@pytest.mark.parametrize("name", ["iat", "nbf"])
async def test_a_token_from_the_future_is_refused_beyond_the_leeway_R67(edge, upstream, key, name):
    await assert_refused(edge, upstream, key.token(**{name: int(NOW) + 31}))
    assert (await call(edge, token=key.token(**{name: int(NOW) + 30}))).status == 200


async def test_a_token_that_lives_longer_than_allowed_is_refused_R67(edge, upstream, key, limits):
    longest = limits.token_lifetime_seconds
    await assert_refused(edge, upstream, key.token(exp=int(NOW) + longest + 1))
    await assert_refused(edge, upstream, key.token(exp=int(NOW) - 1, iat=int(NOW)))
    assert (await call(edge, token=key.token(exp=int(NOW) + longest))).status == 200


WRONG = [..., None, "", [], "*", {}, 1, True]


@pytest.mark.parametrize(
    "iss", [*WRONG, "https://project.example/auth/v1/", "https://PROJECT.example/auth/v1", "https://evil.example"]
)
async def test_another_issuer_is_refused_R68_F09(edge, upstream, key, iss):
    await assert_refused(edge, upstream, key.token(iss=iss))


@pytest.mark.parametrize("aud", [*WRONG, "anon", "Authenticated", ["anon"], [["authenticated"]], ["authenticated", 1]])
async def test_a_missing_or_other_audience_is_refused_R69_F09(edge, upstream, key, aud):
    await assert_refused(edge, upstream, key.token(aud=aud))


@pytest.mark.parametrize("aud", ["authenticated", ["authenticated"], ["other", "authenticated"]])
async def test_the_audience_may_be_a_string_or_a_list_R69(edge, key, aud):
    assert (await call(edge, token=key.token(aud=aud))).status == 200


@pytest.mark.parametrize(
    "role",
    [
        *WRONG,
        "service_role",
        "anon",
        "postgres",
        "supabase_admin",
        ["authenticated"],
        "Authenticated",
        "authenticated ",
        "аuthenticated",
    ],
)
async def test_a_token_of_any_other_role_is_refused_though_the_live_key_signed_it_R70_F09(edge, upstream, key, role):
    await assert_refused(edge, upstream, key.token(role=role))


@pytest.mark.parametrize("name", ["sub", "session_id"])
@pytest.mark.parametrize("value", [*WRONG, "x", USER + "x", "{" + USER + "}", USER.replace("-", ""), USER + "\n"])
async def test_sub_and_session_id_must_be_uuids_R71_F09(edge, upstream, key, name, value):
    await assert_refused(edge, upstream, key.token(**{name: value}))


@pytest.mark.parametrize("kind", ["at+jwt", "JWE", "", None, ["JWT"], "ſwt", "JWT "])
async def test_another_typ_is_refused_R72(edge, upstream, key, kind):
    await assert_refused(edge, upstream, key.compact(key.header(typ=kind), PAYLOAD))


@pytest.mark.parametrize("kind", ["JWT", "jwt", ...])
async def test_typ_may_be_jwt_in_any_case_or_absent_R72(edge, key, kind):
    assert (await call(edge, token=key.compact(key.header(typ=kind), PAYLOAD))).status == 200


async def test_an_id_token_is_refused_by_its_claims_R72(edge, upstream, key):
    identity = {"iss": claims()["iss"], "aud": "my-client", "sub": USER, "exp": NOW + 60, "iat": NOW, "nonce": "n"}
    await assert_refused(edge, upstream, key.compact(key.header(), json.dumps(identity).encode()))
