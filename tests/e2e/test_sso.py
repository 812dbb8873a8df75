"""Single sign-on through the whole stack: from the provider's word to a membership, and its end with the next token (F05, F04)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import psycopg
import pytest

from edge_proxy.local.auth.config import AuthConfig
from edge_proxy.local.auth.hook import AccessTokenHook
from edge_proxy.local.auth.keys import KeyFile
from edge_proxy.local.stack import ACCESS_TOKEN_HOOK
from edge_proxy.local.state import State
from tests.auth.identity_provider import IdentityProvider
from tests.e2e.conftest import SignedIn, send


@pytest.fixture
def acme(stack: dict[str, Any]) -> UUID:
    return UUID(next(o["id"] for u in stack["users"] for o in u["orgs"] if o["slug"] == "acme"))


@pytest.fixture
def provider(stack: dict[str, Any], acme: UUID) -> IdentityProvider:
    """A provider that the operator connected with acme: its engineers are members, its leads build."""
    path = State(Path(stack["state_dir"])).signing_keys
    config = AuthConfig(stack["database_url"], 0, f"{stack['url']}/auth/v1", path, access_token_hook=AccessTokenHook.from_uri(ACCESS_TOKEN_HOOK))
    made = IdentityProvider(stack["database_url"], config, KeyFile(path))
    with psycopg.connect(stack["database_url"]) as db:
        db.execute("insert into app.sso_connection (org_id, provider) values (%s, %s)", [acme, made.provider])
        for position, (name, role) in enumerate((("Leads", "builder"), ("Engineers", "member")), 1):
            db.execute(
                "insert into app.sso_group (org_id, connection_id, name, role_id, position, created_by)"
                " select c.org_id, c.id, %s, r.id, %s, o.created_by from app.sso_connection c join app.role r on r.org_id = c.org_id and r.name = %s"
                " join app.organization o on o.id = c.org_id where c.provider = %s", [name, position, role, made.provider])
    return made


def person(stack: dict[str, Any], answer: dict[str, Any]) -> SignedIn:
    return SignedIn(stack["url"], answer["user"]["email"], answer["user"]["id"], answer["access_token"])


def role(signed_in: SignedIn) -> str | None:
    return next((o["role"] for o in signed_in.rpc("whoami").json()["organizations"] if o["slug"] == "acme"), None)


def test_groups_open_an_organization_change_the_role_and_close_it_F05_F04(stack: dict[str, Any], acme: UUID, provider: IdentityProvider) -> None:
    ada = person(stack, provider.sign_in("e-1", "ada@acme.test", groups=["Everyone", "Engineers"]))
    assert role(ada) is None
    assert [o["role"] for o in ada.rpc("list_sso_organizations").json()] == ["member"]
    joined = ada.rpc("join_by_sso", org_id=str(acme))
    assert (joined.status, joined.json()["role"], role(ada)) == (200, "member", "member")
    assert ada.rpc("search_documents", org_id=str(acme), query="delivery").status == 200

    promoted = provider.sign_in("e-1", "ada@acme.test", groups=["Engineers", "Leads"])
    assert jwt.decode(promoted["access_token"], options={"verify_signature": False})["org_roles"] == {str(acme): "builder"}
    assert role(ada) == "builder"  # her older token too: what she may do is read from tables

    # The provider forgets her, as it does at her next sign-in anywhere; the other device is told when it refreshes.
    with psycopg.connect(stack["database_url"]) as db:
        db.execute("update auth.identities set identity_data = identity_data || '{\"custom_claims\": {\"groups\": []}}' where provider = %s", [provider.provider])
    refreshed = send(stack["url"], "POST", "/auth/v1/token?grant_type=refresh_token",
                     {"apikey": stack["publishable_key"], "content-type": "application/json"}, {"refresh_token": promoted["refresh_token"]})
    assert refreshed.status == 200
    assert role(ada) is None and role(person(stack, promoted)) is None
    assert ada.rpc("join_by_sso", org_id=str(acme)).status == 404


def test_a_provider_of_another_organization_opens_nothing_R53(stack: dict[str, Any], acme: UUID, provider: IdentityProvider) -> None:
    stranger = IdentityProvider(provider.database_url, provider.config, provider.keys)
    mallory = person(stack, stranger.sign_in("e-1", "ada@acme.test", groups=["Engineers", "Leads"]))
    assert mallory.rpc("list_sso_organizations").json() == []
    assert mallory.rpc("join_by_sso", org_id=str(acme)).status == 404
    assert person(stack, provider.sign_in("e-2", "bob@acme.test", groups=["Leads"])).rpc("join_by_sso", org_id=str(acme)).json()["role"] == "builder"
