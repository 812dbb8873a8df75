"""The files of the corpus as objects: a break of a schema, the steps that exploit it, and who takes them.

A file of breaks/<category>/ is SQL. Its head is comments, `-- Class:`, `-- Culprit:`, `-- Command:`, `-- Named by:` and then what
happened and how it is exploited; then the break itself; then steps, each begun by a marker:

    -- @as gina                    a request by this person; what the last statement returns is the result
    -- @as gina raises ACME        works if it fails with an error whose text holds this
    -- @as gina differs            two requests, parted by `-- @or`; works if they do not end alike
    -- @seen                       a look by postgres
    -- @undo                       what brings back the state of the cluster (roles), by whoever made the break: a membership is revoked by who granted it

The exploit works if its last step returns or touches at least one row (or raises, or differs). A break that begins with `-- @patch
as supabase_admin` is made by that role instead of postgres.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_MARKER = re.compile(r"^-- @(patch|as|seen|undo)\b *(.*)$", re.MULTILINE)
_HEAD = re.compile(r"^-- (Class|Culprit|Command|Named by|Not found): +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Person:
    """Who sends a request: a role and the claims of the token."""

    name: str
    role: str
    claims: dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One request of an exploit, or a look at what it left."""

    kind: str
    """as, seen"""
    person: str
    wanted: str
    """`rows`, `differs`, or the regular expression an error must match."""
    texts: tuple[str, ...]
    """One SQL text; two for `differs`."""
    headers: dict[str, str]


@dataclass(frozen=True)
class Entry:
    """One broken schema: the correct one and a patch."""

    schema: str
    category: str
    name: str
    bug: str
    """Its class, in the words of RLS_TESTING.md."""
    culprits: tuple[str, ...]
    """Objects of which a report must name at least one."""
    command: str
    named_by: tuple[str, ...]
    """Ids of findings that say what is wrong; empty: any."""
    not_found: str
    """Why the engine does not find it, if it does not."""
    patch: str
    patched_by: str
    steps: tuple[Step, ...]
    undo: str
    explanation: str = field(repr=False, default="")

    @property
    def id(self) -> str:
        return f"{self.schema}/{self.category}/{self.name}"


def schemas() -> list[str]:
    """Names of the correct schemas."""
    return sorted(folder.name for folder in HERE.iterdir() if (folder / "1_tables.sql").exists())


def sources(schema: str, *, seeded: bool = True) -> list[Path]:
    """The SQL files that make a correct schema, in order."""
    folder = HERE / schema
    return [*sorted(folder.glob("[0-9]_*.sql")), *([folder / "seed.sql"] if seeded else [])]


def people(schema: str) -> tuple[dict[str, Person], dict[str, str]]:
    """Return the people of a schema by name, and the ids its exploits may name as `:name` (people's among them)."""
    read = tomllib.loads((HERE / schema / "people.toml").read_text())
    found, ids = {}, dict(read.get("ids", {}))
    for name, data in read["people"].items():
        role = data.get("role", "authenticated")
        claims = {"role": role}
        if role != "anon":
            claims |= {"aud": "authenticated", "aal": "aal1", "is_anonymous": False, "app_metadata": {}, "user_metadata": {}}
        if "sub" in data:
            claims["sub"] = ids[name] = data["sub"]
        found[name] = Person(name, role, claims | data.get("claims", {}))
    return found, ids


def entries() -> list[Entry]:
    """Every break of every schema."""
    return [read(file) for file in sorted(HERE.glob("*/breaks/*/*.sql"))]


def read(file: Path) -> Entry:
    """Read one file of breaks/. Raises: ValueError naming the file and what is wrong with it."""
    text = file.read_text()
    head = {key: value.strip() for key, value in _HEAD.findall(text)}
    if missing := {"Class", "Culprit", "Command"} - set(head):
        raise ValueError(f"{file}: no {sorted(missing)}")
    marks = list(_MARKER.finditer(text))
    patch, patched_by, steps, undo = text[: marks[0].start()] if marks else text, "postgres", [], ""
    for mark, after in zip(marks, [*marks[1:], None], strict=False):
        body = text[mark.end(): after.start() if after else len(text)].strip()
        match mark[1]:
            case "patch":
                patch, patched_by = body, mark[2].removeprefix("as ").strip() or "postgres"
            case "undo":
                undo = body
            case kind:
                steps.append(_step(kind, mark[2], body))
    if not steps:
        raise ValueError(f"{file}: no exploit")
    schema, _, category = file.parent.relative_to(HERE).parts
    return Entry(
        schema, category, file.stem, head["Class"], tuple(re.split(r" *\| *", head["Culprit"])), head["Command"],
        tuple(_list(head.get("Named by", ""))), head.get("Not found", ""), patch, patched_by, tuple(steps), undo, text,
    )


def _step(kind: str, words: str, body: str) -> Step:
    person, _, rest = words.partition(" ") if kind == "as" else ("", "", words)
    headers = dict(re.findall(r"header (\S+)=(\S+)", rest))
    rest = re.sub(r"header \S+", "", rest).strip()
    wanted = "rows" if not rest else rest.removeprefix("raises ")
    texts = tuple(part.strip() for part in body.split("-- @or")) if wanted == "differs" else (body,)
    return Step(kind, person, wanted, texts, headers)


def _list(text: str) -> Iterator[str]:
    return (part for part in re.split(r"[ ,|]+", text) if part)
