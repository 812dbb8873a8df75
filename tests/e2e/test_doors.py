"""What stands behind the edge: PostgREST itself, called directly, gives nothing more."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest

from tests.e2e.conftest import SignedIn, send

People = Callable[[str], SignedIn]
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def forge(stack: dict[str, Any], person: People) -> Callable[..., str]:
    """Sign claims with the stack's live key, starting from a real person's token."""
    keys = json.loads(next(Path(stack["state_dir"]).rglob("signing_keys.json")).read_text())
    key = jwt.PyJWK((keys["keys"] if isinstance(keys, dict) else keys)[0])

    def make(**claims: Any) -> str:
        real = jwt.decode(person("owner@acme.test").token, options={"verify_signature": False})
        return jwt.encode({**real, **claims}, key.key, "ES256", {"kid": key.key_id})

    return make


def direct(stack: dict[str, Any], token: str | None, path: str, method: str = "POST", body: Any = None, **headers: str) -> Any:
    """Call PostgREST itself."""
    more = {"authorization": f"Bearer {token}"} if token else {}
    return send(stack["rest_url"], method, path, {"content-type": "application/json"} | more | headers, {} if body is None and method == "POST" else body)


def test_the_forging_helper_makes_tokens_that_are_accepted(stack: dict[str, Any], forge: Callable[..., str]) -> None:
    assert direct(stack, forge(), "/rpc/whoami").status == 200


def test_a_service_role_token_reads_nothing_even_without_the_edge(stack: dict[str, Any], forge: Callable[..., str]) -> None:
    answer = direct(stack, forge(role="service_role"), "/rpc/whoami")
    assert (answer.status, answer.json()["code"]) == (403, "42501")
    at_the_edge = send(stack["url"], "POST", "/rest/v1/rpc/whoami",
                       {"authorization": f"Bearer {forge(role='service_role')}", "content-type": "application/json"}, {})
    assert at_the_edge.status == 401


def test_no_token_and_the_anon_role_reach_no_function_R7(stack: dict[str, Any], forge: Callable[..., str]) -> None:
    assert direct(stack, None, "/rpc/whoami").status == 401
    assert direct(stack, forge(role="anon"), "/rpc/whoami").status in (401, 403)


@pytest.mark.parametrize("schema", ["app", "authz", "public", "auth", "extensions", "pg_catalog"])
def test_no_other_schema_is_exposed_R3(stack: dict[str, Any], person: People, schema: str) -> None:
    token = person("owner@acme.test").token
    answer = direct(stack, token, "/organization", "GET", **{"accept-profile": schema})
    assert (answer.status, answer.json()["code"]) == (406, "PGRST106")
    assert direct(stack, token, "/rpc/whoami", **{"content-profile": "api"}).status == 200


@pytest.mark.parametrize("table", ["organization", "chunk", "membership", "audit_event"])
def test_no_table_has_a_path_R2(stack: dict[str, Any], person: People, table: str) -> None:
    assert direct(stack, person("owner@acme.test").token, f"/{table}", "GET").status == 404


@pytest.mark.parametrize("claims", [
    {"session_id": UNKNOWN}, {"session_id": None}, {"sub": UNKNOWN}, {"is_anonymous": True}, {"sub": "x"}, {"role": "authenticator"},
], ids=str)
def test_pre_request_refuses_what_the_signature_cannot_see_R41(stack: dict[str, Any], forge: Callable[..., str], claims: dict[str, Any]) -> None:
    answer = direct(stack, forge(**claims), "/rpc/whoami")
    assert answer.status in (401, 403)
    assert "email" not in answer.json()


def test_an_org_id_claim_narrows_and_never_widens_F11(stack: dict[str, Any], person: People, forge: Callable[..., str]) -> None:
    both = person("both@example.test")
    mine = jwt.decode(both.token, options={"verify_signature": False})

    def slugs(**claims: Any) -> list[str]:
        return [o["slug"] for o in direct(stack, forge(**{**mine, **claims}), "/rpc/whoami").json()["organizations"]]

    assert slugs() == ["acme", "globex"]
    assert slugs(org_id=both.orgs["globex"]) == ["globex"]
    assert slugs(org_id=str(uuid4())) == slugs(org_id="*") == slugs(org_id=None) == []
    nobody = jwt.decode(person("nobody@example.test").token, options={"verify_signature": False})
    assert slugs(**nobody, org_id=both.orgs["acme"]) == []


def test_an_expired_token_is_refused_and_a_fresh_one_is_not_R67(stack: dict[str, Any], forge: Callable[..., str]) -> None:
    def ask(token: str) -> int:
        return send(stack["url"], "POST", "/rest/v1/rpc/whoami", {"authorization": f"Bearer {token}", "content-type": "application/json"}, {}).status

    now = int(time.time())
    assert ask(forge()) == 200
    assert ask(forge(exp=now - 60, iat=now - 120)) == 401
