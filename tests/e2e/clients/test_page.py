"""The programs of edge_proxy/CONNECT.md run as they stand there, against the seeded stack; its codes are those of the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent import errors as of_the_agent
from edge_proxy import database_errors
from edge_proxy import errors as of_the_edge
from tests.e2e.clients.conftest import NODE_MODULES

PAGE = (Path(of_the_edge.__file__).parent / "CONNECT.md").read_text()
PROGRAMS = re.findall(r"```(python|js|sh)\n(.*?)```", PAGE, re.DOTALL)
SUFFIX = {"python": "py", "js": "mjs", "sh": "sh"}
STARTS: dict[str, Callable[[Path], list[Any]]] = {"python": lambda file: [sys.executable, file], "js": lambda file: ["node", file], "sh": lambda file: ["sh", file]}
CHAT = ["signed in as member@acme.test", "found: ", "search_documents", '"query"', "answered in conversation ", "went on in "]
SAID = {"python chat": CHAT, "js chat": CHAT, "python mcp": ["tools: [", "'search_documents'", "answered "],
        "sh chat": ["signed in as member@acme.test", "data: [DONE]", '"isError":false', "ringfence/run_id"]}  # fmt: skip


def named() -> dict[str, tuple[str, str]]:
    return {f"{language} {'mcp' if 'from mcp' in text else 'chat'}": (language, text) for language, text in PROGRAMS}


def test_there_is_a_program_in_each_of_three_languages() -> None:
    assert set(named()) == set(SAID) and len(PROGRAMS) == len(SAID)


@pytest.mark.parametrize("name", SAID)
def test_each_program_of_the_page_does_what_it_says(stack: dict[str, Any], tmp_path: Path, name: str) -> None:
    language, text = named()[name]
    file = tmp_path / f"program.{SUFFIX[language]}"
    file.write_text(text)
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    member = next(user for user in stack["users"] if user["email"] == "member@acme.test")
    told = {"RINGFENCE_URL": stack["url"], "SUPABASE_PUBLISHABLE_KEY": stack["publishable_key"], "EMAIL": member["email"], "PASSWORD": member["password"]}
    done = subprocess.run(STARTS[language](file), env={**os.environ, **told}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for words in SAID[name]:
        assert words in done.stdout, done.stdout
    if name.endswith("chat") and language != "sh":
        first, second = re.search(r"answered in conversation (\S+)", done.stdout), re.search(r"went on in (\S+)", done.stdout)
        assert first and second and first[1] == second[1]


def test_every_code_of_the_page_exists_with_its_status() -> None:
    known: set[tuple[int, str]] = {(m.status, m.code) for m in database_errors._BY_STATE.values()}
    for module in (of_the_edge, of_the_agent):
        known |= {(kind.status, kind.code) for kind in vars(module).values() if isinstance(kind, type) and hasattr(kind, "code") and hasattr(kind, "status")}
    rows = re.findall(r"^\| ([\d, ]+) \| (`[^|]+) \|", PAGE, re.MULTILINE)
    assert len(rows) == 12
    for statuses, codes in rows:
        for code in re.findall(r"`(\w+…?)`", codes):
            matching = {status for status, name in known if name == code or code.endswith("…") and name.startswith(code[:-1])}
            assert matching & {int(status) for status in statuses.split(",")}, (statuses, code)
