"""`ringfence openapi`: the OpenAPI document of an edge, or the same as a page to read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.login import call_as
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, StateDir, target, writable


def openapi(
    state_dir: StateDir = DEFAULT_STATE_DIR,
    email: AsEmail = None,
    out: Annotated[Path | None, typer.Option("--out", dir_okay=False, callback=writable, help="Write to this file; to the terminal without it.")] = None,
    html: Annotated[bool, typer.Option("--html", help="One page to read in a browser instead of JSON.")] = False,
) -> None:
    """Describe every route of the edge and every function of the database, as OpenAPI 3.1."""
    from agent.openapi import document
    from agent.openapi_page import page

    where = target(state_dir)
    described = document(call_as(where, email, lambda rpc: rpc.call("tool_catalog")), where.url)
    text = page(described) if html else json.dumps(described, indent=2) + "\n"
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, encoding="utf-8")
