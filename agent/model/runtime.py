"""The library that runs the model: an extra of this project, pinned by hash in a lock of its own."""

import importlib.util
from importlib import metadata
from pathlib import Path

from agent.errors import Misconfigured
from agent.model.install import run_pip

PACKAGE = "xllamacpp"
LOCK = Path(__file__).resolve().parents[2] / "requirements-model.lock"


def is_installed() -> bool:
    return importlib.util.find_spec(PACKAGE) is not None


def locked_version() -> str:
    """Return the version the lock names. Raises: Misconfigured where there is no lock."""
    if not LOCK.is_file():
        raise Misconfigured(f"{LOCK.name} is not there: run this from a checkout, or `pip install 'ringfence[local-model]'`")
    [version] = [line.split("==")[1].split()[0] for line in LOCK.read_text().splitlines() if line.startswith(f"{PACKAGE}==")]
    return version


def install() -> str:
    """Install the locked version into the running environment unless it is there; return it. Raises: Misconfigured."""
    version = locked_version()
    if not is_installed() or metadata.version(PACKAGE) != version:
        done = run_pip("install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", str(LOCK))
        if done.returncode != 0:
            raise Misconfigured(f"pip could not install {PACKAGE} {version}:\n{done.stderr.strip()}")
    return version
