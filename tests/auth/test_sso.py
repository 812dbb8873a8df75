"""Signing in through an identity provider leaves what Supabase Auth leaves: an account of that provider alone, its word in auth.identities (F05)."""

from __future__ import annotations

import secrets

import pytest

from tests.auth.harness import Emulator
from tests.auth.identity_provider import IdentityProvider


@pytest.fixture
def provider(emulator: Emulator) -> IdentityProvider:
    return IdentityProvider(emulator.database.url("supabase_auth_admin"), emulator.config, emulator.keys)


def test_the_first_sign_in_makes_an_account_with_the_providers_word_F05(emulator: Emulator, provider: IdentityProvider) -> None:
    answer = provider.sign_in("e-17", "ada@acme.test", groups=["Staff"])
    claims = emulator.keys.verify(answer["access_token"])
    (used,) = claims["amr"]
    assert (used["method"], used["provider"], claims["aal"]) == ("sso/saml", str(provider.id), "aal1")
    assert claims["app_metadata"] == {"provider": provider.provider, "providers": [provider.provider]}
    (row,) = emulator.rows("select u.is_sso_user, u.encrypted_password, i.provider_id, i.identity_data from auth.users u"
                           " join auth.identities i on i.user_id = u.id where u.id = %s", claims["sub"])
    assert row["is_sso_user"] and row["encrypted_password"] is None and row["provider_id"] == "e-17"
    assert row["identity_data"]["custom_claims"] == {"groups": ["Staff"]}
    assert emulator.get_user(answer["access_token"]).json()["email"] == "ada@acme.test"


def test_the_next_sign_in_is_the_same_person_with_the_providers_latest_word_F05(emulator: Emulator, provider: IdentityProvider) -> None:
    first, second = (provider.sign_in("e-18", "bob@acme.test", groups=groups) for groups in (["Staff", "Leads"], ["Staff"]))
    assert first["user"]["id"] == second["user"]["id"]
    (row,) = emulator.rows("select identity_data -> 'custom_claims' -> 'groups' as groups from auth.identities where user_id = %s", first["user"]["id"])
    assert row["groups"] == ["Staff"]
    assert emulator.grant("refresh_token", refresh_token=first["refresh_token"]).status_code == 200


def test_an_address_that_somebody_has_already_opens_nothing_of_theirs_F05(emulator: Emulator, provider: IdentityProvider) -> None:
    email, password = f"{secrets.token_hex(4)}@acme.test", secrets.token_urlsafe(16)
    theirs = emulator.post("/signup", json={"email": email, "password": password}).json()["user"]["id"]
    other = IdentityProvider(provider.database_url, provider.config, provider.keys)
    assert len({theirs, *(p.sign_in("x", email)["user"]["id"] for p in (provider, other))}) == 3
    assert emulator.grant("password", email=email, password=password).json()["user"]["id"] == theirs


def test_address_and_password_of_such_an_account_are_the_providers_F05(emulator: Emulator, provider: IdentityProvider) -> None:
    answer = provider.sign_in("e-19", "eve@acme.test", groups=["Staff"])
    for change in ({"password": secrets.token_urlsafe(16)}, {"email": "ada@globex.test"}):
        refused = emulator.put_user(answer["access_token"], change)
        assert (refused.status_code, refused.json()["error_code"]) == (422, "user_sso_managed")
    # What they say of themselves they may change, and it stays where nobody asks.
    assert emulator.put_user(answer["access_token"], {"data": {"custom_claims": {"groups": ["Admins"]}}}).status_code == 200
    (row,) = emulator.rows("select identity_data -> 'custom_claims' as told from auth.identities where user_id = %s", answer["user"]["id"])
    assert row["told"] == {"groups": ["Staff"]}
