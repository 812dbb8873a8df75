"""What somebody new to the command line is told: which files were left out, who is who, what to type where there is no terminal."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.cli import kb
from agent.cli.chat import shown
from agent.cli.errors import CliError
from agent.documents.classification import CLASSES, classification
from agent.providers.offline_answer import inert, plain
from tests.cli.test_people import Someone, founder  # noqa: F401  # a fixture
from tests.e2e.conftest import send


def test_a_folder_gives_its_files_by_their_path_below_it_and_says_which_it_leaves_out(tmp_path: Path) -> None:
    for name in ("one.md", "sub/two words.txt", "sub/three.exe", "notes"):
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_text(name)
    files, skipped = kb.found([tmp_path / "docs"])
    assert (list(files), skipped) == (["one.md", "sub/two words.txt"], ["notes", "sub/three.exe"])
    assert list(kb.found([tmp_path / "docs" / "sub" / "three.exe"])[0]) == ["three.exe"], "named itself it is tried, and its error is told"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "one.md").write_text("another")
    with pytest.raises(CliError, match="two files are called one.md"):
        kb.found([tmp_path / "docs", tmp_path / "other"])
    assert list(kb.found([tmp_path / "docs", tmp_path / "docs" / "one.md"])[0]) == ["one.md", "sub/two words.txt"]


@pytest.mark.parametrize(("given", "number"), [*((word, n) for n, word in enumerate(CLASSES)), (" Secret", 3), ("2", 2), ("4", None), ("top", None), ("", None), ("²", None)])
def test_a_class_is_a_word_or_its_number_F26(given: str, number: int | None) -> None:
    assert classification(given) == number


@pytest.mark.parametrize("text", ["<script>if a < b</script>", "a &lt; b, &amp;lt; and &amp;amp;lt; & <b>", "![x](y) <!-- z --> plain", "\\<img src=x>"])
def test_a_terminal_shows_the_characters_and_html_stays_inert_R105(text: str) -> None:
    escaped = inert(text)
    assert not re.search(r"!\[|<[a-z/!?]", escaped, re.IGNORECASE)
    assert plain(escaped) == text
    assert shown(escaped, escaped_html=True) == text
    assert shown(escaped, escaped_html=False) == escaped, "what a language model wrote is as it wrote it"
    assert shown("a\x1b]0;owned\x07b\u009b31m\n", escaped_html=False) == "a]0;ownedb31m\n", "no document speaks to the terminal"


def alone(arguments: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command without a terminal and without anything on standard input."""
    return subprocess.run([sys.executable, "-m", "agent.cli", *arguments, "--state-dir", str(folder)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120, env={**os.environ, **environment})


def test_without_a_terminal_a_password_is_not_asked_for_and_the_option_is_named(tmp_path: Path) -> None:
    somewhere = {"RINGFENCE_URL": "http://127.0.0.1:9", "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_x"}
    ended = alone(["login", "somebody@example.test"], tmp_path, **somewhere)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("ringfence: the password of somebody@example.test is not known here") and "--password-stdin" in ended.stderr
    (tmp_path / "session.json").write_text(json.dumps({"url": "http://127.0.0.1:9", "email": "somebody@example.test", "access_token": "x"}))
    ended = alone(["token", "create", "acme", "nightly", "-p", "documents.read"], tmp_path, **somewhere)
    assert ended.returncode == 1 and "--password-stdin" in ended.stderr


def test_a_founder_invites_lists_and_makes_tokens_and_is_told_what_went_wrong(founder: tuple[Someone, str], stack: dict[str, Any], tmp_path: Path) -> None:  # noqa: F811
    owner, slug = founder
    assert owner.email in owner.done("members", slug)
    listed = owner.run("token", "list", slug)
    assert (listed.returncode, listed.stdout) == (0, "") and f"no API token in {slug}" in listed.stderr
    account = Someone(stack, tmp_path / "account")
    invited = owner.run("invite", slug, account.email, "--role", "agent", "--service")
    assert "a service account of yours" in invited.stderr
    account.done("join", invited.stdout.strip())
    token = owner.done("login", owner.email, "--password-stdin")
    services = send(stack["url"], "POST", "/rest/v1/rpc/list_service_accounts", {"authorization": f"Bearer {token}", "content-type": "application/json"},
                    {"org_id": organization(stack, token, slug)})
    assert [one["role"] for one in services.json()] == ["agent"]
    for permission, says in (("documents.reed", "'documents.reed' is none"), ("members.manage", "members.manage is for people alone")):
        refused = owner.run("token", "create", slug, "x", "-p", "documents.read", "-p", permission, "--password-stdin")
        assert refused.returncode == 1 and says in refused.stderr, refused.stderr


def organization(stack: dict[str, Any], token: str, slug: str) -> str:
    told = send(stack["url"], "POST", "/rest/v1/rpc/whoami", {"authorization": f"Bearer {token}", "content-type": "application/json"}, {}).json()
    return next(str(one["id"]) for one in told["organizations"] if one["slug"] == slug)


def test_a_folder_is_added_with_its_class_and_listed_as_files_F26_F33(stack: dict[str, Any], tmp_path: Path) -> None:
    name = secrets.token_hex(4)
    (tmp_path / name).mkdir()
    for file in (f"{name}/one two.md", f"{name}/image.xyz"):
        (tmp_path / file).write_text("# A quokka\n\nSmiles.")
    added = alone(["kb", "add", "acme/handbook", str(tmp_path), "--classification", "secret", "--as", "owner@acme.test"], Path(stack["state_dir"]))
    assert (added.returncode, added.stdout) == (0, f"{name}/one two.md: 1 passage(s)\n"), added.stderr
    assert f"{name}/image.xyz: skipped: not a kind of file that is taken" in added.stderr
    token = alone(["login", "owner@acme.test"], Path(stack["state_dir"])).stdout.strip()
    headers = {"authorization": f"Bearer {token}"}
    seen, after = [], ""
    while True:
        page = send(stack["url"], "GET", f"/v1/files?knowledge_base=acme/handbook&limit=7{after}", headers).json()
        assert page["object"] == "list" and len(page["data"]) <= 7 and page["data"][-1]["id"] == page["last_id"]
        seen += page["data"]
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"
    assert len({one["id"] for one in seen}) == len(seen) > 7
    [mine] = [one for one in seen if one["ringfence"]["uri"] == f"file:{name}/one%20two.md"]
    assert (mine["filename"], mine["ringfence"]["classification"], mine["object"]) == ("one two.md", 3, "file")
    for query, says in (("", "knowledge_base is missing"), ("?knowledge_base=acme/none", "no such knowledge base"), ("?knowledge_base=acme/handbook&limit=0", "limit: must be 1 to 999")):
        assert says in send(stack["url"], "GET", f"/v1/files{query}", headers).json()["message"]
    refused = send(stack["url"], "GET", "/v1/files?knowledge_base=acme/handbook&access_token=x", headers)
    assert (refused.status, refused.json()["code"]) == (400, "query_not_allowed")
    other = alone(["login", "owner@globex.test"], Path(stack["state_dir"])).stdout.strip()
    assert send(stack["url"], "GET", "/v1/files?knowledge_base=acme/handbook", {"authorization": f"Bearer {other}"}).status == 404
