"""Signing out: the session's row is gone, so its access token is worth nothing although it has not expired (R41)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from supabase_auth import SyncGoTrueClient
from supabase_auth.types import Session

from tests.auth.harness import Emulator, Person


def live(emulator: Emulator, session: Session) -> bool:
    """Return whether the session's row exists; the emulator must be of the same opinion."""
    session_id = emulator.keys.verify(session.access_token)["session_id"]
    exists = bool(emulator.rows("select from auth.sessions where id = %s", session_id))
    answer = emulator.get_user(session.access_token)
    assert answer.status_code == (200 if exists else 403)
    if not exists:
        assert answer.json()["error_code"] == "session_not_found"
    return exists


@pytest.mark.parametrize(
    ("scope", "this_one_lives", "other_lives"), [("global", False, False), ("local", False, True), ("others", True, False)]
)
def test_signing_out_ends_the_sessions_of_its_scope_R41(
    signed_in: SyncGoTrueClient,
    new_client: Callable[[], SyncGoTrueClient],
    person: Person,
    emulator: Emulator,
    scope: Literal["global", "local", "others"],
    this_one_lives: bool,
    other_lives: bool,
) -> None:
    this = signed_in.get_session()
    other = new_client().sign_in_with_password({"email": person.email, "password": person.password}).session
    assert this and other and live(emulator, this) and live(emulator, other)
    signed_in.sign_out({"scope": scope})
    assert (live(emulator, this), live(emulator, other)) == (this_one_lives, other_lives)


def test_a_signed_out_session_cannot_be_refreshed(signed_in: SyncGoTrueClient, emulator: Emulator) -> None:
    session = signed_in.get_session()
    assert session
    signed_in.sign_out()
    answer = emulator.grant("refresh_token", refresh_token=session.refresh_token)
    assert answer.json()["error_code"] == "refresh_token_not_found"


def test_signing_out_twice_is_no_error_for_the_client(signed_in: SyncGoTrueClient, emulator: Emulator) -> None:
    session = signed_in.get_session()
    assert session
    header = {"authorization": f"Bearer {session.access_token}"}
    assert emulator.post("/logout", headers=header).status_code == 204
    assert emulator.post("/logout", headers=header).json()["error_code"] == "session_not_found"
    signed_in.sign_out()
    assert signed_in.get_session() is None


def test_nobody_is_signed_out_by_somebody_else(
    signed_in: SyncGoTrueClient, new_client: Callable[[], SyncGoTrueClient], emulator: Emulator
) -> None:
    stranger = new_client()
    stranger.sign_up({"email": f"stranger-{id(stranger)}@acme.test", "password": "long enough"})
    stranger.sign_out({"scope": "global"})
    session = signed_in.get_session()
    assert session and live(emulator, session)


def test_an_unknown_scope_is_refused_and_ends_nothing(signed_in: SyncGoTrueClient, emulator: Emulator) -> None:
    session = signed_in.get_session()
    assert session
    answer = emulator.post(
        "/logout", params={"scope": "everybody"}, headers={"authorization": f"Bearer {session.access_token}"}
    )
    assert (answer.status_code, answer.json()["error_code"]) == (400, "validation_failed")
    assert live(emulator, session)
