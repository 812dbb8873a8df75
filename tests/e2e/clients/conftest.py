"""The clients' side: their libraries, accounts of their own, and scripts for Node."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.agent.scripted_model import calls, chunk, fails, raw
from tests.e2e.conftest import ScriptedEdge
from tests.e2e.revoking import Member, Team
from tests.e2e.scripted import edge as scripted_edge_of

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


@pytest.fixture(scope="session")
def open_bot(team: Team) -> str:
    """Return a bot that everybody of the team may run and that is bound to a tool which writes."""
    bot = team.made("create_bot", org_id=team.org, slug="open", name="Open")["id"]
    team.made("bind_bot", org_id=team.org, bot_id=bot, tool="create_ticket")
    team.made("share_bot", org_id=team.org, bot_id=bot)
    return f"{team.slug}/open"


@pytest.fixture(scope="session")
def member(team: Team) -> Member:
    return team.member()


@pytest.fixture(scope="session")
def reader(team: Team) -> Member:
    """Somebody of the team who may run bots and write nothing."""
    one = team.member()
    team.demote(one)
    return one


@pytest.fixture
def scripted(scripted_edge: ScriptedEdge) -> ScriptedEdge:
    """Return the scripted edge with these questions written down: ticket, invents, broken, breaks off, hold."""
    ticket = {"subject": "Lamp", "body": "It is broken."}
    scripted_edge.model.by_question = {
        "ticket": calls(("create_ticket", ticket)),
        "invents": calls(("drop_everything", {}), ("search_documents", {"query": ""})),
        "broken": fails(500),
        "breaks off": raw(f"data: {json.dumps(chunk({'content': 'Half'}))}\n\ndata: [DONE]\n\n"),
        "hold": scripted_edge.model.hold,
    }
    return scripted_edge


@pytest.fixture(scope="session")
def strict_edge(stack: dict[str, Any], _scripted_edge: ScriptedEdge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of an edge that takes two requests of a person and then none for minutes."""
    log = tmp_path_factory.mktemp("strict") / "edge.log"
    with scripted_edge_of(stack, _scripted_edge.model_url, log, RINGFENCE_RATE_USER="0.01/2") as (url, _):
        yield url


@pytest.fixture(scope="session")
def run_of(stack: dict[str, Any]) -> Callable[[str], tuple[str, str | None]]:
    """Return a function that gives status and error code of the run behind a completion's id."""

    def look(completion_id: str) -> tuple[str, str | None]:
        with psycopg.connect(stack["database_url"]) as connection:
            row = connection.execute("select status, error_code from app.run where id = %s", [completion_id.removeprefix("chatcmpl-")]).fetchone()
        assert row
        return row[0], row[1]

    return look


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


def until(reached: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for what happens in another process after it has answered."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
