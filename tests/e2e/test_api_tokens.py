"""API tokens through the whole stack: made with a password, used as an OpenAI key and as a Supabase token, and over when they are over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import openai
import psycopg
import pyotp
import pytest
from supabase import create_client
from supabase.lib.client_options import SyncClientOptions

from tests.e2e.conftest import Answer, SignedIn, send
from tests.e2e.test_second_factor import Device, account, new_device  # noqa: F401

People = Callable[[str], SignedIn]
PERMISSIONS = ["bots.run", "documents.read", "orders.place", "tickets.create"]


def password_of(stack: dict[str, Any], email: str) -> str:
    return str(next(u["password"] for u in stack["users"] if u["email"] == email))


def create(stack: dict[str, Any], person: SignedIn, org: str, **changes: Any) -> Answer:
    wish = {"org_id": org, "name": "script", "permissions": PERMISSIONS, "expires_in": 3600, "password": password_of(stack, person.email)}
    return person.post("/v1/tokens", wish | changes)


@pytest.fixture
def operator(stack: dict[str, Any]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack["database_url"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def script(stack: dict[str, Any], person: People) -> Callable[..., SignedIn]:
    """Somebody's fresh API token in the place of their access token."""

    def make(email: str, slug: str = "acme", **changes: Any) -> SignedIn:
        owner = person(email)
        answer = create(stack, owner, owner.orgs[slug], **changes)
        assert answer.status == 201, answer.body
        assert answer.headers["cache-control"] == "no-store"
        return replace(owner, token=answer.json()["token"])

    return make


def test_openai_takes_an_api_token_for_its_key_F08(stack: dict[str, Any], script: Callable[..., SignedIn], operator: psycopg.Connection) -> None:
    acting = script("member@acme.test")
    with openai.OpenAI(base_url=f"{stack['url']}/v1", api_key=acting.token, max_retries=0) as client:
        assert [m.id for m in client.models.list()] == ["acme/helpdesk"]
        answer = client.chat.completions.create(model="acme/helpdesk", messages=[{"role": "user", "content": "What are my orders?"}])
    run: Any = answer.model_extra["ringfence"]["run_id"]  # type: ignore[index]
    row = operator.execute("select user_id::text, actor_kind, api_token_id is not null from app.run where id = %s", [run]).fetchone()
    assert row == (acting.user_id, "user", True)
    used = operator.execute("select t.last_used_at is not null from app.api_token t join app.run r on r.api_token_id = t.id where r.id = %s", [run])
    assert used.fetchone() == (True,)


# postgrest's own client passes it to itself.
@pytest.mark.filterwarnings("ignore:The '(timeout|verify)' parameter is deprecated:DeprecationWarning")
def test_supabase_py_calls_functions_with_it_F08(stack: dict[str, Any], script: Callable[..., SignedIn]) -> None:
    acting = script("member@acme.test")
    with httpx.Client(timeout=60) as transport:
        client = create_client(stack["url"], stack["publishable_key"], SyncClientOptions(
            httpx_client=transport, headers={"Authorization": f"Bearer {acting.token}"}))
        me: Any = client.rpc("whoami").execute().data
    assert (me["user_id"], [o["slug"] for o in me["organizations"]]) == (acting.user_id, ["acme"])


