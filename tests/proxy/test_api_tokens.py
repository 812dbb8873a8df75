"""API tokens at the edge: sealed here, exchanged here, and no credential anywhere but where they belong (F08, F22)."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from edge_proxy.config import ConfigRefused
from edge_proxy.errors import InvalidApiToken
from edge_proxy.jws import base64url
from edge_proxy.limits import Rate
from edge_proxy.token_box import Box, TokenKeys, new_key
from tests.proxy.doubles import Answer, error
from tests.proxy.support import NOW, OTHER_USER, USER, assert_error, call

pytestmark = pytest.mark.anyio

ORG = "b6f7a6f2-31a6-4b19-9d55-3a2c9ff6f001"
OWN_SESSION = "11111111-2222-4333-8444-555555555555"
TOUCH, GRANT = "/rest/v1/rpc/touch_api_token", "/auth/v1/token"
WISH = {"org_id": ORG, "name": "script", "permissions": ["documents.read"], "expires_in": 3600, "password": "correct horse"}


@dataclass
class SupabaseAuth:
    """Answers the two grants and the factor calls; remembers what it was asked."""

    key: Any
    user: str = USER
    status: int = 200
    factors: list[dict[str, str]] = field(default_factory=list)
    grants: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    lifetime: int = 3600

    async def grant(self, scope: Any, receive: Any, send: Any) -> None:
        kind = scope["query_string"].decode().removeprefix("grant_type=")
        self.grants.append((kind, {}))
        await self._answer(send, self.status, f"refresh-{len(self.grants)}")

    async def challenge(self, scope: Any, receive: Any, send: Any) -> None:
        await _send(send, 200, {"id": "challenge"})

    async def verify(self, scope: Any, receive: Any, send: Any) -> None:
        await self._answer(send, 200, "refresh-aal2")

    async def _answer(self, send: Any, status: int, refresh_token: str) -> None:
        token = self.key.token(sub=self.user, session_id=OWN_SESSION, exp=int(NOW) + self.lifetime, jti=refresh_token)
        body = {"access_token": token, "refresh_token": refresh_token, "user": {"id": self.user, "factors": self.factors}}
        await _send(send, status, body if status == 200 else {"code": status, "error_code": "refresh_token_not_found"})


async def _send(send: Any, status: int, body: Any) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(new_key() + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def supabase_auth(upstream: Any, key: Any) -> SupabaseAuth:
    made = SupabaseAuth(key)
    factor = f"/auth/v1/factors/{OTHER_USER}"
    upstream.overrides = {GRANT: made.grant, f"{factor}/challenge": made.challenge, f"{factor}/verify": made.verify}
    upstream.answers[TOUCH] = Answer(body=b"true")
    upstream.answers["/rest/v1/rpc/check_api_token"] = Answer(body=b'{"email": "owner@acme.test", "code_needed": false}')
    upstream.answers["/rest/v1/rpc/create_api_token"] = Answer(body=b'{"id": "made"}')
    upstream.answers["/auth/v1/logout"] = Answer(204, b"")
    return made


@pytest.fixture
async def token_edge(make_edge: Any, supabase_auth: SupabaseAuth, keys_file: Path) -> Any:
    return await make_edge(token_keys_file=str(keys_file))


@pytest.fixture
def api_token(keys_file: Path) -> str:
    return TokenKeys.load(keys_file).seal(Box(ORG, "refresh-0"))


def sent_tokens(upstream: Any, path: str) -> list[str]:
    return [c.names["authorization"].removeprefix("Bearer ") for c in upstream.calls if c.path == path]


async def test_an_api_token_is_exchanged_once_and_the_access_token_travels_upstream_F08(token_edge, upstream, supabase_auth, api_token):
    for _ in range(3):
        assert (await call(token_edge, token=api_token)).status == 200
    assert [kind for kind, _ in supabase_auth.grants] == ["refresh_token"]
    grant = next(c for c in upstream.calls if c.path == GRANT)
    assert json.loads(grant.body) == {"refresh_token": "refresh-0"} and "authorization" not in grant.names
    touched = [json.loads(c.body) for c in upstream.calls if c.path == TOUCH]
    assert touched == [{"token_sha256": hashlib.sha256(api_token.encode()).hexdigest()}]
    travelled = set(sent_tokens(upstream, "/rest/v1/rpc/whoami"))
    assert len(travelled) == 1 and api_token not in travelled


async def test_every_request_of_one_moment_waits_for_one_exchange_F08(token_edge, supabase_auth, api_token):
    got = await asyncio.gather(*(call(token_edge, token=api_token) for _ in range(8)))
    assert [g.status for g in got] == [200] * 8
    assert len(supabase_auth.grants) == 1


async def test_a_script_in_a_loop_leaves_its_owner_and_their_other_token_room_F08_R92(make_edge, supabase_auth, keys_file, api_token, config, key):
    edge = await make_edge(token_keys_file=str(keys_file), limits=replace(config.limits, token_rate=Rate(per_second=1, burst=3)))
    got = [await call(edge, token=api_token) for _ in range(4)]
    assert [g.status for g in got] == [200, 200, 200, 429]
    assert got[3].header("retry-after") == "1"
    assert (await call(edge, token=key.token(sub=USER))).status == 200, "the owner, signed in"
    assert (await call(edge, token=key.token(sub=USER, session_id=OWN_SESSION))).status == 200, "a token of Supabase Auth is counted for its person alone"


async def test_the_box_is_exchanged_again_shortly_before_the_access_token_ends_and_with_the_same_refresh_token_F08(
    token_edge, upstream, supabase_auth, api_token, clock
):
    await call(token_edge, token=api_token)
    clock.now += 3600 - 61
    await call(token_edge, token=api_token)
    assert len(supabase_auth.grants) == 1
    clock.now += 2
    await call(token_edge, token=api_token)
    assert [json.loads(c.body)["refresh_token"] for c in upstream.calls if c.path == GRANT] == ["refresh-0"] * 2


async def test_two_tokens_of_one_person_never_share_an_access_token_F22(token_edge, supabase_auth, keys_file, api_token):
    other = TokenKeys.load(keys_file).seal(Box(ORG, "refresh-0"))
    await call(token_edge, token=api_token)
    await call(token_edge, token=other)
    assert len(supabase_auth.grants) == 2


async def test_the_agent_gets_the_access_token_and_never_the_api_token_F08(token_edge, agent, api_token):
    assert (await call(token_edge, "/v1/models", method="GET", token=api_token, headers=[], body=b"")).status == 200
    (scope,) = agent.scopes
    assert scope["ringfence.identity"]["user_id"] == USER and scope["ringfence.identity"]["session_id"] == OWN_SESSION
    assert api_token not in str(scope)


@pytest.mark.parametrize("answer", [Answer(body=b"false"), Answer(body=b"null"), Answer(body=b'"true"')])
async def test_a_session_the_database_does_not_know_as_this_tokens_is_not_used_F08(token_edge, upstream, api_token, answer):
    upstream.answers[TOUCH] = answer
    assert_error(await call(token_edge, token=api_token), 401, "invalid_api_token")
    assert sent_tokens(upstream, "/rest/v1/rpc/whoami") == []


async def test_a_token_the_database_calls_over_is_refused_each_time_with_its_words_F08_R41(token_edge, upstream, api_token):
    upstream.answers[TOUCH] = error(401, "28000", "this API token was revoked or has expired")
    for _ in range(2):
        got = await call(token_edge, token=api_token)
        assert_error(got, 401, "session_ended", sqlstate="28000")
        assert got.json["message"] == "this API token was revoked or has expired"


@pytest.mark.parametrize(("status", "seen", "code"), [(400, 401, "invalid_api_token"), (403, 401, "invalid_api_token"), (429, 429, "rate_limited"),
                                                      (409, 502, "upstream_error"), (500, 502, "upstream_error")])
async def test_what_supabase_auth_refuses_is_refused_and_not_remembered_F08(token_edge, supabase_auth, api_token, status, seen, code):
    supabase_auth.status = status
    assert_error(await call(token_edge, token=api_token), seen, code)
    supabase_auth.status = 200
    assert (await call(token_edge, token=api_token)).status == 200


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "A", lambda t: t[:20] + ("A" if t[20] != "A" else "B") + t[21:],
                                    lambda t: "rft_", lambda t: "rft_" + "A" * 40, lambda t: "rft_x.y"])
async def test_a_token_changed_anywhere_is_refused_without_a_call_upstream_F08(token_edge, upstream, api_token, change):
    assert_error(await call(token_edge, token=change(api_token)), 401, "invalid_api_token")
    assert upstream.calls == []


async def test_a_token_of_another_edges_key_is_refused_and_a_new_key_in_front_keeps_the_old_tokens_F08(make_edge, supabase_auth, keys_file, api_token):
    old = keys_file.read_text()
    keys_file.write_text(new_key() + "\n")
    assert_error(await call(await make_edge(token_keys_file=str(keys_file)), token=api_token), 401, "invalid_api_token")
    keys_file.write_text(new_key() + "\n" + old)
    assert (await call(await make_edge(token_keys_file=str(keys_file)), token=api_token)).status == 200
    fresh = TokenKeys.load(keys_file).seal(Box(ORG, "r"))
    with pytest.raises(InvalidApiToken):
        TokenKeys((base64url(old.strip()),)).open(fresh)


async def test_without_keys_there_are_no_api_tokens_F08(edge, upstream, key, api_token):
    assert_error(await call(edge, token=api_token), 401, "invalid_api_token")
    got = await call(edge, "/v1/tokens", token=key.token(), body=json.dumps(WISH).encode())
    assert_error(got, 404, "not_found")
    assert upstream.calls == []


@pytest.mark.parametrize(("text", "mode"), [("", 0o600), ("short", 0o600), ("%%%", 0o600), (None, 0o644), (None, 0o640)])
def test_a_key_file_that_is_empty_broken_or_open_to_others_stops_the_start(tmp_path: Path, text: str | None, mode: int) -> None:
    path = tmp_path / "keys"
    path.write_text(new_key() if text is None else text)
    path.chmod(mode)
    with pytest.raises(ConfigRefused, match="RINGFENCE_TOKEN_KEYS_FILE"):
        TokenKeys.load(path)


@pytest.mark.parametrize(("method", "path"), [("GET", "user"), ("PUT", "user"), ("POST", "logout"), ("POST", "factors"), ("GET", "reauthenticate")])
async def test_an_api_token_is_no_credential_for_supabase_auth_F08(token_edge, upstream, supabase_auth, api_token, method, path):
    body = b"{}" if method != "GET" else b""
    assert_error(await call(token_edge, f"/auth/v1/{path}", method=method, token=api_token, body=body), 401, "invalid_token")
    assert upstream.calls == [] and supabase_auth.grants == []
