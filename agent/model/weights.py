"""Which file the model is, where it is kept, and whether a file is really that one."""

import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.errors import Misconfigured

NAME = "qwen2.5-coder-1.5b-instruct"
FILE_NAME = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
SIZE = 1_117_320_768
SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
"""Of the file its makers published; whoever hands it to us need not be trusted beyond this."""

BLOCK = 4 * 1024 * 1024

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all)."""


def data_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Return where models are kept: RINGFENCE_MODEL_DIR, else the user's data folder, shared by all stacks of the user."""
    if chosen := env.get("RINGFENCE_MODEL_DIR"):
        return Path(chosen)
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32" and env.get("LOCALAPPDATA"):
        base = Path(env["LOCALAPPDATA"])
    else:
        base = Path(env.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "ringfence" / "models"


def check(file: Path, progress: Progress = lambda done, total: None) -> None:
    """Return if `file` is the model. Raises: Misconfigured, OSError."""
    if not file.is_file():
        raise Misconfigured(f"{file} is not there")
    if (size := file.stat().st_size) != SIZE:
        raise Misconfigured(f"{file} is not {FILE_NAME}: it has {size:,} bytes, not {SIZE:,}")
    digest, done = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
            done += len(block)
            progress(done, SIZE)
    if digest.hexdigest() != SHA256:
        raise Misconfigured(f"{file} is not {FILE_NAME}: its sha256 is {digest.hexdigest()}, not {SHA256}")


def is_installed(folder: Path) -> bool:
    """Return whether a file of the right name and size is there; `check` says whether it is the right one."""
    file = folder / FILE_NAME
    return file.is_file() and file.stat().st_size == SIZE
