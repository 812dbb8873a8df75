"""The manifest: what the catalogs of a good database say about everything of ours, a digest a fact, committed beside the migrations.

`ringfence db migration` writes it, `ringfence db check` and a test hold it against sql/, `ringfence doctor` against a live database (F78).
Left out is what differs between servers without a change of ours: comments, the owner's own privileges, not-null constraints
(a catalog entry since PostgreSQL 18), and whatever belongs to Supabase.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

Facts = Mapping[tuple[str, str], str]
FILE = Path(__file__).resolve().parents[2] / "supabase" / "manifest.txt"

_OURS = re.compile(r"(?:(?P<local>.+) on )?(?:api|app|authz|source)(?:[.(]|\Z)")
_KINDS = frozenset({
    "schema", "relation", "column", "constraint", "index", "policy", "function", "trigger", "type", "sequence",
    *(f"privilege on {what}" for what in ("schema", "relation", "column", "function", "type"))})
_OUR_ROLES = re.compile(r"ringfence_\w+")
_OUR_SETTINGS = re.compile(r"pgrst\.db_\w+=[^,]*(?:, (?![\w.]+=)[^,]*)*")
_INDEXED = re.compile(r" ON (?:ONLY )?(\S+) USING ")
_BY_TABLE = frozenset({"column", "constraint", "index", "privilege on column"})


def manifest(facts: Facts) -> dict[str, str]:
    """Return a digest for each of our objects, by `kind name`."""
    details: dict[str, list[str]] = defaultdict(list)
    for (kind, name), detail in facts.items():
        found = _ours(kind, name, detail)
        if found is not None:
            details[found[0]].append(found[1])
    return {name: hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16] for name, lines in details.items()}


def drift(expected: Mapping[str, str], live: Mapping[str, str]) -> list[str]:
    """Return what is missing, changed or new in the live database, sorted."""
    found = [f"{name}: missing" for name in expected.keys() - live.keys()]
    found += [f"{name}: not in the manifest" for name in live.keys() - expected.keys()]
    found += [f"{name}: changed" for name in expected.keys() & live.keys() if expected[name] != live[name]]
    return sorted(found)


def text(entries: Mapping[str, str]) -> str:
    return "".join(f"{digest} {name}\n" for name, digest in sorted(entries.items()))


def read(file: Path = FILE) -> dict[str, str]:
    """Raises: FileNotFoundError."""
    pairs = (line.split(" ", 1) for line in file.read_text().splitlines())
    return {name: digest for digest, name in pairs}


def _ours(kind: str, name: str, detail: str) -> tuple[str, str] | None:
    """Return (entry, what counts of the detail), or None for what is not ours."""
    if kind == "policy" and " on auth." in name:
        return f"{kind} {name}", detail
    if kind == "role" and _OUR_ROLES.fullmatch(name):
        return f"{kind} {name}", detail
    if kind == "membership" and _OUR_ROLES.search(name):
        # Who granted it and how differs between a new project and a grown one; that it exists does not.
        return f"{kind} {name.rsplit(' by ', 1)[0]}", ""
    if kind == "setting" and name.startswith("authenticator"):
        return f"{kind} authenticator", ", ".join(_OUR_SETTINGS.findall(detail))
    if kind not in _KINDS or not _OURS.match(name) or (kind == "constraint" and detail.startswith("NOT NULL ")):
        return None
    if kind.startswith("privilege"):
        detail = ", ".join(one for one in detail.split(", ") if not _is_the_owners_own(one))
    if kind in _BY_TABLE:
        return f"{kind} of {_table(kind, name, detail)}", f"{name}: {detail}"
    return f"{kind} {name}", detail


def _is_the_owners_own(privilege: str) -> bool:
    grantee, _, grantor = privilege.partition(" by ")
    return grantee.split(" ", 1)[0] == grantor


def _table(kind: str, name: str, detail: str) -> str:
    """Return the table that a column, a constraint or an index belongs to."""
    if kind == "constraint":
        return name.rsplit(" on ", 1)[1]
    on = _INDEXED.search(detail) if kind == "index" else None
    return on[1] if on else name.rsplit(".", 1)[0]
