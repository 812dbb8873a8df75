"""SIGTERM to a whole edge with answers open: what ends in time is whole, what does not is told and its run is closed, and no process is left (R93)."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import psutil
import psycopg
import pytest

from tests.e2e import scripted
from tests.e2e.conftest import SignedIn
from tests.e2e.scripted import OVER, STARTED

STOPPING = '"event": "stopping"'


@pytest.fixture
def opened(stack: dict[str, Any], person: Callable[[str], SignedIn], tmp_path: Path) -> Any:
    """Yield (model, process, stream) of an edge of its own with an answer that is being written."""
    model = scripted.Model()
    model.held = True
    with scripted.serving(model) as model_url, scripted.edge(stack, model_url, tmp_path / "edge.log", RINGFENCE_DRAIN_SECONDS="2") as (url, child):
        process = psutil.Process(child.record.pid)
        with openai.OpenAI(base_url=f"{url}/v1", api_key=person("member@acme.test").token, max_retries=0) as client:
            stream = client.chat.completions.create(model="acme/helpdesk", messages=[{"role": "user", "content": "What is the word?"}], stream=True)
            run = next(part for part in stream if STARTED in (part.choices[0].delta.content or "")).id.removeprefix("chatcmpl-")
            yield model, child, process, stream, run
        assert STOPPING in (tmp_path / "edge.log").read_text()


def status_of(stack: dict[str, Any], run: str) -> str:
    with psycopg.connect(stack["database_url"]) as connection:
        row = connection.execute("select status from app.run where id = %s", [run]).fetchone()
    assert row
    return str(row[0])


def ended_well(child: Any, children: list[psutil.Process]) -> None:
    assert child.popen.wait(10) == 0
    assert not [one for one in children if one.is_running()], "no process is left"


def test_an_answer_that_ends_while_the_edge_drains_is_whole_R93(opened: Any, stack: dict[str, Any], tmp_path: Path) -> None:
    model, child, process, stream, run = opened
    children = process.children(recursive=True)
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 60
    while STOPPING not in (tmp_path / "edge.log").read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    model.go_on()
    assert OVER in "".join(part.choices[0].delta.content or "" for part in stream if part.choices)
    ended_well(child, children)
    assert status_of(stack, run) == "succeeded"


def test_an_answer_that_does_not_is_told_and_its_run_is_closed_R93(opened: Any, stack: dict[str, Any]) -> None:
    model, child, process, stream, run = opened
    children = process.children(recursive=True)
    process.send_signal(signal.SIGTERM)
    with pytest.raises(openai.APIError) as told:
        list(stream)
    assert told.value.code == "stopping"
    ended_well(child, children)
    assert model.broken_off.wait(5), "the provider is not left working for nobody"
    assert status_of(stack, run) == "cancelled"
