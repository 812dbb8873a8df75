"""How an API token is made at the edge: with the password, the factors and the permissions of its person (F08, F07)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from edge_proxy.limits import Limits, Rate
from edge_proxy.token_box import TokenKeys
from tests.proxy.doubles import Answer, error
from tests.proxy.support import OTHER_USER, assert_error, call
from tests.proxy.test_api_tokens import GRANT, ORG, OWN_SESSION, WISH, api_token, keys_file, sent_tokens, supabase_auth, token_edge  # noqa: F401  # fixtures

pytestmark = pytest.mark.anyio


async def create(edge: Any, key: Any, token: str | None = None, **changes: Any) -> Any:
    wish = {n: v for n, v in (WISH | changes).items() if v is not ...}
    return await call(edge, "/v1/tokens", token=token or key.token(), body=json.dumps(wish).encode())


async def test_a_person_who_proves_who_they_are_gets_a_token_that_works_F08(token_edge, upstream, supabase_auth, key):
    own = key.token()
    got = await create(token_edge, key, own)
    assert got.status == 201 and got.header("cache-control") == "no-store"
    token = got.json["token"]
    assert got.json["id"] == "made" and token.startswith("rft_")
    made = json.loads(next(c.body for c in upstream.calls if c.path.endswith("create_api_token")))
    assert made == {"org_id": ORG, "name": "script", "permissions": ["documents.read"], "expires_in": 3600, "session_id": OWN_SESSION,
                    "token_sha256": hashlib.sha256(token.encode()).hexdigest(), "prefix": token[:12]}
    assert sent_tokens(upstream, "/rest/v1/rpc/create_api_token") == sent_tokens(upstream, "/rest/v1/rpc/check_api_token") == [own]
    assert json.loads(next(c.body for c in upstream.calls if c.path == GRANT)) == {"email": "owner@acme.test", "password": "correct horse"}
    assert "/auth/v1/logout" not in [c.path for c in upstream.calls]
    assert (await call(token_edge, token=token)).status == 200
    assert "refresh-1" not in got.body.decode() and "ey" not in token[:6]


async def test_a_second_factor_is_used_in_the_tokens_own_session_F08_F07(token_edge, upstream, supabase_auth, key, keys_file):
    upstream.answers["/rest/v1/rpc/check_api_token"] = Answer(body=b'{"email": "owner@acme.test", "code_needed": true}')
    supabase_auth.factors = [{"id": OTHER_USER, "status": "verified", "factor_type": "totp"}, {"id": "x", "status": "unverified", "factor_type": "totp"}]
    assert_error(await create(token_edge, key), 401, "code_needed")
    assert supabase_auth.grants == []
    got = await create(token_edge, key, code="123456")
    assert got.status == 201
    assert TokenKeys.load(keys_file).open(got.json["token"]).refresh_token == "refresh-aal2"


@pytest.mark.parametrize("refused", ["check_api_token", "create_api_token"])
async def test_what_the_database_refuses_leaves_no_session_open_F08(token_edge, upstream, supabase_auth, key, refused):
    upstream.answers[f"/rest/v1/rpc/{refused}"] = error(403, "42501", "you may not make API tokens in this organization")
    assert_error(await create(token_edge, key), 403, "denied", sqlstate="42501")
    ended = [c for c in upstream.calls if c.path == "/auth/v1/logout"]
    assert [c.query for c in ended] == ([] if refused == "check_api_token" else ["scope=local"])
    assert len(supabase_auth.grants) == len(ended)


async def test_the_password_of_another_person_makes_no_token_F08(token_edge, upstream, supabase_auth, key):
    supabase_auth.user = OTHER_USER
    assert_error(await create(token_edge, key), 403, "not_confirmed")
    paths = [c.path for c in upstream.calls]
    assert "/auth/v1/logout" in paths and "/rest/v1/rpc/create_api_token" not in paths


async def test_an_api_token_makes_no_api_token_F08(token_edge, upstream, supabase_auth, key, api_token):
    assert_error(await create(token_edge, key, api_token), 401, "invalid_token")
    assert upstream.calls == []


@pytest.mark.parametrize("changes", [{"password": ...}, {"password": 1}, {"extra": 1}, {"expires_in": "1"}, {"expires_in": True},
                                     {"permissions": "documents.read"}, {"permissions": [1]}, {"code": 123456}, {"org_id": None}])
async def test_a_malformed_wish_is_refused_before_anything_is_asked_F08(token_edge, upstream, key, changes):
    assert_error(await create(token_edge, key, **changes), 400, "bad_body")
    assert upstream.calls == []


class TestGuessing:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(password_rate=Rate(0.001, 2), api_token_rate=Rate(0.001, 2))

    async def test_wrong_passwords_are_counted_with_those_of_signing_in_F08(self, token_edge, supabase_auth, key):
        supabase_auth.status = 400
        body = json.dumps({"email": "Owner@acme.test", "password": "x"}).encode()
        assert (await call(token_edge, "/auth/v1/token", query="grant_type=password", body=body)).status == 400
        assert_error(await create(token_edge, key), 403, "not_confirmed")
        supabase_auth.status = 200
        assert_error(await create(token_edge, key), 429, "rate_limited")
        assert len(supabase_auth.grants) == 2

    async def test_a_dead_token_asked_again_and_again_stops_asking_supabase_auth_F08(self, token_edge, supabase_auth, api_token):
        supabase_auth.status = 400
        for expected in (401, 401, 429, 429):
            assert (await call(token_edge, token=api_token)).status == expected
        assert len(supabase_auth.grants) == 2
