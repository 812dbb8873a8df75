"""The clients' side: their libraries, accounts of their own, and scripts for Node."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.revoking import Team

HERE = Path(__file__).parent
NODE_MODULES = HERE.parents[2] / "supabase" / "node_modules"
PASSAGES = 40
HARD_TEXT = "naïve 日本語 עברית العربية ไทย 𝔘𝔫𝔦 👩‍👩‍👧‍👦 e\u0301 \u2028 \u202e \\ \" ' </script> %00 \t "


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def team(stack: dict[str, Any]) -> Team:
    """An organization whose knowledge base also holds a long document in many scripts: PASSAGES passages with the word `lengthy`."""
    made = Team(stack)
    made.write("Long", [f"lengthy {number} {HARD_TEXT * 40}".strip() for number in range(PASSAGES)])
    return made


@pytest.fixture
def account() -> dict[str, str]:
    """An account nobody has signed up with yet."""
    return {"email": f"{secrets.token_hex(8)}@clients.test", "password": secrets.token_urlsafe(12)}


@pytest.fixture(scope="session")
def node() -> Callable[..., Any]:
    """Run a script beside this file with what it is told as one JSON argument; return what it prints as JSON."""

    def run(script: str, **told: Any) -> Any:
        done = subprocess.run(["node", HERE / script, json.dumps({"nodeModules": str(NODE_MODULES), **told})],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def until(reached: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for what happens in another process after it has answered."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
