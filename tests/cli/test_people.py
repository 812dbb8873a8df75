"""`ringfence invite | join | members | token` from one person to the next, through a running stack."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import send
from tests.stack.support import ringfence

PASSWORD = secrets.token_urlsafe(12)


class Someone:
    """A person who signed up a moment ago, with a command line and a state folder of their own."""

    def __init__(self, stack: dict[str, Any], folder: Path) -> None:
        self.stack, self.email = stack, f"{folder.name}-{secrets.token_hex(4)}@example.test"
        self.environment = {"RINGFENCE_URL": stack["url"], "SUPABASE_PUBLISHABLE_KEY": stack["publishable_key"], "RINGFENCE_STATE_DIR": str(folder)}
        made = send(stack["url"], "POST", "/auth/v1/signup", {"apikey": stack["publishable_key"], "content-type": "application/json"},
                    {"email": self.email, "password": PASSWORD})
        assert made.status == 200, made.body
        assert self.run("login", self.email, "--password-stdin").returncode == 0

    def run(self, *arguments: str) -> Any:
        return ringfence(*arguments, environment=self.environment, stdin=f"{PASSWORD}\n")

    def done(self, *arguments: str) -> str:
        ended = self.run(*arguments)
        assert ended.returncode == 0, ended.stderr
        return str(ended.stdout).strip()

    def whoami(self, token: str) -> int:
        return send(self.stack["url"], "POST", "/rest/v1/rpc/whoami", {"authorization": f"Bearer {token}", "content-type": "application/json"}, {}).status


@pytest.fixture
def founder(stack: dict[str, Any], tmp_path: Path) -> tuple[Someone, str]:
    """Return somebody and the slug of the organization they just founded."""
    person, slug = Someone(stack, tmp_path / "founder"), f"crew-{secrets.token_hex(4)}"
    token = person.done("login", person.email, "--password-stdin")
    made = send(stack["url"], "POST", "/rest/v1/rpc/create_organization", {"authorization": f"Bearer {token}", "content-type": "application/json"},
                {"slug": slug, "name": "Crew"})
    assert made.status == 200, made.body
    return person, slug


def test_who_is_invited_joins_once_and_stands_in_the_list_R45(founder: tuple[Someone, str], stack: dict[str, Any], tmp_path: Path) -> None:
    owner, slug = founder
    guest, stranger = Someone(stack, tmp_path / "guest"), Someone(stack, tmp_path / "stranger")
    token = owner.done("invite", slug, guest.email, "--role", "agent")
    assert re.fullmatch(r"rfi_[A-Za-z0-9_-]{43}", token), "the token alone, to be used in scripts"
    refused = stranger.run("join", token)
    assert refused.returncode == 1 and "no such invitation to you" in refused.stderr
    assert guest.done("join", token) == f"you are agent of {slug} (Crew)"
    assert "no such invitation to you" in guest.run("join", token).stderr
    assert [line.split()[1:4] for line in owner.done("members", slug).splitlines()] == [[owner.email, "owner", "active"], [guest.email, "agent", "active"]]
    outside = stranger.run("members", slug)
    assert outside.returncode == 1 and f"no organization '{slug}' of yours" in outside.stderr


def test_an_api_token_is_made_listed_used_and_revoked_F08(founder: tuple[Someone, str]) -> None:
    owner, slug = founder
    token = owner.done("token", "create", slug, "nightly", "-p", "documents.read", "--days", "2", "--password-stdin")
    assert token.startswith("rft_") and len(token.splitlines()) == 1
    assert owner.whoami(token) == 200
    [line] = owner.done("token", "list", slug).splitlines()
    assert line.endswith("nightly: documents.read") and token[:12] in line and token not in line
    assert "is revoked since" in owner.done("token", "revoke", slug, line.split()[0])
    assert owner.whoami(token) == 401
    assert "revoked" in owner.done("token", "list", slug)
