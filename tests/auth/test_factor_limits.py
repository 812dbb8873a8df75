"""What a second factor withstands: replay, guessing, races, old challenges, odd requests."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from supabase_auth import SyncGoTrueClient
from supabase_auth.errors import AuthApiError

from edge_proxy.local.auth.attempts import MAX_CODES, WITHIN
from edge_proxy.local.auth.factors import CHALLENGE_LASTS, MAX_FACTORS
from tests.auth.authenticator import Authenticator, enrol, enrolled, token
from tests.auth.harness import Emulator, MovableClock, Person


def verify(client: SyncGoTrueClient, app: Authenticator, code: str) -> str:
    """Answer a new challenge: "" when the code was right, else the code of the error."""
    try:
        client.mfa.challenge_and_verify({"factor_id": app.factor_id, "code": code})
    except AuthApiError as error:
        return str(error.code)
    return ""


def wrong(app: Authenticator) -> str:
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in {app.code(step) for step in range(-2, 3)})


def test_a_code_is_right_once_and_so_is_none_before_it_F06(signed_in: SyncGoTrueClient, clock: MovableClock) -> None:
    app = enrolled(signed_in, clock)
    assert verify(signed_in, app, app.code()) == "mfa_verification_failed"
    assert verify(signed_in, app, app.code(-1)) == "mfa_verification_failed"
    assert verify(signed_in, app, app.code(1)) == ""
    assert verify(signed_in, app, app.code(1)) == "mfa_verification_failed"


@pytest.mark.parametrize(("steps", "said"), [(-2, "mfa_verification_failed"), (-1, ""), (0, ""), (1, ""), (2, "mfa_verification_failed")])
def test_clocks_may_differ_by_one_step(signed_in: SyncGoTrueClient, clock: MovableClock, steps: int, said: str) -> None:
    app = enrol(signed_in, clock)
    assert verify(signed_in, app, app.code(steps)) == said


@pytest.mark.parametrize("code", ["12345", "1234567", "12345x", " 123456", "١٢٣٤٥٦", "-12345"])
def test_what_is_no_code_is_wrong(signed_in: SyncGoTrueClient, clock: MovableClock, code: str) -> None:
    assert verify(signed_in, enrol(signed_in, clock), code) == "mfa_verification_failed"


def test_after_five_wrong_codes_even_the_right_one_waits_five_minutes_F06(signed_in: SyncGoTrueClient, clock: MovableClock) -> None:
    assert (MAX_CODES, WITHIN.total_seconds()) == (5, 300)
    app = enrolled(signed_in, clock)
    for _ in range(MAX_CODES):
        assert verify(signed_in, app, wrong(app)) == "mfa_verification_failed"
    assert verify(signed_in, app, app.code(1)) == "over_request_rate_limit"
    # Another factor of the same person, or another challenge, is no new chance.
    assert verify(signed_in, enrol(signed_in, clock, "another"), "123456") == "over_request_rate_limit"
    clock.advance(WITHIN.total_seconds() + 1)
    assert verify(signed_in, app, app.code()) == ""


def test_a_right_code_forgives_the_wrong_ones_before_it(signed_in: SyncGoTrueClient, clock: MovableClock) -> None:
    app = enrolled(signed_in, clock)
    for _ in range(2):
        for _ in range(MAX_CODES - 1):
            assert verify(signed_in, app, wrong(app)) == "mfa_verification_failed"
        assert verify(signed_in, app, app.next_code()) == ""


def test_guessing_by_many_at_once_gets_no_more_tries_F06(signed_in: SyncGoTrueClient, clock: MovableClock, emulator: Emulator) -> None:
    app = enrolled(signed_in, clock)
    headers = {"authorization": f"Bearer {token(signed_in)}"}
    challenge = signed_in.mfa.challenge({"factor_id": app.factor_id}).id

    def guess(_: int) -> int:
        body = {"challenge_id": challenge, "code": wrong(app)}
        return emulator.post(f"/factors/{app.factor_id}/verify", headers=headers, json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(20)))
    assert sorted(answers) == [422] * MAX_CODES + [429] * (20 - MAX_CODES)


def test_one_code_sent_twice_at_once_is_right_once_F06(
    signed_in: SyncGoTrueClient, clock: MovableClock, emulator: Emulator, person: Person
) -> None:
    app = enrolled(signed_in, clock)
    headers = {"authorization": f"Bearer {token(signed_in)}"}
    code = app.next_code()
    challenges = [signed_in.mfa.challenge({"factor_id": app.factor_id}).id for _ in range(4)]

    def answer(challenge: str) -> int:
        return emulator.post(f"/factors/{app.factor_id}/verify", headers=headers, json={"challenge_id": challenge, "code": code}).status_code

    # The session's row is held until all four stand in line, so that none is through before the others look.
    with ThreadPoolExecutor(4) as pool, emulator.database.connect() as holder:
        holder.execute("select from auth.sessions where user_id = %s for update", [person.id])
        answers = [pool.submit(answer, challenge) for challenge in challenges]
        waiting = "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        deadline = time.monotonic() + 60
        while emulator.rows(waiting) != [{"n": 4}] and time.monotonic() < deadline:
            time.sleep(0.05)
        holder.rollback()
        assert sorted(done.result() for done in answers) == [200, 422, 422, 422]


def test_a_challenge_is_answered_once_in_time_and_from_where_it_was_asked(
    signed_in: SyncGoTrueClient, clock: MovableClock, emulator: Emulator
) -> None:
    app = enrolled(signed_in, clock)

    def answer(challenge_id: str) -> str:
        try:
            signed_in.mfa.verify({"factor_id": app.factor_id, "challenge_id": challenge_id, "code": app.next_code()})
        except AuthApiError as error:
            return str(error.code)
        return ""

    used = signed_in.mfa.challenge({"factor_id": app.factor_id}).id
    assert (answer(used), answer(used)) == ("", "mfa_ip_address_mismatch")
    elsewhere = signed_in.mfa.challenge({"factor_id": app.factor_id}).id
    emulator.change("update auth.mfa_challenges set ip_address = '192.0.2.1' where id = %s", elsewhere)
    assert answer(elsewhere) == "mfa_ip_address_mismatch"
    asked = signed_in.mfa.challenge({"factor_id": app.factor_id})
    assert -20 < asked.expires_at - (clock() + CHALLENGE_LASTS).timestamp() <= 0
    clock.advance(CHALLENGE_LASTS.total_seconds())
    assert answer(asked.id) == "mfa_challenge_expired"
    assert answer("6ba7b810-9dad-41d1-80b4-00c04fd430c8") == answer("none") == "mfa_factor_not_found"
    assert answer(signed_in.mfa.challenge({"factor_id": app.factor_id}).id) == ""


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"factor_type": "phone", "phone": "+4912345"}, 422, "mfa_phone_enroll_not_enabled"),
        ({"factor_type": "webauthn"}, 422, "mfa_webauthn_enroll_not_enabled"),
        ({"factor_type": "sms"}, 400, "validation_failed"),
        ({}, 400, "validation_failed"),
        ({"factor_type": "totp", "friendly_name": "taken"}, 422, "mfa_factor_name_conflict"),
        ({"factor_type": "totp", "friendly_name": "n" * 121}, 400, "validation_failed"),
        ({"factor_type": "totp", "issuer": "i" * 121}, 400, "validation_failed"),
        ({"factor_type": 1}, 400, "bad_json"),
    ],
)
def test_an_enrolment_that_cannot_be_says_why(
    signed_in: SyncGoTrueClient, clock: MovableClock, emulator: Emulator, body: dict[str, object], status: int, code: str
) -> None:
    enrol(signed_in, clock, "taken")
    answer = emulator.post("/factors", json=body, headers={"authorization": f"Bearer {token(signed_in)}"})
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)


def test_ten_factors_are_enough_and_unfinished_ones_go(signed_in: SyncGoTrueClient, clock: MovableClock) -> None:
    for number in range(MAX_FACTORS):
        enrol(signed_in, clock, f"app {number}")
    with pytest.raises(AuthApiError) as refused:
        enrol(signed_in, clock, "one more")
    assert (refused.value.status, refused.value.code) == (422, "too_many_enrolled_mfa_factors")
    clock.advance(301)
    enrol(signed_in, clock, "one more")
    assert [f.friendly_name for f in signed_in.mfa.list_factors().all] == ["one more"]


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("DELETE", "/{id}"), ("POST", "/{id}/challenge"), ("POST", "/{id}/verify")])
def test_without_a_live_session_there_is_no_factor(
    signed_in: SyncGoTrueClient, clock: MovableClock, emulator: Emulator, method: str, path: str
) -> None:
    app = enrolled(signed_in, clock)
    ended = token(signed_in)
    signed_in.sign_out()
    url, body = "/factors" + path.format(id=app.factor_id), {"factor_type": "totp"} if method == "POST" else None
    assert emulator.http.request(method, url, json=body).status_code == 401
    answer = emulator.http.request(method, url, json=body, headers={"authorization": f"Bearer {ended}"})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "session_not_found")


def test_neither_the_log_nor_an_answer_after_enrolment_holds_the_secret(
    signed_in: SyncGoTrueClient, clock: MovableClock, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        app = enrolled(signed_in, clock)
        user = emulator.get_user(token(signed_in)).text
        assert verify(signed_in, app, wrong(app))
    assert app.factor_id in user and app.secret not in user
    assert app.secret not in caplog.text and app.code() not in caplog.text
    assert any("/factors/{factor_id}/verify 200" in line for line in caplog.messages)
