"""The custom access token hook, called as Supabase Auth calls it: for every token, in its transaction, with the last word."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from edge_proxy.local import stack, tools
from edge_proxy.local.auth.app import create_app
from edge_proxy.local.auth.config import AuthConfig, ConfigError
from edge_proxy.local.auth.hook import AccessTokenHook
from edge_proxy.local.auth.keys import SigningKeys

OURS = AccessTokenHook("authz", "access_token_hook")
PERSON = {"email": "ada@acme.test", "password": "long enough"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Client:
    def __init__(self, http: httpx.AsyncClient, keys: SigningKeys) -> None:
        self.http, self.keys = http, keys

    async def post(self, path: str, token: str = "", **body: str) -> httpx.Response:
        return await self.http.post(path, json=body, headers={"authorization": f"Bearer {token}"} if token else {})

    def claims(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        return self.keys.verify(answer.json()["access_token"])


@asynccontextmanager
async def emulator(database: Any, folder: Path, hook: AccessTokenHook | None) -> AsyncIterator[Client]:
    path = folder / "keys.json"
    keys = SigningKeys.load_or_create(path)
    config = AuthConfig(database.url("supabase_auth_admin"), 0, "http://127.0.0.1:8787/auth/v1", path, access_token_hook=hook)
    app = create_app(config, keys)
    async with app.router.lifespan_context(app), httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://emulator") as http:
        yield Client(http, keys)


def make_hook(database: Any, body: str) -> AccessTokenHook:
    """Replace the function by one of this body (of plpgsql, argument `event`)."""
    with database.connect("supabase_admin") as connection:
        connection.execute(
            "create or replace function authz.access_token_hook(event jsonb) returns jsonb language plpgsql"
            f" as $f$ begin {body}; end $f$".encode())
    return OURS


def found(database: Any, user_id: str, slug: str) -> str:
    """Make an organization as this person, and return its id."""
    with database.connect("supabase_admin") as connection:
        connection.execute("select set_config('request.jwt.claims', json_build_object('sub', %s::text)::text, true)", [user_id])
        return str(connection.execute("select authz.found_organization(%s, 'Acme')", [slug]).fetchone()[0])


@pytest.mark.anyio
async def test_every_token_says_the_roles_of_now_F11(database: Any, tmp_path: Path) -> None:
    async with emulator(database, tmp_path, OURS) as client:
        answer = await client.post("/signup", **PERSON)
        assert "org_roles" not in client.claims(answer)
        person = answer.json()["user"]["id"]
        org = found(database, person, "acme")
        assert client.claims(await client.post("/token?grant_type=password", **PERSON))["org_roles"] == {org: "owner"}
        refreshed = await client.post("/token?grant_type=refresh_token", refresh_token=answer.json()["refresh_token"])
        assert client.claims(refreshed)["org_roles"] == {org: "owner"}
        token = refreshed.json()["access_token"]
        factor = (await client.post("/factors", token, factor_type="totp")).json()
        challenge = (await client.post(f"/factors/{factor['id']}/challenge", token)).json()["id"]
        code = pyotp.TOTP(factor["totp"]["secret"]).now()
        verified = client.claims(await client.post(f"/factors/{factor['id']}/verify", token, challenge_id=challenge, code=code))
        assert (verified["aal"], verified["org_roles"]) == ("aal2", {org: "owner"})


@pytest.mark.anyio
async def test_the_operators_choice_narrows_the_next_token_and_the_persons_own_words_do_not_F11(database: Any, tmp_path: Path) -> None:
    async with emulator(database, tmp_path, OURS) as client:
        signed_up = await client.post("/signup", **PERSON)
        person, token = signed_up.json()["user"]["id"], signed_up.json()["access_token"]
        one, other = found(database, person, "acme"), found(database, person, "second")
        written = {"data": {"org_id": one}, "app_metadata": {"org_id": one}}
        assert (await client.http.put("/user", json=written, headers={"authorization": f"Bearer {token}"})).status_code == 200
        claims = client.claims(await client.post("/token?grant_type=password", **PERSON))
        assert "org_id" not in claims and set(claims["org_roles"]) == {one, other}
        with database.connect("supabase_auth_admin") as connection:
            connection.execute("update auth.users set raw_app_meta_data = raw_app_meta_data || jsonb_build_object('org_id', %s::text)", [one])
        claims = client.claims(await client.post("/token?grant_type=password", **PERSON))
        assert (claims["org_id"], claims["org_roles"]) == (one, {one: "owner"})


@pytest.mark.anyio
async def test_without_a_hook_tokens_are_as_they_were(database: Any, tmp_path: Path) -> None:
    make_hook(database, "raise exception 'never called'")
    async with emulator(database, tmp_path, None) as client:
        assert client.claims(await client.post("/signup", **PERSON))["aal"] == "aal1"


@pytest.mark.anyio
async def test_it_is_given_what_supabase_auth_gives(database: Any, tmp_path: Path) -> None:
    hook = make_hook(database, "return jsonb_set(event, '{claims,seen}', event - 'claims' || jsonb_build_object('by', session_user))")
    async with emulator(database, tmp_path, hook) as client:
        answer = await client.post("/signup", **PERSON)
        seen = client.claims(answer)["seen"]
        assert (seen["user_id"], seen["authentication_method"], seen["by"]) == (answer.json()["user"]["id"], "password", "supabase_auth_admin")
        assert seen["metadata"]["name"] == "customize-access-token"
        refreshed = await client.post("/token?grant_type=refresh_token", refresh_token=answer.json()["refresh_token"])
        assert client.claims(refreshed)["seen"]["authentication_method"] == "token_refresh"


FAILED = (500, "unexpected_failure", "error generating jwt token")
SCHEMA = (500, "unexpected_failure", "output claims do not conform to the expected schema")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise exception 'a secret of the database'", FAILED),
        ("perform pg_sleep(10)", FAILED),
        ("return '{}'", (500, "unexpected_failure", "output claims field is missing")),
        ("return null", (500, "unexpected_failure", "output claims field is missing")),
        ("return '{\"claims\": []}'", SCHEMA),
        ("return event #- '{claims,sub}'", SCHEMA),
        ("return jsonb_set(event, '{claims,exp}', '\"tomorrow\"')", SCHEMA),
        ("return jsonb_set(event, '{claims,exp}', 'true')", SCHEMA),
        ("return jsonb_set(event, '{claims,amr}', '\"totp\"')", SCHEMA),
        ("return '{\"error\": {\"http_code\": 403, \"message\": \"not today\"}}'", (403, "unknown", "not today")),
        ("return '{\"error\": {\"message\": \"not today\"}}'", (500, "unexpected_failure", "not today")),
        ("return '{\"error\": {\"http_code\": 200, \"message\": \"not today\"}}'", (500, "unexpected_failure", "not today")),
    ],
)
async def test_a_hook_that_fails_or_refuses_makes_no_token_and_leaves_nothing(
    database: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, body: str, said: tuple[int, str, str]
) -> None:
    async with emulator(database, tmp_path, make_hook(database, body)) as client:
        answer = await client.post("/signup", **PERSON)
        assert (answer.status_code, answer.json()["error_code"], answer.json()["msg"]) == said
        assert "a secret of the database" not in caplog.text
        make_hook(database, "return event")
        assert client.claims(await client.post("/signup", **PERSON))["email"] == PERSON["email"]


@pytest.mark.anyio
async def test_a_hook_that_fails_uses_up_no_refresh_token(database: Any, tmp_path: Path) -> None:
    async with emulator(database, tmp_path, make_hook(database, "return event")) as client:
        refresh_token = (await client.post("/signup", **PERSON)).json()["refresh_token"]
        make_hook(database, "raise exception 'broken'")
        assert (await client.post("/token?grant_type=refresh_token", refresh_token=refresh_token)).status_code == 500
        make_hook(database, "return event")
        client.claims(await client.post("/token?grant_type=refresh_token", refresh_token=refresh_token))


@pytest.mark.anyio
async def test_a_hook_that_is_not_there_or_not_ours_to_call_makes_no_token(database: Any, tmp_path: Path) -> None:
    for name in ("no_such_function", "pre_request"):
        async with emulator(database, tmp_path, replace(OURS, function=name)) as client:
            assert (await client.post("/signup", **PERSON)).status_code == 500


ENVIRONMENT: Mapping[str, str] = {
    "RINGFENCE_AUTH_DATABASE_URL": "postgresql://", "RINGFENCE_AUTH_PORT": "1", "RINGFENCE_ISSUER": "x", "RINGFENCE_SIGNING_KEYS": "x"}


def test_the_environment_names_the_hook_the_project_has(tmp_path: Path) -> None:
    config = AuthConfig.from_environment({**ENVIRONMENT, "RINGFENCE_ACCESS_TOKEN_HOOK": stack.ACCESS_TOKEN_HOOK})
    assert config.access_token_hook == OURS
    assert f'uri = "{stack.ACCESS_TOKEN_HOOK}"' in (tools.SUPABASE / "config.toml").read_text()
    assert AuthConfig.from_environment({**ENVIRONMENT, "RINGFENCE_ACCESS_TOKEN_HOOK": ""}).access_token_hook is None


@pytest.mark.parametrize(
    "uri", ["authz.access_token_hook", "https://acme.test/hook", "pg-functions://postgres/authz", "pg-functions://postgres/authz/a/b",
            "pg-functions://postgres/authz/x;drop", "pg-functions://postgres/Authz/hook", "pg-functions://postgres//hook"])
def test_a_hook_that_cannot_be_one_stops_the_start(uri: str) -> None:
    with pytest.raises(ConfigError, match="RINGFENCE_ACCESS_TOKEN_HOOK"):
        AuthConfig.from_environment({**ENVIRONMENT, "RINGFENCE_ACCESS_TOKEN_HOOK": uri})
