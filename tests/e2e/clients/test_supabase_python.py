"""`supabase` for Python with the edge as its project URL: one story for the synchronous and the asynchronous client."""

from __future__ import annotations

import inspect
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import jwt
import pyotp
import pytest
from postgrest.exceptions import APIError
from supabase import create_async_client, create_client
from supabase.lib.client_options import AsyncClientOptions, SyncClientOptions
from supabase_auth.errors import AuthApiError, AuthSessionMissingError

from tests.e2e.clients.conftest import HARD_TEXT, PASSAGES
from tests.e2e.revoking import Team

pytestmark = [
    pytest.mark.anyio,
    # postgrest's own client passes them to itself.
    pytest.mark.filterwarnings("ignore:The '(timeout|verify)' parameter is deprecated:DeprecationWarning"),
]
Client = Any
"""Either of the two: their methods have the same names."""


async def get(value: Any) -> Any:
    """Return the result of either client's call."""
    return await value if inspect.isawaitable(value) else value


@pytest.fixture(params=["sync", "async"])
async def new_client(stack: dict[str, Any], request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    """Make clients, each like an app on a device of its own."""
    async with AsyncExitStack() as opened:

        async def make(key: str = stack["publishable_key"]) -> Client:
            # Transports of our own, because the clients have no close().
            if request.param == "sync":
                http = opened.enter_context(httpx.Client(timeout=60))
                return create_client(stack["url"], key, SyncClientOptions(httpx_client=http, auto_refresh_token=False))
            transport = await opened.enter_async_context(httpx.AsyncClient(timeout=60))
            return await create_async_client(stack["url"], key, AsyncClientOptions(httpx_client=transport, auto_refresh_token=False))

        yield make


async def whoami(client: Client) -> Any:
    return (await get(client.rpc("whoami").execute())).data


async def test_an_account_from_sign_up_to_sign_out(new_client: Any, account: dict[str, str]) -> None:
    client = await new_client()
    made = await get(client.auth.sign_up(account | {"options": {"data": {"name": "Ada"}}}))
    assert made.user.email == account["email"] and made.session.access_token
    me = await whoami(client)
    assert (me["email"], me["aal"], me["organizations"]) == (account["email"], "aal1", [])
    await get(client.auth.sign_out({"scope": "local"}))
    with pytest.raises(APIError) as out:
        await whoami(client)
    assert (out.value.code, out.value.message) == ("invalid_token", "The access token is not valid here.")

    with pytest.raises(AuthApiError) as wrong:
        await get(client.auth.sign_in_with_password(account | {"password": "wrong password"}))
    assert (wrong.value.code, wrong.value.status) == ("invalid_credentials", 400)
    await get(client.auth.sign_in_with_password(account))
    assert (await get(client.auth.get_user())).user.user_metadata["name"] == "Ada"
    changed = await get(client.auth.update_user({"data": {"name": "Eve", "note": HARD_TEXT}}))
    assert (changed.user.user_metadata["name"], changed.user.user_metadata["note"]) == ("Eve", HARD_TEXT)
    with pytest.raises(AuthApiError) as taken:
        await get((await new_client()).auth.sign_up(account))
    assert (taken.value.code, taken.value.status) == ("user_already_exists", 422)


async def test_a_new_password_ends_the_other_sessions(new_client: Any, account: dict[str, str]) -> None:
    here, there = await new_client(), await new_client()
    await get(here.auth.sign_up(account))
    await get(there.auth.sign_in_with_password(account))
    assert (await whoami(there))["email"] == account["email"]
    new = secrets.token_urlsafe(12)
    await get(here.auth.update_user({"password": new}))
    with pytest.raises(APIError) as ended:
        await whoami(there)
    assert ended.value.code == "session_ended"
    assert (await whoami(here))["email"] == account["email"]
    await get(there.auth.sign_in_with_password(account | {"password": new}))
    assert (await whoami(there))["email"] == account["email"]


async def test_sessions_are_refreshed_when_asked_for_and_when_set_with_an_expired_token(new_client: Any, account: dict[str, str]) -> None:
    client = await new_client()
    first = (await get(client.auth.sign_up(account))).session
    second = (await get(client.auth.refresh_session())).session
    assert second.access_token != first.access_token and second.refresh_token != first.refresh_token
    assert (await whoami(client))["email"] == account["email"]

    elsewhere = await new_client()
    expired = jwt.encode({"sub": first.user.id, "exp": int(time.time()) - 60}, "not checked by the client, refused by everybody else")
    third = (await get(elsewhere.auth.set_session(expired, second.refresh_token))).session
    assert third.access_token not in (first.access_token, second.access_token)
    assert (await whoami(elsewhere))["email"] == account["email"]
    with pytest.raises(AuthApiError) as unknown:
        await get((await new_client()).auth.set_session(expired, "not-a-token"))
    assert (unknown.value.code, unknown.value.status) == ("refresh_token_not_found", 400)


async def test_a_session_that_has_expired_is_refreshed_by_itself(new_client: Any, account: dict[str, str]) -> None:
    client = await new_client()
    session = (await get(client.auth.sign_up(account))).session
    session.expires_at = int(time.time()) - 1
    await get(client.auth._save_session(session))
    again = await get(client.auth.get_session())
    assert again.access_token != session.access_token and again.expires_at > time.time()
    assert (await whoami(client))["email"] == account["email"]


async def test_a_second_factor_from_enrolment_to_aal2_F06(new_client: Any, account: dict[str, str]) -> None:
    client = await new_client()
    await get(client.auth.sign_up(account))

    async def levels() -> tuple[str, str, str]:
        level = await get(client.auth.mfa.get_authenticator_assurance_level())
        return level.current_level, level.next_level, (await whoami(client))["aal"]

    assert await levels() == ("aal1", "aal1", "aal1")
    factor = await get(client.auth.mfa.enroll({"factor_type": "totp", "friendly_name": "phone", "issuer": "clients.test"}))
    challenge = await get(client.auth.mfa.challenge({"factor_id": factor.id}))
    app = pyotp.TOTP(factor.totp.secret)
    wrong = next(code for code in ("000000", "111111", "222222", "333333") if not app.verify(code, valid_window=2))
    with pytest.raises(AuthApiError) as refused:
        await get(client.auth.mfa.verify({"factor_id": factor.id, "challenge_id": challenge.id, "code": wrong}))
    assert (refused.value.code, refused.value.status) == ("mfa_verification_failed", 422)
    await get(client.auth.mfa.verify({"factor_id": factor.id, "challenge_id": challenge.id, "code": app.now()}))
    assert await levels() == ("aal2", "aal2", "aal2")
    assert [one.status for one in (await get(client.auth.mfa.list_factors())).totp] == ["verified"]

    await get(client.auth.sign_out({"scope": "local"}))
    await get(client.auth.sign_in_with_password(account))
    assert await levels() == ("aal1", "aal2", "aal1")


@pytest.mark.parametrize(("scope", "here_lives", "there_lives"), [("local", False, True), ("global", False, False), ("others", True, False)])
async def test_signing_out_ends_what_its_scope_says_at_once_R41(
    new_client: Any, account: dict[str, str], scope: str, here_lives: bool, there_lives: bool
) -> None:
    here, there = await new_client(), await new_client()
    await get(here.auth.sign_up(account))
    await get(there.auth.sign_in_with_password(account))
    tokens = [(await get(client.auth.get_session())).access_token for client in (here, there)]
    await get(here.auth.sign_out({"scope": scope}))
    # By the tokens themselves, not by what each client still remembers.
    for token, lives in zip(tokens, (here_lives, there_lives), strict=True):
        asking = await new_client()
        asking.postgrest.auth(token)
        if lives:
            assert (await whoami(asking))["email"] == account["email"]
        else:
            with pytest.raises(APIError) as ended:
                await whoami(asking)
            assert ended.value.code == "session_ended"
    if scope != "others":
        with pytest.raises(AuthSessionMissingError):
            await get(here.auth.refresh_session())


@pytest.fixture
async def signed_in(new_client: Any, team: Team) -> Client:
    """A client in which a member of the team is signed in."""
    one = team.member()
    client = await new_client()
    await get(client.auth.sign_in_with_password({"email": one.email, "password": one.password}))
    return client


async def test_one_row_none_and_many_are_told_apart(signed_in: Client, team: Team) -> None:
    def search(query: str, max_rows: int = 5) -> Any:
        return signed_in.rpc("search_documents", {"org_id": team.org, "query": query, "max_rows": max_rows})

    # The passages share one vector and no query has one: only the words count.
    assert team.word in (await get(search(team.word).single().execute())).data["content"]
    assert team.word in (await get(search(team.word).maybe_single().execute())).data["content"]
    assert await get(search("unheardof").maybe_single().execute()) is None
    assert len((await get(search("lengthy").execute())).data) == 5
    for query, code in (("unheardof", "not_single"), ("lengthy", "not_single")):
        with pytest.raises(APIError) as none_or_many:
            await get(search(query).single().execute())
        assert (none_or_many.value.code, none_or_many.value.message) == (code, "The result is not exactly one row.")
    with pytest.raises(APIError) as many:
        await get(search("lengthy").maybe_single().execute())
    assert many.value.code == "406", "the client's own"


async def test_errors_have_a_code_and_a_sentence_and_nothing_of_the_database(signed_in: Client, team: Team) -> None:
    async def error(name: str, /, **arguments: Any) -> tuple[str | None, str | None]:
        with pytest.raises(APIError) as raised:
            await get(signed_in.rpc(name, arguments).execute())
        assert raised.value.details is None and raised.value.hint is None
        return raised.value.code, raised.value.message

    assert await error("search_documents", org_id=team.org, query="") == ("invalid_argument", "query: 1..2000 characters")
    assert await error("search_documents", org_id=team.org) == (
        "invalid_argument", "The function takes other arguments than these; tool_catalog and /v1/openapi.json list them.")
    assert (await error("get_order", org_id=team.org, number="ORD-0"))[0] == "not_found"
    assert (await error("create_bot", org_id=team.org, slug="mine", name="Mine"))[0] == "denied"
    assert (await error("set_mfa_policy", org_id=team.org, required=True))[0] in ("denied", "aal_required")
    assert await error("drop_everything") == ("unknown_rpc", "There is no such function.")
    with pytest.raises(APIError) as table:
        await get(signed_in.table("organization").select("*").execute())
    assert table.value.code == "not_found"


async def test_the_schema_may_be_named_and_no_other_is_reached_by_naming_it_R3(signed_in: Client, team: Team) -> None:
    for schema in ("api", "app", "auth"):
        named = signed_in.schema(schema).rpc("search_documents", {"org_id": team.org, "query": team.word})
        assert len((await get(named.execute())).data) == 1, "the door leads to schema api whatever the client asks for"
    with pytest.raises(APIError) as table:
        await get(signed_in.schema("app").table("organization").select("*").execute())
    assert table.value.code == "not_found"


async def test_what_the_narrow_door_does_not_take_is_said_and_not_ignored(signed_in: Client, team: Team) -> None:
    search = {"org_id": team.org, "query": "lengthy"}
    with pytest.raises(APIError) as filtered:
        await get(signed_in.rpc("search_documents", search).limit(1).execute())
    assert filtered.value.code == "query_not_allowed"
    with pytest.raises(APIError) as read:
        await get(signed_in.rpc("search_documents", search, get=True).execute())
    assert read.value.code == "method_not_allowed"


async def test_large_results_in_every_script_arrive_whole(signed_in: Client, team: Team) -> None:
    rows = (await get(signed_in.rpc("search_documents", {"org_id": team.org, "query": "lengthy", "max_rows": 50}).execute())).data
    assert len(rows) == PASSAGES
    contents = {row["content"] for row in rows}
    assert contents == {f"lengthy {number} {HARD_TEXT * 40}".strip() for number in range(PASSAGES)}
    assert sum(len(content.encode()) for content in contents) > 150_000
