"""One HTML page that needs nothing else: the matrix as a picture, filters, each cell with its evidence, each finding with its script."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def render(told: dict[str, Any], title: str) -> str:
    """Return the page. Everything from the database is text in it, never markup, and the page may load nothing."""
    style, script = (HERE / "page.css").read_text(encoding="utf-8"), (HERE / "page.js").read_text(encoding="utf-8")
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    counts = {"findings": len(told["findings"]), "not covered": len(told["not_covered"]), "allowed": len(told["allowed"]), "cells": len(told["cells"])}
    badges = "".join(f'<li class="{"bad" if number and name in ("findings", "not covered") else "good"}"><b>{number}</b> {name}</li>' for name, number in counts.items())
    # `<` could end the element.
    data = json.dumps({"cells": told["cells"], "findings": told["findings"]}).replace("<", "\\u003c")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>Isolation of {html.escape(title)}</title><style>{style}</style></head>
<body><header><h1>Isolation of {html.escape(title)}</h1><ul class="badges">{badges}</ul></header>
<main>
<section aria-label="Matrix"><h2>Matrix</h2>
<form id="filters"><label>Object <input id="object" type="search" placeholder="part of a name"></label>
<label>Persona <select id="persona"><option value="">everyone</option></select></label>
<fieldset id="commands"><legend>Commands</legend></fieldset><fieldset id="verdicts"><legend>Outcomes</legend></fieldset></form>
<p id="shown" role="status"></p><div class="scroll"><table id="matrix"></table></div>
<dialog id="evidence" aria-labelledby="evidence-title"><form method="dialog"><button aria-label="Close">×</button></form>
<h3 id="evidence-title"></h3><p id="evidence-said"></p><div id="evidence-findings"></div></dialog></section>
<section aria-label="Findings"><h2>Findings</h2>{_findings(told["findings"]) or "<p>Nothing was found to leak.</p>"}</section>
{_listed("Not covered", [f"{one['object']}, {one['command']}: {one['reason']}" for one in told["not_covered"]])}
{_listed("Allowed by review", [f"{one['object']}: {one['reason_allowed']}" for one in told["allowed"]])}
{_listed("What was guessed", told["guesses"])}
</main><script id="data" type="application/json">{data}</script><script>{script}</script></body></html>
"""


def _findings(findings: list[dict[str, str]]) -> str:
    return "".join(
        f'<details class="finding"><summary><code>{_text(f, "id")}</code> {_text(f, "object")} <small>{_text(f, "command")} as {_text(f, "persona")}</small></summary>'
        f'<p>{_text(f, "finding")}</p><p>Seen: {_text(f, "evidence")}</p><pre>{_text(f, "reproduce")}</pre></details>'
        for f in findings)


def _listed(title: str, lines: list[str]) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<section><h2>{title}</h2><ul>{items}</ul></section>" if lines else ""


def _text(finding: dict[str, str], key: str) -> str:
    return html.escape(finding[key])


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
