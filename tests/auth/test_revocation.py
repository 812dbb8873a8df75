"""A sign-out is felt by the database at once: authz.pre_request refuses the token that has not expired."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from edge_proxy.local.auth.app import create_app
from edge_proxy.local.auth.config import AuthConfig
from edge_proxy.local.auth.keys import SigningKeys


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def refused(database: Any, claims: dict[str, Any]) -> bool:
    """Return whether a request with these claims ends before it begins, as PostgREST would have it."""
    with database.connect("authenticator") as connection:
        connection.execute("set local role authenticated")
        connection.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))
        try:
            connection.execute("select authz.pre_request()")
        except psycopg.DatabaseError as error:
            assert "the session has ended" in str(error)
            return True
    return False


@pytest.mark.anyio
@pytest.mark.parametrize("scope", ["global", "local"])
async def test_the_token_of_a_signed_out_session_is_refused_before_it_expires_R41(
    database: Any, tmp_path: Path, scope: str
) -> None:
    keys = SigningKeys.load_or_create(tmp_path / "keys.json")
    config = AuthConfig(database.url("supabase_auth_admin"), 0, "http://127.0.0.1:8787/auth/v1", tmp_path / "keys.json")
    app = create_app(config, keys)
    async with app.router.lifespan_context(app), httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://emulator"
    ) as client:
        account = {"email": "ada@acme.test", "password": "long enough"}
        first = (await client.post("/signup", json=account)).json()["access_token"]
        second = (await client.post("/token?grant_type=password", json=account)).json()["access_token"]
        assert not refused(database, keys.verify(first)) and not refused(database, keys.verify(second))
        answer = await client.post(f"/logout?scope={scope}", headers={"authorization": f"Bearer {first}"})
    assert answer.status_code == 204
    assert refused(database, keys.verify(first))
    assert refused(database, keys.verify(second)) is (scope == "global")
