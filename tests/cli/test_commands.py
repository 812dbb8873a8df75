"""`ringfence login | chat | kb | doctor`: what they print, and what they say when something is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_readme import commands
from tests.stack.support import ringfence

# Every one there is, and the groups they are in.
COMMANDS = sorted({" ".join(words[:count]) for words in map(str.split, commands()) for count in range(len(words) + 1)})


@pytest.fixture
def at(stack: dict[str, Any]) -> list[str]:
    """Return the option that points a command at the shared stack."""
    return ["--state-dir", stack["state_dir"]]


@pytest.fixture
def elsewhere(stack: dict[str, Any], tmp_path: Path) -> dict[str, str]:
    """Return an environment that reaches the shared stack by address alone, with a state folder of its own."""
    return {"RINGFENCE_URL": stack["url"], "SUPABASE_PUBLISHABLE_KEY": stack["publishable_key"], "RINGFENCE_STATE_DIR": str(tmp_path)}


def password(stack: dict[str, Any], email: str) -> str:
    return next(str(user["password"]) for user in stack["users"] if user["email"] == email)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    done = ringfence(*command.split(), "--help")
    assert done.returncode == 0
    assert len([line for line in done.stdout.splitlines() if line.strip()]) >= 5


def test_a_person_signs_in_and_chats_with_citations_and_a_run_id(stack: dict[str, Any], elsewhere: dict[str, str]) -> None:
    signed_in = ringfence("login", "owner@acme.test", "--password-stdin", environment=elsewhere, stdin=password(stack, "owner@acme.test") + "\n")
    assert signed_in.returncode == 0, signed_in.stderr
    assert signed_in.stdout.count(".") == 2, "the token alone, to be used in scripts"
    answer = ringfence("chat", "--bot", "acme/helpdesk", "How do I install starlette?", environment=elsewhere)
    assert answer.returncode == 0, answer.stderr
    *_, last = answer.stdout.splitlines()
    assert re.fullmatch(r"run [0-9a-f-]{36}", last)
    line = r"\[\d+\] .+  document [0-9a-f-]{36}  chunk [0-9a-f-]{36}  characters \d+-\d+  score 0\.\d{4}  untrusted"
    assert [row for row in answer.stdout.splitlines() if re.fullmatch(line, row)], answer.stdout


def test_an_example_person_needs_no_password(at: list[str]) -> None:
    done = ringfence("chat", "--bot", "globex/helpdesk", "--as", "both@example.test", "May I redistribute it?", *at)
    assert done.returncode == 0, done.stderr
    assert "run " in done.stdout


def test_a_wrong_password_is_said_in_one_line(elsewhere: dict[str, str]) -> None:
    done = ringfence("login", "owner@acme.test", "--password-stdin", environment=elsewhere, stdin="wrong\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ringfence: owner@acme.test cannot sign in: Invalid login credentials\n"


@pytest.mark.parametrize(
    ("bot", "email"), [("globex/helpdesk", "owner@acme.test"), ("acme/absent", "owner@acme.test"), ("acme/helpdesk", "removed@acme.test")]
)
def test_a_bot_of_others_and_an_absent_one_are_the_same_to_chat(at: list[str], bot: str, email: str) -> None:
    done = ringfence("chat", "--bot", bot, "--as", email, "Hello?", *at)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ringfence: no such bot, or not yours to run (not_found)\n"


def test_documents_are_added_once_and_replaced_when_they_change(stack: dict[str, Any], at: list[str], tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    file = tmp_path / "notes" / "quokka.md"
    file.write_text("# Quokkas\n\nA quokka is fed at noon by the night shift.\n")
    (tmp_path / "notes" / "image.png").write_bytes(b"\x89PNG")
    add = ["kb", "add", "acme/handbook", str(tmp_path / "notes"), "--private", "--as", "owner@acme.test", *at]
    assert ringfence(*add).stdout == "quokka.md: 1 passage(s)\n"
    assert ringfence(*add).stdout == "quokka.md: unchanged\n"
    file.write_text("# Quokkas\n\nA quokka is fed at midnight by the day shift.\n")
    assert ringfence(*add).stdout == "quokka.md: 1 passage(s), replaced\n"
    ask = ["chat", "--bot", "acme/helpdesk", "Who feeds the quokka?", *at]
    assert "midnight" in ringfence(*ask, "--as", "owner@acme.test").stdout
    assert "midnight" not in ringfence(*ask, "--as", "member@acme.test").stdout, "a private document stays its owner's"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["kb", "add", "globex/handbook", __file__, "--as", "owner@acme.test"], "no organization 'globex' of yours; yours: acme"),
        (["kb", "add", "acme/absent", __file__, "--as", "owner@acme.test"], "acme has no knowledge base 'absent'; those you may see: handbook"),
        (["kb", "add", "acme/handbook", str(Path(__file__).parent), "--as", "owner@acme.test"], "no file of a known kind"),
        (["chat", "--bot", "acme/helpdesk", "--as", "stranger@example.test", "Hello?"], "the password of stranger@example.test is not known here"),
    ],
)
def test_a_mistake_is_explained_in_one_line(at: list[str], arguments: list[str], said: str) -> None:
    done = ringfence(*arguments, *at)
    assert done.returncode == 1
    *skipped, last = done.stderr.splitlines()
    assert last.startswith("ringfence: ") and said in last
    assert all(line.endswith(": skipped: not a kind of file that is taken") for line in skipped)


def test_a_broken_file_is_named_and_the_others_are_added(at: list[str], tmp_path: Path) -> None:
    for folder, text in (("one", b"A wombat digs at dawn."), ("two", b""), ("three", b"caf\xe9"), ("zwei", b"A wombat sleeps at noon.")):
        (tmp_path / "notes" / folder).mkdir(parents=True)
        (tmp_path / "notes" / folder / "index.md").write_bytes(text)
    done = ringfence("kb", "add", "acme/handbook", str(tmp_path / "notes"), "--private", "--as", "owner@acme.test", *at)
    assert done.returncode == 1
    assert done.stdout == "one/index.md: 1 passage(s)\nzwei/index.md: 1 passage(s)\n"
    three, two, last = done.stderr.splitlines()
    assert three.startswith("three/index.md: not added: ") and "UTF-8" in three
    assert two == "two/index.md: not added: The document holds no text."
    assert last == "ringfence: 2 of 4 files not added"


def test_a_running_stack_is_not_moved_to_another_port_in_silence(stack: dict[str, Any], at: list[str]) -> None:
    same, other = (ringfence("up", "--detach", "--json", "--port", port, *at) for port in (stack["url"].rsplit(":")[-1], "9"))
    assert same.returncode == 0 and json.loads(same.stdout)["url"] == stack["url"]
    assert (other.returncode, other.stderr) == (
        1, f"ringfence: the stack already runs at {stack['url']}: run `ringfence down` before it moves to port 9\n")


def test_a_token_that_is_no_longer_good_says_what_to_run(elsewhere: dict[str, str], tmp_path: Path) -> None:
    from edge_proxy.local.state import State

    state = State(tmp_path)
    state.create()
    state.write("session.json", {"url": elsewhere["RINGFENCE_URL"], "email": "x", "access_token": "a.b.c"})
    done = ringfence("chat", "--bot", "acme/helpdesk", "Hello?", environment=elsewhere)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("(invalid_token): run `ringfence login EMAIL`\n")


def test_a_member_without_the_permission_cannot_add_documents(at: list[str], tmp_path: Path) -> None:
    file = tmp_path / "mine.md"
    file.write_text("Something new.\n")
    done = ringfence("kb", "add", "acme/handbook", file, "--as", "member@acme.test", *at)
    assert done.returncode == 1 and done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["chat", "--bot", "acme/helpdesk", "Hello?"], ["login", "owner@acme.test"], ["status"]])
def test_without_a_stack_a_command_says_how_to_start_one(command: list[str], tmp_path: Path) -> None:
    done = ringfence(*command, "--state-dir", tmp_path / "none")
    assert done.returncode == 1
    assert "start one with `ringfence up`" in done.stderr
    assert not (tmp_path / "none").exists()


def test_an_edge_that_does_not_answer_is_said_so(elsewhere: dict[str, str]) -> None:
    nowhere = elsewhere | {"RINGFENCE_URL": "http://127.0.0.1:9"}
    done = ringfence("login", "owner@acme.test", "--password-stdin", environment=nowhere, stdin="x\n")
    assert done.returncode == 1 and done.stderr == "ringfence: http://127.0.0.1:9 cannot be reached\n"


def test_serve_refuses_to_start_with_a_secret_key_R82(stack: dict[str, Any]) -> None:
    settings = {"SUPABASE_URL": stack["url"], "SUPABASE_PUBLISHABLE_KEY": stack["publishable_key"], "SUPABASE_SECRET_KEY": "anything"}
    done = ringfence("serve", environment=settings)
    assert done.returncode == 2
    assert "SUPABASE_SECRET_KEY must not be set" in done.stderr and "anything" not in done.stderr


def test_the_seeded_stack_describes_itself_as_the_design_says(stack: dict[str, Any], at: list[str]) -> None:
    status = json.loads(ringfence("status", "--json", *at).stdout)
    assert {name: value for name, value in status.items() if name != "parts"} == stack


def test_the_api_is_described_as_json_and_as_a_page(stack: dict[str, Any], at: list[str], tmp_path: Path) -> None:
    told = ringfence("openapi", *at, "--as", "member@acme.test")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["paths"]["/rest/v1/rpc/whoami"]["post"]["operationId"] == "whoami"
    page = tmp_path / "api.html"
    assert ringfence("openapi", *at, "--as", "member@acme.test", "--html", "--out", page).returncode == 0
    assert "/rest/v1/rpc/whoami" in page.read_text() and "<script" not in page.read_text()
