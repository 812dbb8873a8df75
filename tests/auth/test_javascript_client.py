"""The same by @supabase/auth-js: one run of client.mjs, looked at from several sides."""

from __future__ import annotations

import json
import secrets
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.auth.harness import Emulator

SCRIPT = Path(__file__).with_name("client.mjs")
NODE_MODULES = Path(__file__).parents[2] / "supabase" / "node_modules"
EMAIL = f"{secrets.token_hex(8)}@acme.test"


@pytest.fixture(scope="module")
def seen(emulator: Emulator) -> dict[str, Any]:
    """What the client saw, by step; a step's `error` is null when it went well."""
    done = subprocess.run(
        ["node", SCRIPT, emulator.url, NODE_MODULES, EMAIL, secrets.token_urlsafe(12)],
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_signs_up_signs_in_and_reads_the_account(seen: dict[str, Any]) -> None:
    assert seen["signUp"] == {"error": None, "email": EMAIL, "name": "Ada", "session": True}
    assert seen["signIn"] == {"error": None, "sameUser": True}
    assert seen["user"] == {"error": None, "email": EMAIL}
    assert seen["update"] == {"error": None, "name": "Eve"}


def test_it_verifies_the_token_itself(seen: dict[str, Any]) -> None:
    assert seen["claims"] == {"error": None, "sub": True, "aal": "aal1"}
    assert (seen["level"]["currentLevel"], seen["level"]["nextLevel"]) == ("aal1", "aal1")
    assert [entry["method"] for entry in seen["level"]["currentAuthenticationMethods"]] == ["password"]


def test_it_rotates_its_refresh_token(seen: dict[str, Any]) -> None:
    assert seen["refresh"] == {"error": None, "rotated": True}


@pytest.mark.parametrize(
    ("step", "name", "code", "status"),
    [
        ("signUpAgain", "AuthApiError", "user_already_exists", 422),
        ("weak", "AuthWeakPasswordError", "weak_password", 422),
        ("wrong", "AuthApiError", "invalid_credentials", 400),
        ("unknown", "AuthApiError", "invalid_credentials", 400),
        ("badRefresh", "AuthApiError", "refresh_token_not_found", 400),
        ("samePassword", "AuthApiError", "same_password", 422),
    ],
)
def test_it_understands_every_refusal(seen: dict[str, Any], step: str, name: str, code: str, status: int) -> None:
    assert (seen[step]["name"], seen[step]["code"], seen[step]["status"]) == (name, code, status)


def test_it_reads_the_reasons_of_a_weak_password(seen: dict[str, Any]) -> None:
    assert seen["weak"]["reasons"] == ["length"]


def test_it_signs_out_everywhere_and_notices_elsewhere(seen: dict[str, Any]) -> None:
    assert seen["signOut"] == {"error": None, "session": False}
    assert seen["afterSignOut"]["name"] == "AuthSessionMissingError"
    assert seen["signOutOfNothing"] is None
