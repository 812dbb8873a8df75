"""`@supabase/supabase-js` with the edge as its project URL: one run of supabase.mjs, looked at from several sides."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.clients.conftest import HARD_TEXT, PASSAGES
from tests.e2e.revoking import Team

EMAIL = f"{secrets.token_hex(8)}@clients.test"
Seen = dict[str, Any]


@pytest.fixture(scope="module")
def seen(stack: dict[str, Any], team: Team, node: Callable[..., Any]) -> Seen:
    """What the client saw, by step; a step's `error` is null when it went well."""
    member = team.member()
    found: Seen = node(
        "supabase.mjs", url=stack["url"], key=stack["publishable_key"], account={"email": EMAIL, "password": secrets.token_urlsafe(12)},
        member={"email": member.email, "password": member.password}, org=team.org, word=team.word)
    return found


def test_an_account_is_made_used_and_changed(seen: Seen) -> None:
    assert seen["signUp"] == {"error": None, "email": EMAIL, "whoami": EMAIL}
    assert seen["update"] == {"error": None, "name": "Eve 日本語"} and seen["getUser"] == "Eve 日本語"
    assert seen["signUpAgain"] == {"name": "AuthApiError", "code": "user_already_exists", "status": 422}
    assert seen["wrong"] == {"name": "AuthApiError", "code": "invalid_credentials", "status": 400}
    assert (seen["signedOut"]["status"], seen["signedOut"]["error"]["code"]) == (401, "invalid_token")


def test_sessions_are_refreshed_when_asked_for_when_set_and_by_themselves(seen: Seen) -> None:
    assert seen["refresh"] == {"rotated": True, "newToken": True, "whoami": EMAIL}
    assert seen["setSession"] == {"error": None, "newToken": True, "whoami": EMAIL}
    assert seen["setSessionUnknown"] == {"name": "AuthApiError", "code": "refresh_token_not_found", "status": 400}
    assert (seen["byItself"]["whoami"], seen["byItself"]["kept"]) == (EMAIL, True)
    assert "TOKEN_REFRESHED" in seen["byItself"]["events"]


def test_a_second_factor_takes_the_session_to_aal2_in_the_database_too_F06(seen: Seen) -> None:
    assert seen["mfa"] == {
        "before": ["aal1", "aal1", "aal1"], "refused": {"name": "AuthApiError", "code": "mfa_verification_failed", "status": 422},
        "verified": None, "after": ["aal2", "aal2", "aal2"]}


def test_signing_out_ends_what_its_scope_says_at_once_R41(seen: Seen) -> None:
    assert seen["signOut"] == {
        "local": {"error": None, "here": "session_ended", "there": EMAIL},
        "others": {"error": None, "here": EMAIL, "there": "session_ended"},
        "global": {"error": None, "here": "session_ended", "there": "session_ended"}}


def test_one_row_none_and_many_are_told_apart(seen: Seen, team: Team) -> None:
    for step in ("one", "maybeOne"):
        assert (seen[step]["status"], seen[step]["error"]) == (200, None) and team.word in seen[step]["data"]
    assert (seen["maybeNone"]["data"], seen["maybeNone"]["error"]) == (None, None)
    for step in ("none", "many"):
        assert (seen[step]["status"], seen[step]["data"]) == (406, None)
        assert (seen[step]["error"]["code"], seen[step]["error"]["message"]) == ("not_single", "The result is not exactly one row.")
    assert (seen["maybeMany"]["status"], seen["maybeMany"]["error"]["code"]) == (406, "PGRST116"), "the client's own"


@pytest.mark.parametrize(("step", "status", "code"), [
    ("invalid", 400, "invalid_argument"), ("missing", 400, "invalid_argument"), ("notFound", 404, "not_found"), ("denied", 403, "denied"),
    ("unknown", 404, "unknown_rpc"), ("table", 404, "not_found"), ("foreignTable", 404, "not_found"), ("filtered", 400, "query_not_allowed"),
    ("asGet", 405, "method_not_allowed"),
])
def test_every_refusal_has_a_code_and_a_sentence_and_nothing_of_the_database(seen: Seen, step: str, status: int, code: str) -> None:
    error = seen[step]["error"]
    assert (seen[step]["status"], error["code"], seen[step]["data"]) == (status, code, None)
    assert error["message"] and not error.get("details")


def test_the_schema_may_be_named_errors_thrown_and_calls_aborted(seen: Seen) -> None:
    assert seen["schemas"] == [1, 1], "the door leads to schema api whatever the client asks for"
    assert seen["thrown"] == ["PostgrestError", "invalid_argument"]
    assert seen["aborted"]["data"] is None and "AbortError" in seen["aborted"]["error"]["message"]


def test_large_results_in_every_script_arrive_whole(seen: Seen) -> None:
    assert sorted(seen["large"]) == sorted(f"lengthy {number} {HARD_TEXT * 40}".strip() for number in range(PASSAGES))
