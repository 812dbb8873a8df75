"""The text of sql/: its files as statements, for rules about how it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SQL = Path(__file__).parents[3] / "sql"
_PARTS = re.compile(
    r"(?P<comment>--[^\n]*)|(?P<quote>\$\w*\$.*?\$\w*\$|'(?:[^']|'')*')|(?P<atomic>\bbegin atomic\b.*?\bend(?=;))|(?P<end>;)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """One statement of one file, without comments."""

    file: str
    text: str

    @property
    def outline(self) -> str:
        """The statement in one line of lower case, what is quoted left out."""
        return " ".join(_PARTS.sub(lambda m: " $$ " if m["quote"] or m["atomic"] else m[0], self.text).split()).lower()


def split(file: str, text: str) -> list[Statement]:
    """Return the statements of a file: cut at each semicolon outside quotes, bodies and comments."""
    statements, current, position = [], "", 0
    for found in _PARTS.finditer(text):
        current += text[position:found.start()]
        position = found.end()
        if found["end"]:
            statements.append(Statement(file, current.strip()))
            current = ""
        elif not found["comment"]:
            current += found[0]
    rest = (current + text[position:]).strip()
    assert not rest, f"{file}: the last statement has no end: {rest[:80]}"
    return statements


def statements() -> list[Statement]:
    """Return every statement of sql/ in the order it is applied."""
    return [statement for file in sorted(SQL.glob("*.sql")) for statement in split(file.name, file.read_text())]
