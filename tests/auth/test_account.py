"""Reading and changing one's own account, by the real Python client."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
from supabase_auth import SyncGoTrueClient
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from tests.auth.harness import Emulator, Person


def test_the_account_is_the_one_of_the_token(signed_in: SyncGoTrueClient, person: Person) -> None:
    answer = signed_in.get_user()
    assert answer and (answer.user.id, answer.user.email) == (person.id, person.email)


def test_metadata_is_merged_and_null_removes_a_key(signed_in: SyncGoTrueClient) -> None:
    signed_in.update_user({"data": {"name": "Ada", "team": {"lead": None}, "gone": 1}})
    answer = signed_in.update_user({"data": {"name": "Eve", "gone": None}})
    metadata = answer.user.user_metadata
    assert (metadata["name"], metadata["team"]) == ("Eve", {"lead": None})
    assert "gone" not in metadata and "sub" in metadata


def test_nobody_writes_their_own_app_metadata(signed_in: SyncGoTrueClient, emulator: Emulator, person: Person) -> None:
    session = signed_in.get_session()
    assert session
    body = emulator.put_user(session.access_token, {"app_metadata": {"role": "owner"}, "role": "service_role"}).json()
    assert (body["app_metadata"], body["role"]) == ({"provider": "email", "providers": ["email"]}, "authenticated")


def test_a_new_password_replaces_the_old_one_and_ends_the_other_sessions(
    signed_in: SyncGoTrueClient, new_client: Callable[[], SyncGoTrueClient], person: Person, emulator: Emulator
) -> None:
    other = new_client()
    other.sign_in_with_password({"email": person.email, "password": person.password})
    signed_in.update_user({"password": "a better one"})
    assert emulator.grant("password", email=person.email, password=person.password).status_code == 400
    assert emulator.grant("password", email=person.email, password="a better one").status_code == 200
    with pytest.raises(AuthApiError) as ended:
        other.get_user()
    assert ended.value.code == "session_not_found"
    assert signed_in.get_user()


def test_a_new_password_must_be_new_and_strong(signed_in: SyncGoTrueClient, person: Person) -> None:
    with pytest.raises(AuthApiError) as same:
        signed_in.update_user({"password": person.password})
    assert (same.value.code, same.value.status) == ("same_password", 422)
    with pytest.raises(AuthWeakPasswordError):
        signed_in.update_user({"password": "12345"})


def test_a_new_address_is_the_one_to_sign_in_with(signed_in: SyncGoTrueClient, person: Person, emulator: Emulator) -> None:
    email = f"{secrets.token_hex(8)}@acme.test"
    answer = signed_in.update_user({"email": email.upper()})
    assert answer.user.email == email
    assert [identity.identity_data["email"] for identity in answer.user.identities or []] == [email]
    assert emulator.grant("password", email=email, password=person.password).status_code == 200
    assert emulator.grant("password", email=person.email, password=person.password).status_code == 400


def test_an_address_of_somebody_else_is_refused_and_nothing_else_changes(signed_in: SyncGoTrueClient, emulator: Emulator) -> None:
    taken = f"{secrets.token_hex(8)}@acme.test"
    emulator.post("/signup", json={"email": taken, "password": "long enough"})
    with pytest.raises(AuthApiError) as refused:
        signed_in.update_user({"email": taken, "data": {"name": "Eve"}, "password": "changed too"})
    assert (refused.value.code, refused.value.status) == ("email_exists", 422)
    answer = signed_in.get_user()
    assert answer and "name" not in answer.user.user_metadata


def test_verified_factors_are_shown_without_their_secret(signed_in: SyncGoTrueClient, person: Person, emulator: Emulator) -> None:
    emulator.change(
        "insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret)"
        " values (gen_random_uuid(), %s, 'phone app', 'totp', 'verified', now(), now(), 'JBSWY3DPEHPK3PXP')",
        person.id,
    )
    assert [(f.factor_type, f.status, f.friendly_name) for f in signed_in.mfa.list_factors().totp] == [
        ("totp", "verified", "phone app")
    ]
    session = signed_in.get_session()
    assert session and "JBSWY3DPEHPK3PXP" not in emulator.get_user(session.access_token).text


def test_a_banned_person_cannot_use_a_token_they_hold(signed_in: SyncGoTrueClient, person: Person, emulator: Emulator) -> None:
    session = signed_in.get_session()
    assert session and emulator.get_user(session.access_token).status_code == 200
    emulator.change("update auth.users set banned_until = now() + interval '1 hour' where id = %s", person.id)
    for answer in (emulator.get_user(session.access_token), emulator.put_user(session.access_token, {"data": {"name": "Eve"}})):
        assert (answer.status_code, answer.json()["error_code"]) == (403, "user_banned")