def test_it_reaches_one_organization_and_what_it_was_made_for_F08(script: Callable[..., SignedIn], person: People) -> None:
    acting, owner = script("both@example.test", permissions=["documents.read"]), person("both@example.test")
    assert {o["slug"] for o in owner.rpc("whoami").json()["organizations"]} == {"acme", "globex"}
    assert [o["slug"] for o in acting.rpc("whoami").json()["organizations"]] == ["acme"]
    assert acting.rpc("list_knowledge_bases", org_id=owner.orgs["acme"]).json()
    assert acting.rpc("list_knowledge_bases", org_id=owner.orgs["globex"]).json() == []
    refused = acting.rpc("create_knowledge_base", org_id=owner.orgs["acme"], slug="nope", name="Nope")
    assert (refused.status, refused.json()["code"]) == (403, "denied")
    assert acting.rpc("list_conversations", org_id=owner.orgs["acme"]).json() == []


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_over_is_over_on_the_next_request_F08_R40_R41(
    stack: dict[str, Any], script: Callable[..., SignedIn], person: People, operator: psycopg.Connection, how: str
) -> None:
    owner, acting = person("member@acme.test"), script("member@acme.test")
    org = owner.orgs["acme"]
    assert acting.rpc("whoami").status == 200
    mine = owner.rpc("list_api_tokens", org_id=org).json()[0]
    assert acting.token.startswith(mine["prefix"])
    if how == "revoked":
        assert owner.rpc("revoke_api_token", org_id=org, token_id=mine["id"]).status == 200
    else:
        operator.execute("update app.api_token set created_at = now() - interval '2 hours', expires_at = now() where id = %s", [mine["id"]])
    for path, body in (("/rest/v1/rpc/whoami", {}), ("/v1/chat/completions", {"model": "acme/helpdesk", "messages": [{"role": "user", "content": "?"}]})):
        refused = acting.post(path, body)
        assert refused.status == 401, path
    assert acting.rpc("whoami").json()["message"] == "this API token was revoked or has expired"
    assert owner.rpc("whoami").status == 200


def test_a_permission_taken_from_its_owner_is_taken_from_it_on_the_next_request_F08_R40(
    script: Callable[..., SignedIn], operator: psycopg.Connection, person: People
) -> None:
    acting, org = script("both@example.test", permissions=["documents.manage", "documents.read", "resources.publish"]), person("both@example.test").orgs["acme"]
    assert acting.rpc("create_knowledge_base", org_id=org, slug="by-token", name="By token").status == 200
    change = "update app.membership m set role_id = (select id from app.role r where r.org_id = m.org_id and r.name = %s) where org_id = %s and user_id = %s"
    operator.execute(change, ["member", org, acting.user_id])
    try:
        assert acting.rpc("create_knowledge_base", org_id=org, slug="by-token-2", name="By token").status == 403
    finally:
        operator.execute(change, ["builder", org, acting.user_id])
        operator.execute("delete from app.knowledge_base where slug = 'by-token'")


def test_it_is_no_credential_at_supabase_auth_and_makes_no_other_token_F08(
    stack: dict[str, Any], script: Callable[..., SignedIn], operator: psycopg.Connection
) -> None:
    acting = script("member@acme.test")
    for method, path, body in (("GET", "/auth/v1/user", None), ("PUT", "/auth/v1/user", {"password": "another-password"}), ("POST", "/auth/v1/logout", {})):
        refused = send(stack["url"], method, path, {"authorization": f"Bearer {acting.token}", "content-type": "application/json"}, body)
        assert refused.status == 401, path
    # Straight at Supabase Auth too, past the edge: it is no JWT and no refresh token.
    headers = {"content-type": "application/json"}
    assert send(stack["auth_url"], "GET", "/user", headers | {"authorization": f"Bearer {acting.token}"}).status in (401, 403)
    assert send(stack["auth_url"], "POST", "/token?grant_type=refresh_token", headers, {"refresh_token": acting.token}).status == 400
    assert create(stack, acting, acting.orgs["acme"]).status == 401
    for name, arguments in (("revoke_api_token", {"token_id": acting.user_id}), ("remove_member", {"user_id": acting.user_id})):
        refused = acting.rpc(name, org_id=acting.orgs["acme"], **arguments)
        assert (refused.status, refused.json()["message"]) == (403, "an app acting for you cannot do this: sign in yourself")
    count = operator.execute("select count(*) from app.membership where user_id = %s", [acting.user_id]).fetchone()
    assert count == (1,)


