"""Signing up, signing in and changing an account, by the real Python client."""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from supabase_auth import AsyncGoTrueClient, SyncGoTrueClient
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from edge_proxy.local.auth import passwords
from tests.auth.harness import Emulator, MovableClock, Person

NewClient = Callable[[], SyncGoTrueClient]


def test_signing_up_gives_a_confirmed_account_and_a_session(client: SyncGoTrueClient, emulator: Emulator) -> None:
    email = f"{secrets.token_hex(8)}@Acme.Test"
    answer = client.sign_up({"email": email, "password": "long enough", "options": {"data": {"name": "Ada", "sub": "forged"}}})
    assert answer.user and answer.session
    user = answer.user
    assert (user.email, user.aud, user.role, user.is_anonymous) == (email.lower(), "authenticated", "authenticated", False)
    assert user.email_confirmed_at and user.last_sign_in_at
    assert user.app_metadata == {"provider": "email", "providers": ["email"]}
    assert user.user_metadata["name"] == "Ada"
    assert user.user_metadata["sub"] == user.id
    assert [(i.provider, i.id, i.user_id) for i in user.identities or []] == [("email", user.id, user.id)]
    assert answer.session.expires_in == 3600
    stored = emulator.rows("select encrypted_password, email from auth.users where id = %s", user.id)[0]
    assert stored["encrypted_password"].startswith("$2b$10$")
    assert stored["email"] == email.lower()


def test_an_address_can_be_taken_once_whatever_its_case(client: SyncGoTrueClient, person: Person) -> None:
    with pytest.raises(AuthApiError, match="User already registered") as refused:
        client.sign_up({"email": person.email.upper(), "password": "another one"})
    assert (refused.value.code, refused.value.status) == ("user_already_exists", 422)


def test_a_short_password_is_refused_with_its_reason(client: SyncGoTrueClient) -> None:
    with pytest.raises(AuthWeakPasswordError) as refused:
        client.sign_up({"email": f"{secrets.token_hex(8)}@acme.test", "password": "12345"})
    assert (refused.value.reasons, refused.value.status) == (["length"], 422)


@pytest.mark.parametrize(
    ("email", "password", "code"),
    [
        ("no-at-sign", "long enough", "validation_failed"),
        ("two words@acme.test", "long enough", "validation_failed"),
        ("a@nodot", "long enough", "validation_failed"),
        ("x" * 250 + "@acme.test", "long enough", "validation_failed"),
        ("fits@acme.test", "p" * 73, "validation_failed"),
        ("fits@acme.test", "ß" * 40, "validation_failed"),
    ],
)
def test_what_cannot_be_an_account_is_refused(client: SyncGoTrueClient, email: str, password: str, code: str) -> None:
    with pytest.raises(AuthApiError) as refused:
        client.sign_up({"email": email, "password": password})
    assert refused.value.code == code


def test_anonymous_and_phone_sign_up_are_off(client: SyncGoTrueClient) -> None:
    with pytest.raises(AuthApiError) as anonymous:
        client.sign_in_anonymously()
    assert anonymous.value.code == "anonymous_provider_disabled"
    with pytest.raises(AuthApiError) as phone:
        client.sign_up({"phone": "15550100", "password": "long enough"})
    assert phone.value.code == "phone_provider_disabled"


