"""A second factor from enrolment to removal, by the real Python client."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import jwt
import pytest
from supabase_auth import SyncGoTrueClient
from supabase_auth.errors import AuthApiError

from tests.auth.authenticator import Authenticator, enrol, enrolled, token
from tests.auth.harness import Emulator, MovableClock, Person

NewClient = Callable[[], SyncGoTrueClient]


def claims(client: SyncGoTrueClient) -> dict[str, object]:
    return dict(jwt.decode(token(client), options={"verify_signature": False}))


def a_moment_ago(clock: MovableClock, timestamp: int) -> bool:
    return 0 <= clock().timestamp() - timestamp < 20


def sign_in(client: SyncGoTrueClient, person: Person) -> SyncGoTrueClient:
    client.sign_in_with_password({"email": person.email, "password": person.password})
    return client


def test_enrolment_gives_the_secret_its_address_and_a_picture_of_it_F06(signed_in: SyncGoTrueClient, person: Person) -> None:
    answer = signed_in.mfa.enroll({"factor_type": "totp", "friendly_name": "phone app", "issuer": "acme.test"})
    assert answer.totp and (answer.type, answer.friendly_name) == ("totp", "phone app")
    address = urlsplit(answer.totp.uri)
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert parse_qs(address.query) == {"secret": [answer.totp.secret], "issuer": ["acme.test"]}
    assert len(answer.totp.secret) == 32
    kind, _, picture = answer.totp.qr_code.partition(",")
    assert kind == "data:image/svg+xml;utf-8"
    assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg" and "#" not in picture
    assert [f.status for f in signed_in.mfa.list_factors().all] == ["unverified"]


def test_a_right_code_makes_the_session_aal2_with_the_time_in_amr_F06(signed_in: SyncGoTrueClient, clock: MovableClock) -> None:
    level = signed_in.mfa.get_authenticator_assurance_level()
    assert (level.current_level, level.next_level) == ("aal1", "aal1")
    before = claims(signed_in)
    app = enrolled(signed_in, clock)
    after = claims(signed_in)
    used, *earlier = after["amr"]  # type: ignore[misc]
    level = signed_in.mfa.get_authenticator_assurance_level()
    assert (level.current_level, level.next_level) == ("aal2", "aal2")
    assert (after["aal"], after["session_id"], after["sub"]) == ("aal2", before["session_id"], before["sub"])
    assert (used["method"], earlier) == ("totp", before["amr"]) and a_moment_ago(clock, used["timestamp"])
    factors = signed_in.mfa.list_factors()
    assert [(f.id, f.status, f.friendly_name) for f in factors.totp] == [(app.factor_id, "verified", "phone app")]


def test_the_level_and_its_time_outlast_a_refresh_and_a_new_code_renews_the_time_F07(signed_in: SyncGoTrueClient, clock: MovableClock) -> None:
    app = enrolled(signed_in, clock)
    first = claims(signed_in)["amr"]
    clock.advance(1000)
    signed_in.refresh_session()
    assert (claims(signed_in)["aal"], claims(signed_in)["amr"]) == ("aal2", first)
    app.confirm(signed_in)
    used, *earlier = claims(signed_in)["amr"]  # type: ignore[misc]
    assert (used["method"], earlier) == ("totp", first[1:]) and a_moment_ago(clock, used["timestamp"])  # type: ignore[index]


def test_the_next_sign_in_is_aal1_until_it_confirms(new_client: NewClient, person: Person, clock: MovableClock) -> None:
    app = enrolled(sign_in(new_client(), person), clock)
    client = sign_in(new_client(), person)
    level = client.mfa.get_authenticator_assurance_level()
    assert (level.current_level, level.next_level) == ("aal1", "aal2")
    app.confirm(client)
    assert client.mfa.get_authenticator_assurance_level().current_level == "aal2"


def test_confirming_ends_the_weaker_sessions_and_keeps_the_equal_ones(new_client: NewClient, person: Person, clock: MovableClock) -> None:
    strong, weak, mine = (sign_in(new_client(), person) for _ in range(3))
    app = enrolled(strong, clock)
    with pytest.raises(AuthApiError) as ended:
        weak.get_user()
    assert ended.value.code == "session_not_found"
    with pytest.raises(AuthApiError):
        mine.get_user()
    again = sign_in(new_client(), person)
    app.confirm(again)
    assert strong.get_user() and again.get_user()


def test_a_refresh_token_from_before_the_second_factor_is_worth_nothing(signed_in: SyncGoTrueClient, clock: MovableClock, emulator: Emulator) -> None:
    session = signed_in.get_session()
    assert session
    enrolled(signed_in, clock)
    answer = emulator.grant("refresh_token", refresh_token=session.refresh_token)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "refresh_token_not_found")
    assert signed_in.refresh_session().session


def test_removing_a_factor_takes_aal2_and_lowers_the_sessions_it_raised(new_client: NewClient, person: Person, clock: MovableClock) -> None:
    client = sign_in(new_client(), person)
    app = enrolled(client, clock)
    other = sign_in(new_client(), person)
    with pytest.raises(AuthApiError) as refused:
        other.mfa.unenroll({"factor_id": app.factor_id})
    assert (refused.value.status, refused.value.code) == (422, "insufficient_aal")
    assert client.mfa.unenroll({"factor_id": app.factor_id}).id == app.factor_id
    client.refresh_session()
    assert (claims(client)["aal"], [m["method"] for m in claims(client)["amr"]]) == ("aal1", ["password"])  # type: ignore[attr-defined]
    assert client.mfa.list_factors().all == []


def test_a_factor_never_verified_is_removed_without_aal2_and_by_the_next_that_is(signed_in: SyncGoTrueClient, clock: MovableClock) -> None:
    first, second = (enrol(signed_in, clock, name) for name in ("first", "second"))
    assert signed_in.mfa.unenroll({"factor_id": first.factor_id}).id == first.factor_id
    app = enrolled(signed_in, clock, "third")
    assert [f.id for f in signed_in.mfa.list_factors().all] == [app.factor_id] != [second.factor_id]


def test_a_second_one_takes_the_first(new_client: NewClient, person: Person, clock: MovableClock) -> None:
    client = sign_in(new_client(), person)
    app = enrolled(client, clock)
    other = sign_in(new_client(), person)
    with pytest.raises(AuthApiError) as refused:
        enrol(other, clock, "thief's app")
    assert (refused.value.status, refused.value.code) == (403, "insufficient_aal")
    app.confirm(other)
    assert enrolled(other, clock, "second app").factor_id != app.factor_id
    assert len(other.mfa.list_factors().totp) == 2


@pytest.mark.parametrize("change", [{"password": "a better one"}, {"email": "new-address@acme.test"}])
def test_password_and_address_of_a_person_with_a_second_factor_change_with_it_only_F06(
    new_client: NewClient, person: Person, clock: MovableClock, emulator: Emulator, change: dict[str, str]
) -> None:
    app = enrolled(sign_in(new_client(), person), clock)
    client = sign_in(new_client(), person)
    with pytest.raises(AuthApiError) as refused:
        client.update_user(change)  # type: ignore[arg-type]
    assert (refused.value.status, refused.value.code) == (401, "insufficient_aal")
    assert client.update_user({"data": {"name": "Ada"}}).user.user_metadata["name"] == "Ada"
    assert emulator.grant("password", email=person.email, password=person.password).status_code == 200
    app.confirm(client)
    client.update_user(change)  # type: ignore[arg-type]
    email = change.get("email", person.email)
    assert emulator.grant("password", email=email, password=change.get("password", person.password)).status_code == 200


def test_nobody_reaches_a_factor_of_somebody_else(
    signed_in: SyncGoTrueClient, new_client: NewClient, clock: MovableClock, emulator: Emulator
) -> None:
    app = enrolled(signed_in, clock)
    stranger = new_client()
    stranger.sign_up({"email": f"stranger-{app.factor_id}@acme.test", "password": "long enough"})
    headers = {"authorization": f"Bearer {token(stranger)}"}
    own = enrol(stranger, clock)
    challenge = stranger.mfa.challenge({"factor_id": own.factor_id}).id
    said = set()
    for factor_id in (app.factor_id, "6ba7b810-9dad-41d1-80b4-00c04fd430c8"):
        for method, path, body in (
            ("POST", "/challenge", {}), ("DELETE", "", None), ("POST", "/verify", {"challenge_id": challenge, "code": app.code(1)})):
            answer = emulator.http.request(method, f"/factors/{factor_id}{path}", headers=headers, json=body)
            said.add((answer.status_code, answer.text))
    assert said == {(404, '{"code":404,"error_code":"mfa_factor_not_found","msg":"Factor not found"}')}
    # A challenge of one's own factor is no answer to another's.
    theirs = signed_in.mfa.challenge({"factor_id": app.factor_id}).id
    answer = emulator.post(f"/factors/{own.factor_id}/verify", headers=headers, json={"challenge_id": theirs, "code": own.next_code()})
    assert (answer.status_code, answer.json()["error_code"]) == (422, "mfa_factor_not_found")
    assert isinstance(app, Authenticator) and signed_in.mfa.list_factors().totp
