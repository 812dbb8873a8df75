"""Refresh tokens: rotation, lost answers, two tabs at once, and theft."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from supabase_auth import SyncGoTrueClient
from supabase_auth.errors import AuthApiError

from tests.auth.harness import Emulator, MovableClock, Person


def refresh_token(client: SyncGoTrueClient) -> str:
    session = client.get_session()
    assert session
    return session.refresh_token


def rotate(emulator: Emulator, token: str) -> str:
    """Return the token that replaces `token`."""
    answer = emulator.grant("refresh_token", refresh_token=token)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["refresh_token"])


def refusal(emulator: Emulator, token: str) -> tuple[int, str]:
    answer = emulator.grant("refresh_token", refresh_token=token)
    return answer.status_code, answer.json().get("error_code", "")


def test_refreshing_keeps_the_session_and_rotates_the_token(signed_in: SyncGoTrueClient, emulator: Emulator) -> None:
    before = signed_in.get_session()
    after = signed_in.refresh_session().session
    assert before and after
    assert after.refresh_token != before.refresh_token
    claims = [emulator.keys.verify(session.access_token) for session in (before, after)]
    assert claims[0]["session_id"] == claims[1]["session_id"]
    assert claims[0]["amr"] == claims[1]["amr"]
    stored = emulator.rows(
        "select token, parent, revoked from auth.refresh_tokens where session_id = %s order by id", claims[0]["session_id"]
    )
    assert stored == [
        {"token": before.refresh_token, "parent": None, "revoked": True},
        {"token": after.refresh_token, "parent": before.refresh_token, "revoked": False},
    ]


def test_a_refresh_whose_answer_was_lost_can_be_repeated(
    signed_in: SyncGoTrueClient, emulator: Emulator, clock: MovableClock
) -> None:
    first = refresh_token(signed_in)
    second = rotate(emulator, first)
    clock.advance(3600)
    assert rotate(emulator, first) == second


def test_an_older_token_is_honoured_within_the_reuse_interval(
    signed_in: SyncGoTrueClient, emulator: Emulator, clock: MovableClock
) -> None:
    first = refresh_token(signed_in)
    third = rotate(emulator, rotate(emulator, first))
    clock.advance(9)
    assert rotate(emulator, first) == third


def test_reuse_after_the_interval_ends_the_whole_session(
    signed_in: SyncGoTrueClient, emulator: Emulator, clock: MovableClock
) -> None:
    session = signed_in.get_session()
    assert session
    third = rotate(emulator, rotate(emulator, session.refresh_token))
    clock.advance(11)
    assert refusal(emulator, session.refresh_token) == (400, "refresh_token_already_used")
    assert refusal(emulator, third) == (400, "refresh_token_not_found")
    assert emulator.get_user(session.access_token).json()["error_code"] == "session_not_found"
    session_id = emulator.keys.verify(session.access_token)["session_id"]
    assert emulator.rows("select from auth.sessions where id = %s", session_id) == []
    assert emulator.rows("select from auth.refresh_tokens where session_id = %s", session_id) == []


def test_theft_in_one_session_leaves_the_others_alone(
    signed_in: SyncGoTrueClient,
    new_client: Callable[[], SyncGoTrueClient],
    person: Person,
    emulator: Emulator,
    clock: MovableClock,
) -> None:
    other = new_client()
    other.sign_in_with_password({"email": person.email, "password": person.password})
    first = refresh_token(signed_in)
    rotate(emulator, rotate(emulator, first))
    clock.advance(11)
    assert refusal(emulator, first) == (400, "refresh_token_already_used")
    assert other.refresh_session().session


def test_two_refreshes_at_the_same_moment_give_one_new_token(signed_in: SyncGoTrueClient, emulator: Emulator) -> None:
    first = refresh_token(signed_in)
    # Both requests are held in the middle by a lock on their session, then let go together.
    with emulator.database.connect() as holder, ThreadPoolExecutor(2) as threads:
        holder.execute(
            "select from auth.sessions s join auth.refresh_tokens t on t.session_id = s.id where t.token = %s for update of s",
            (first,),
        )
        waiting = [threads.submit(rotate, emulator, first) for _ in "ab"]
        deadline = time.monotonic() + 60
        held = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        while len(emulator.rows(held)) < 2:
            assert time.monotonic() < deadline, "the two requests did not meet"
            time.sleep(0.01)
        holder.rollback()
        replacements = {request.result() for request in waiting}
    assert len(replacements) == 1
    assert len(emulator.rows("select from auth.refresh_tokens where parent = %s", first)) == 1


def test_the_client_reports_a_token_nobody_gave_out(client: SyncGoTrueClient) -> None:
    with pytest.raises(AuthApiError, match="Refresh Token Not Found") as refused:
        client.refresh_session("never given out")
    assert (refused.value.code, refused.value.status) == ("refresh_token_not_found", 400)


def test_an_empty_refresh_token_is_refused(emulator: Emulator) -> None:
    assert refusal(emulator, "") == (400, "validation_failed")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("update auth.users set banned_until = now() + interval '1 hour' where id = %s", "user_banned"),
        ("update auth.sessions set not_after = now() - interval '1 second' where user_id = %s", "session_expired"),
        ("update auth.users set deleted_at = now() where id = %s", "user_not_found"),
    ],
)
def test_who_may_no_longer_sign_in_may_not_refresh(
    signed_in: SyncGoTrueClient, emulator: Emulator, person: Person, change: str, code: str
) -> None:
    token = rotate(emulator, refresh_token(signed_in))
    emulator.change(change, person.id)
    assert refusal(emulator, token)[1] == code
