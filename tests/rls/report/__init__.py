"""A run as a page, as JUnit XML for a CI, as SARIF for code scanning, and as JSON; all made from `engine.Result.to_json()`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.rls.report import junit, page, sarif

Told = dict[str, Any]
"""What `engine.Result.to_json()` gives."""


def write(told: Told, folder: Path, title: str, sources: Path | None = None) -> list[Path]:
    """Write `report.html`, `junit.xml`, `report.sarif` and `report.json` into a folder, which is made; return the files.

    `title` names the database without its password; `sources` is a folder of SQL files in which the places of findings are looked for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.html": page.render(told, title),
        "junit.xml": junit.render(told),
        "report.sarif": json.dumps(sarif.render(told, sources), indent=2),
        "report.json": json.dumps(told, indent=2),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
