"""What the clients of browsers send is allowed in a preflight: a name that is missing there fails in the browser alone (R94)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from mcp.client import streamable_http
from mcp.shared import inbound

from tests.proxy.support import call

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent
NODE_MODULES = HERE.parents[1] / "supabase" / "node_modules"
BY_THE_BROWSER = {"accept", "content-length", "host", "user-agent"}
"""It sends these whatever a page says."""


@pytest.fixture
async def allowed(make_edge: Any) -> set[str]:
    edge = await make_edge(cors_origins=frozenset({"https://app.example"}))
    asks = [("origin", "https://app.example"), ("access-control-request-method", "POST")]
    got = await call(edge, method="OPTIONS", headers=asks, body=b"")
    return set((got.header("access-control-allow-headers") or "").split(", "))


async def test_supabase_js_and_openai_send_no_header_that_a_preflight_refuses_R94(allowed: set[str]) -> None:
    done = subprocess.run(["node", HERE / "headers.mjs", NODE_MODULES], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    sent = set(json.loads(done.stdout))
    assert {"authorization", "apikey", "x-client-info", "x-stainless-helper-method", "x-supabase-api-version"} <= sent, "they really spoke"
    assert sent - BY_THE_BROWSER - allowed == set()


async def test_mcp_clients_send_no_header_that_a_preflight_refuses_R94(allowed: set[str]) -> None:
    names = {value for module in (streamable_http, inbound) for name, value in vars(module).items()
             if isinstance(value, str) and name.isupper() and value.startswith(("mcp-", "last-event"))}  # fmt: skip
    assert "mcp-protocol-version" in names and names <= allowed
