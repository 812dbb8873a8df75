"""`ringfence tour`: its transcript on the shared stack, its exit status, and the examples it prints."""

from __future__ import annotations

import asyncio
import json
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.cli import transcript
from agent.cli.client import EdgeClient
from agent.cli.options import DEFAULT_STATE_DIR
from agent.cli.people import ACME
from agent.cli.tour import examples
from agent.cli.transcript import Transcript
from edge_proxy.local import tools
from edge_proxy.local.state import State


async def run(stack: dict[str, Any]) -> tuple[int, list[str]]:
    lines: list[str] = []
    passwords = {user["email"]: user["password"] for user in stack["users"]}
    async with EdgeClient(stack["url"], stack["publishable_key"]) as client:
        failures = await Transcript(client, State(Path(stack["state_dir"])), passwords, say=lines.append).run()
    return failures, lines


def test_everything_happens_as_expected(stack: dict[str, Any]) -> None:
    failures, lines = asyncio.run(run(stack))
    assert failures == 0, "\n".join(lines)
    checks = [line for line in lines if line.startswith("  ok  ")]
    assert len(checks) == 18
    assert len([line for line in lines if "  chunk " in line and "  characters " in line]) >= 2, "citations are shown"


@pytest.mark.parametrize("planted", ["another organization's documents", "an order that is the person's own"])
def test_a_difference_is_counted(stack: dict[str, Any], monkeypatch: Any, planted: str) -> None:
    if planted.startswith("another"):
        # The documents are compared with those of the wrong organization.
        monkeypatch.setattr(Transcript, "_documents", lambda self, one: _nothing())
    else:
        mine = {ACME.owner: ACME.orders["member@acme.test"]}
        monkeypatch.setattr(transcript, "ACME", replace(ACME, orders=mine))
    failures, lines = asyncio.run(run(stack))
    assert failures > 0
    assert len([line for line in lines if line.startswith("  FAIL")]) == failures


async def _nothing() -> set[str]:
    return set()


def test_the_examples_name_a_state_folder_in_one_word_and_what_node_20_needs(stack: dict[str, Any]) -> None:
    text = examples(stack, Path("a folder/of 'mine'"))
    [line] = [line for line in text.splitlines() if line.startswith("export TOKEN=")]
    setting, program, *arguments = shlex.split(line.removeprefix("export TOKEN=$(").removesuffix(")"))
    assert (setting, program) == ("RINGFENCE_STATE_DIR=a folder/of 'mine'", ".venv/bin/ringfence")
    assert arguments == ["login", "owner@acme.test"]
    assert "RINGFENCE_STATE_DIR" not in examples(stack, DEFAULT_STATE_DIR)
    assert "Node 20" in text and "realtime: { transport: ws }" in text


def test_the_examples_it_prints_work_as_printed(stack: dict[str, Any]) -> None:
    script = examples(stack, Path(stack["state_dir"])).split("\n\n", 1)[1]
    done = subprocess.run(["bash", "-e"], cwd=tools.PROJECT, input=script, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "}These passages" in done.stdout, done.stdout
    curl, rest = done.stdout.split("}These passages", 1)
    assert json.loads(curl + "}")["ringfence"]["citations"]
    assert "'chunk_id'" in rest
    assert json.loads(rest.splitlines()[-1])["email"] == "owner@acme.test"
