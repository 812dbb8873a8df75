"""SARIF 2.1.0 for code scanning: a rule for each kind of finding, a result for each finding, placed in the SQL file that makes its object."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_NOT_COVERED = "not-covered"
# Where a scan finds no file: the folder in which Supabase projects keep what makes their database.
_DEFAULT_PLACE = "supabase/migrations"


def render(told: dict[str, Any], sources: Path | None = None) -> dict[str, Any]:
    """Return the log; `sources` is a folder of SQL files to look for the objects in."""
    files = _texts(sources)
    rules = {finding["id"]: finding["finding"] for finding in told["findings"]}
    results = [
        {
            "ruleId": finding["id"], "level": "error", "message": {"text": f"{finding['finding']}. Seen: {finding['evidence']}"},
            "locations": [_location(finding["object"], files)], "partialFingerprints": {"ringfence/v1": _fingerprint(finding)},
            "properties": {key: finding[key] for key in ("command", "persona", "reproduce")},
        }
        for finding in told["findings"]
    ]
    if told["not_covered"]:
        rules[_NOT_COVERED] = "Could not be checked, so it is not known to be safe."
    results += [
        {"ruleId": _NOT_COVERED, "level": "warning", "message": {"text": f"{one['object']}, {one['command']}: {one['reason']}"}, "locations": [_location(one["object"], files)]}
        for one in told["not_covered"]
    ]
    driver = {
        "name": "ringfence rls test",
        "rules": [{"id": name, "name": "".join(part.title() for part in name.split("-")), "shortDescription": {"text": text}} for name, text in sorted(rules.items())],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _texts(sources: Path | None) -> list[tuple[str, str]]:
    """Return (path, text) of the SQL files, the newest migration first: it has the object as it is now."""
    if sources is None or not sources.is_dir():
        return []
    return [(file.as_posix(), file.read_text(encoding="utf-8", errors="replace")) for file in sorted(sources.rglob("*.sql"), reverse=True)]


def _location(label: str, files: Iterable[tuple[str, str]]) -> dict[str, Any]:
    path, line = _place(label, files)
    return {
        "physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": line}},
        "logicalLocations": [{"fullyQualifiedName": label, "kind": "function" if "(" in label else "object"}],
    }


def _place(label: str, files: Iterable[tuple[str, str]]) -> tuple[str, int]:
    name = label.partition("(")[0].rpartition(".")[2].strip('"')
    made = re.compile(rf'create\s[^;(]*?\b(?:table|view|function|procedure)\s[^;(]*?"?\b{re.escape(name)}\b"?', re.IGNORECASE)
    for path, text in files:
        if found := made.search(text):
            return path, text.count("\n", 0, found.start()) + 1
    return _DEFAULT_PLACE, 1


def _fingerprint(finding: dict[str, str]) -> str:
    return hashlib.sha256("\0".join(finding[key] for key in ("id", "object", "command")).encode()).hexdigest()