def test_signing_in_gives_a_new_session_each_time(new_client: NewClient, person: Person, emulator: Emulator) -> None:
    sessions = [new_client().sign_in_with_password({"email": person.email, "password": person.password}).session for _ in "ab"]
    assert all(sessions) and len({session.refresh_token for session in sessions if session}) == 2
    assert len(emulator.rows("select from auth.sessions where user_id = %s", person.id)) == 3


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_asynchronous_client_signs_in_too(emulator: Emulator, person: Person, anyio_backend: str) -> None:
    async with AsyncGoTrueClient(url=emulator.url, auto_refresh_token=False) as client:
        answer = await client.sign_in_with_password({"email": person.email, "password": person.password})
        assert answer.user and answer.user.id == person.id
        refreshed = await client.refresh_session()
        assert refreshed.session and answer.session
        assert refreshed.session.refresh_token != answer.session.refresh_token


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(emulator: Emulator, person: Person) -> None:
    wrong = emulator.grant("password", email=person.email, password="not the one")
    unknown = emulator.grant("password", email="nobody@acme.test", password="not the one")
    empty = emulator.grant("password", email="", password="")
    right = emulator.grant("password", email=person.email, password=person.password)
    assert [answer.status_code for answer in (wrong, unknown, empty, right)] == [400, 400, 400, 200]
    assert wrong.json() == unknown.json() == empty.json()
    assert wrong.json() == {"code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials"}
    assert set(wrong.headers) == set(unknown.headers)


def test_an_unknown_address_takes_as_long_as_a_wrong_password(emulator: Emulator, person: Person) -> None:
    def typical(email: str) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            emulator.grant("password", email=email, password="not the one")
            times.append(time.perf_counter() - started)
        return statistics.median(times)

    # Without a hash to compare, an unknown address would answer in a tenth of the time.
    assert typical("nobody@acme.test") > typical(person.email) / 3


def test_a_password_that_differs_after_72_bytes_is_another_password(emulator: Emulator) -> None:
    email, password = f"{secrets.token_hex(8)}@acme.test", "p" * 72
    assert emulator.post("/signup", json={"email": email, "password": password}).status_code == 200
    assert emulator.grant("password", email=email, password=password).status_code == 200
    assert emulator.grant("password", email=email, password=password + "q").status_code == 400


def test_a_banned_person_is_told_only_after_the_right_password(emulator: Emulator, person: Person) -> None:
    emulator.change("update auth.users set banned_until = now() + interval '1 hour' where id = %s", person.id)
    assert emulator.grant("password", email=person.email, password="not the one").json()["error_code"] == "invalid_credentials"
    assert emulator.grant("password", email=person.email, password=person.password).json()["error_code"] == "user_banned"


def test_a_ban_that_is_over_no_longer_holds(emulator: Emulator, person: Person, clock: MovableClock) -> None:
    emulator.change("update auth.users set banned_until = now() + interval '1 hour' where id = %s", person.id)
    clock.advance(3601)
    assert emulator.grant("password", email=person.email, password=person.password).status_code == 200


def test_a_deleted_person_is_unknown(emulator: Emulator, person: Person) -> None:
    emulator.change("update auth.users set deleted_at = now() where id = %s", person.id)
    answer = emulator.grant("password", email=person.email, password=person.password)
    assert answer.json()["error_code"] == "invalid_credentials"


@pytest.mark.parametrize(("change", "code"), [
    ("encrypted_password = 'another hash'", "invalid_credentials"),
    ("deleted_at = now()", "invalid_credentials"),
    ("banned_until = now() + interval '1 hour'", "user_banned"),
    ("raw_user_meta_data = '{}'", None),
])
def test_who_changed_while_the_password_was_compared_gets_no_session(
    emulator: Emulator, person: Person, monkeypatch: pytest.MonkeyPatch, change: str, code: str | None
) -> None:
    compare = passwords.matches

    async def change_meanwhile(password: str, hashed: str | None) -> bool:
        same = await compare(password, hashed)
        emulator.change(f"update auth.users set {change} where id = %s", person.id)
        return same

    monkeypatch.setattr(passwords, "matches", change_meanwhile)
    before = emulator.rows("select id from auth.sessions where user_id = %s", person.id)
    answer = emulator.grant("password", email=person.email, password=person.password)
    assert answer.json().get("error_code") == code
    assert len(emulator.rows("select id from auth.sessions where user_id = %s", person.id)) == len(before) + (code is None)


def test_sign_ins_of_one_person_at_once_all_succeed(emulator: Emulator, person: Person) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: emulator.grant("password", email=person.email, password=person.password), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
