"""The process that serves the model, with a stand-in for the library: where it listens, what it keeps, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.cli.stack import _show
from agent.model.serve import parameters
from edge_proxy.local import model
from edge_proxy.local.model import LocalModel
from edge_proxy.local.ports import free_ports
from edge_proxy.local.stack import Stack
from edge_proxy.local.state import State

LIBRARY = '''
import http.server, json, os, threading
from types import SimpleNamespace

def CommonParams():
    return SimpleNamespace(model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace())

class Server:
    def __init__(self, params):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps({"file": params.model.path, "keys": params.api_keys, "spin": os.environ["GOMP_SPINCOUNT"]}).encode())
            def log_message(self, *said): pass
        [host] = params.hostnames
        server = http.server.ThreadingHTTPServer((host, params.port), Handler)
        threading.Thread(target=server.serve_forever).start()
        self.listening_address = f"http://{host}:{params.port}"
'''


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-in where child processes find it, without a word of the library's own package."""
    (tmp_path / "xllamacpp.py").write_text(LIBRARY)
    root = Path(__file__).resolve().parents[2]
    monkeypatch.setattr("edge_proxy.local.tools.environment", lambda home: {
        "PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"})


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "state")
    made.create()
    return made


@pytest.fixture
def port() -> int:
    return free_ports({"model": 0})["model"]


@pytest.mark.usefixtures("library")
def test_the_server_is_a_process_of_its_own_that_is_waited_for_and_ended(state: State, port: int, tmp_path: Path) -> None:
    child = model.launch(state, LocalModel("small", tmp_path / "small.gguf"), port)
    try:
        model.wait_until_ready(child, port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            shown = json.load(answer)
        assert shown == {"file": str(tmp_path / "small.gguf"), "keys": [model.key(state)], "spin": "0"}
        assert child.record.name == "model" and child.log == state.log("model")
        began = time.monotonic()
    finally:
        child.stop()
    assert child.popen.returncode == 0 and time.monotonic() - began < 5
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)


def test_the_agent_is_told_where_it_is_and_how_to_ask(state: State) -> None:
    told = model.settings(state, LocalModel("small", Path("small.gguf")), 4711)
    assert told == {"RINGFENCE_MODEL_BASE_URL": "http://127.0.0.1:4711/v1", "RINGFENCE_MODEL_NAME": "small", "RINGFENCE_MODEL_PROVIDER": "this-machine",
                    "RINGFENCE_MODEL_API_KEY": state.secret("model_key"), "RINGFENCE_MODEL_STYLE": "schema"}
    assert len(told["RINGFENCE_MODEL_API_KEY"]) >= 32


def test_a_stack_has_a_port_and_a_process_for_it_only_when_asked(state: State, port: int) -> None:
    plain, asked = Stack(state, port=0), Stack(state, port=0, local_model=LocalModel("small", Path("small.gguf")))
    assert "model" not in plain._choose_ports() and plain._model_settings() == {}
    asked.ports = asked._choose_ports()
    assert "model" in asked.ports and str(asked.ports["model"]) in asked._model_settings()["RINGFENCE_MODEL_BASE_URL"]


def test_it_listens_on_loopback_asks_for_a_key_and_keeps_and_shows_no_text() -> None:
    library = SimpleNamespace(CommonParams=lambda: SimpleNamespace(model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace()))
    made = parameters(library, Path("m.gguf"), 4711, "key", 2)
    assert (made.hostnames, made.port, made.api_keys, made.cors_origins) == (["127.0.0.1"], 4711, ["key"], "")
    assert (made.cache_ram_mib, made.cache_idle_slots, made.n_parallel) == (0, False, 1)
    assert not any((made.endpoint_slots, made.endpoint_props, made.endpoint_metrics, made.ui))
    assert (made.cpuparams.n_threads, made.cpuparams_batch.n_threads, made.model.path) == (2, 2, "m.gguf")


def test_without_the_library_it_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "xllamacpp.py").write_text("raise ImportError")
    done = subprocess.run([sys.executable, "-m", "agent.model.serve"], env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}"},
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.strip()) == (1, "xllamacpp is not installed: run `ringfence model install`")


def test_a_stack_says_in_words_that_a_model_answers(capsys: pytest.CaptureFixture[str]) -> None:
    plain = {"url": "u", "publishable_key": "k", "users": [], "state_dir": "s"}
    _show(plain, as_json=False)
    assert "model" not in capsys.readouterr().out
    _show(plain | {"model": {"RINGFENCE_MODEL_NAME": "small", "RINGFENCE_MODEL_PROVIDER": "this-machine", "RINGFENCE_MODEL_API_KEY": "canary"}}, as_json=False)
    said = capsys.readouterr().out
    assert "small, on this machine" in said and "canary" not in said
