"""auth.mfa of @supabase/auth-js: one run of client_mfa.mjs, looked at from several sides."""

from __future__ import annotations

import json
import secrets
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.auth.harness import Emulator
from tests.auth.test_javascript_client import NODE_MODULES

SCRIPT = Path(__file__).with_name("client_mfa.mjs")


@pytest.fixture(scope="module")
def seen(emulator: Emulator) -> dict[str, Any]:
    done = subprocess.run(
        ["node", SCRIPT, emulator.url, NODE_MODULES, f"{secrets.token_hex(8)}@acme.test", secrets.token_urlsafe(12)],
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_enrols_challenges_and_verifies_F06(seen: dict[str, Any]) -> None:
    assert seen["enrol"] == {"error": None, "type": "totp", "picture": "data:image/svg+xml;utf-8,<?xml ", "uri": True}
    assert seen["challenge"] == {"error": None, "type": "totp", "later": True}
    assert seen["verify"] == {"error": None, "user": True}
    assert seen["list"] == {"error": None, "totp": [[True, "verified", "phone app"]]}


def test_it_reads_the_level_from_its_tokens_F06(seen: dict[str, Any]) -> None:
    assert seen["before"] == {"current": "aal1", "next": "aal1", "methods": ["password"]}
    assert seen["after"] == {"current": "aal2", "next": "aal2", "methods": ["totp", "password"]}
    assert seen["refresh"] == {"error": None, "level": "aal2"}
    assert seen["nextSignIn"] == {"current": "aal1", "next": "aal2", "methods": ["password"]}
    assert seen["stepUp"] == {"error": None, "level": "aal2"}
    assert (seen["unenrol"], seen["end"]) == (None, {"current": "aal1", "next": "aal1", "methods": ["password"]})


@pytest.mark.parametrize(
    ("step", "code", "status"),
    [("wrong", "mfa_verification_failed", 422), ("replay", "mfa_verification_failed", 422), ("password", "insufficient_aal", 401),
     ("unenrolWeak", "insufficient_aal", 422)],
)
def test_it_understands_every_refusal(seen: dict[str, Any], step: str, code: str, status: int) -> None:
    assert seen[step] == {"name": "AuthApiError", "code": code, "status": status}


def test_a_weaker_session_elsewhere_is_over(seen: dict[str, Any]) -> None:
    assert seen["weakerSession"]["name"] == "AuthSessionMissingError"
