"""README and the command line agree: every command stands in README, and what README says of one is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from agent.cli.app import app

README = Path(__file__).parents[2] / "README.md"


def commands(group: Any = None, path: tuple[str, ...] = ()) -> dict[str, set[str]]:
    """Return the options of every command that does something, by its words."""
    group = group or get_command(app)
    if not hasattr(group, "commands"):
        return {" ".join(path): {"--help", *(name for one in group.params for name in one.opts if name.startswith("--"))}}
    return {words: options for name, one in group.commands.items() for words, options in commands(one, (*path, name)).items()}


def mentioned(text: str, known: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return every command a text names in code, with the options named beside it. In a row of the table the words of the group are left out after the first.

    Raises: LookupError for what is no command.
    """
    groups = {" ".join(one.split()[:count]) for one in known for count in range(len(one.split()))}
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        group: list[str] = []
        for span in re.findall(r"`([^`]+)`", line) or ([line] if re.match(r"ringfence [a-z]", line) else []):
            for part in re.split(r"\s*(?:&&|>>|\|)\s*", span):
                words = [word for word in part.split() if re.fullmatch(r"[a-z]+", word)]
                if named := words[:1] == ["ringfence"]:
                    starts = [words[1:]]
                elif line.startswith("| `ringfence"):
                    starts = [[*group[:count], *words] for count in range(len(group), -1, -1)]
                else:
                    continue
                command = next((one for start in starts for count in range(len(start), 0, -1) if (one := " ".join(start[:count])) in known), None)
                if command:
                    group = command.split()[:-1]
                    found.setdefault(command, set()).update(re.findall(r"--[a-z][a-z-]*", part))
                elif named and " ".join(words[1:]) not in groups:
                    raise LookupError(f"`{span}`: there is no such command")
    return found


def wrong(text: str) -> list[str]:
    """Return what does not fit."""
    known = commands()
    told = mentioned(text, known)
    return [*(f"ringfence {one}: not in README" for one in sorted(known.keys() - told.keys())),
            *(f"ringfence {one}: has no {option}" for one, options in sorted(told.items()) for option in sorted(options - known[one]))]


def test_readme_names_every_command_and_only_what_there_is() -> None:
    assert wrong(README.read_text()) == []


@pytest.mark.parametrize(("old", "new", "said"), [
    ("ringfence members ORG", "ringfence people ORG", "there is no such command"),
    ("`ringfence keys standby`", "`ringfence keys spare`", "there is no such command"),
    ("--no-seed", "--without-seed", "ringfence up: has no --without-seed"),
    ("· `rotate` · `revoke KID` |", "· `rotate` |", "ringfence keys revoke: not in README"),
    ("`token list ORG` · ", "", "ringfence token list: not in README"),
])
def test_what_does_not_fit_is_said(old: str, new: str, said: str) -> None:
    text = README.read_text()
    assert old in text
    try:
        assert any(said in one for one in wrong(text.replace(old, new)))
    except LookupError as err:
        assert said in str(err)