def test_a_wrong_password_makes_no_token_and_leaves_no_session_F08(stack: dict[str, Any], person: People, operator: psycopg.Connection) -> None:
    owner = person("auditor@acme.test")

    def sessions() -> int:
        (count,) = operator.execute("select count(*) from auth.sessions where user_id = %s", [owner.user_id]).fetchone() or (0,)
        return int(count)

    before = sessions()
    denied = create(stack, owner, owner.orgs["acme"], permissions=["bots.run"])
    assert (denied.status, denied.json()["code"]) == (403, "denied"), "an auditor has no tokens.create"
    member = person("member@acme.test")
    assert create(stack, member, member.orgs["acme"], password="wrong").json()["code"] == "not_confirmed"
    assert create(stack, member, owner.orgs["acme"], permissions=["members.manage"]).json()["code"] == "invalid_argument"
    assert sessions() == before


def test_its_session_is_exchanged_with_the_same_refresh_token_for_as_long_as_it_lives_F08(
    stack: dict[str, Any], script: Callable[..., SignedIn], operator: psycopg.Connection
) -> None:
    """A second edge process knows nothing of the first: it exchanges the token anew."""
    acting = script("member@acme.test")
    assert acting.rpc("whoami").status == 200
    session = operator.execute("select session_id from app.api_token order by created_at desc limit 1").fetchone()
    tokens = operator.execute("select token, revoked, parent from auth.refresh_tokens where session_id = %s order by id", session).fetchall()
    (first, revoked, _), (_, live, parent) = tokens
    assert (revoked, live, parent) == (True, False, first)
    for _ in range(2):
        again = send(stack["auth_url"], "POST", "/token?grant_type=refresh_token", {"content-type": "application/json"}, {"refresh_token": first})
        assert again.status == 200 and again.json()["refresh_token"] == tokens[1][0]
    assert first not in acting.token


def test_who_has_a_second_factor_uses_it_for_the_tokens_session_F07_F08_R42(
    stack: dict[str, Any], new_device: Callable[[], Device], account: dict[str, Any]  # noqa: F811
) -> None:
    first = new_device()
    first.auth.sign_up(account)  # type: ignore[arg-type]
    org = first.rpc("create_organization", slug="tokens", name="Tokens").json()["id"]
    factor = first.auth.mfa.enroll({"factor_type": "totp", "friendly_name": "phone app", "issuer": "acme.test"})
    assert factor.totp
    app = pyotp.TOTP(factor.totp.secret)
    weak = first.token()
    first.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": app.at(time.time(), counter_offset=-1)})
    assert first.rpc("set_mfa_policy", org_id=org, required=True).status == 200

    def wish(token: str, **more: Any) -> Answer:
        body = {"org_id": org, "name": "script", "permissions": ["documents.read"], "expires_in": 3600, "password": account["password"]} | more
        return send(stack["url"], "POST", "/v1/tokens", {"authorization": f"Bearer {token}", "content-type": "application/json"}, body)

    assert wish(weak).status in (401, 403), "aal1 where a second factor is due"
    assert wish(first.token()).json()["code"] == "code_needed"
    assert wish(first.token(), code="000000").json()["code"] == "not_confirmed"
    made = wish(first.token(), code=app.at(time.time(), counter_offset=1))
    assert made.status == 201 and made.json()["with_second_factor"] is True
    headers = {"authorization": f"Bearer {made.json()['token']}", "content-type": "application/json"}
    seen = send(stack["url"], "POST", "/rest/v1/rpc/whoami", headers, {}).json()
    assert [o["id"] for o in seen["organizations"]] == [org] and seen["aal"] == "aal2"
    refused = send(stack["url"], "POST", "/rest/v1/rpc/set_mfa_policy", headers, {"org_id": org, "required": False})
    assert (refused.status, refused.json()["code"]) == (403, "denied")
    assert first.rpc("whoami").status == 200, "the person's own session goes on"
