"""Serve the model on loopback with the OpenAI wire format: `python -m agent.model.serve`, a process of its own.

    RINGFENCE_MODEL_FILE      the file
    RINGFENCE_MODEL_PORT      where to listen
    RINGFENCE_MODEL_API_KEY   what callers must show: another user of the machine reaches loopback too
    RINGFENCE_MODEL_THREADS   how many cores; default: all

`/health` answers 200 when the model is loaded. SIGTERM ends it.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

LOOPBACK = "127.0.0.1"
CONTEXT = 8192
"""Tokens of question, rules, tools, passages and answer together; the model itself takes four times as many."""


def parameters(library: Any, file: Path, port: int, api_key: str, threads: int) -> Any:
    """Return the settings of the server: one answer at a time, nothing kept, nothing shown but the answers."""
    settings = library.CommonParams()
    settings.model.path = str(file)
    settings.hostnames, settings.port, settings.api_keys = [LOOPBACK], port, [api_key]
    settings.n_ctx, settings.n_parallel = CONTEXT, 1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    settings.use_jinja = True
    # One slot keeps the start of the last prompt, which is the same for all. Beyond that no text of a person is kept or shown.
    settings.cache_prompt, settings.cache_ram_mib, settings.cache_idle_slots = True, 0, False
    settings.endpoint_slots = settings.endpoint_props = settings.endpoint_metrics = settings.ui = False
    settings.cors_origins = ""
    settings.verbosity = 1
    return settings


def main() -> None:
    """Serve until told to end."""
    # On shared cores the threads would otherwise burn what others need while they wait. Read when the library is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _end)
    try:
        import xllamacpp
    except ImportError:
        sys.exit("xllamacpp is not installed: run `ringfence model install`")
    env = os.environ
    threads = int(env.get("RINGFENCE_MODEL_THREADS") or os.cpu_count() or 1)
    server = xllamacpp.Server(parameters(
        xllamacpp, Path(env["RINGFENCE_MODEL_FILE"]), int(env["RINGFENCE_MODEL_PORT"]), env["RINGFENCE_MODEL_API_KEY"], threads))
    print(f"serving at {server.listening_address}", flush=True)
    while True:
        signal.pause()


def _end(number: int, frame: FrameType | None) -> None:
    # There is nothing to save, and the threads of the library end with the process alone.
    os._exit(0)


if __name__ == "__main__":
    main()
