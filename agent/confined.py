"""Start one of our own scripts as a process with nothing but its input and its output, and end it in time."""

import asyncio
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

_KILLED_LATER_S = 2


async def run(script: ModuleType, arguments: list[str], source: BinaryIO, out: BinaryIO, wall_seconds: float) -> int:
    """Return the exit status, negative for a signal. `source` and `out` are real files; the script limits itself before it reads.

    The process is killed when the time is over, and when the caller is cancelled.
    """
    # Opened anew: read-only and with a place of its own in it, however the caller has it open.
    with open(f"/dev/fd/{source.fileno()}", "rb") as given:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", str(Path(str(script.__file__))), *arguments, stdin=given, stdout=out,
            stderr=asyncio.subprocess.DEVNULL, env={}, cwd="/", close_fds=True, start_new_session=True)
    try:
        async with asyncio.timeout(wall_seconds + _KILLED_LATER_S):
            return await process.wait()
    except TimeoutError:
        return -signal.SIGKILL
    finally:
        # Also when the caller is cancelled: nobody waits for it any more.
        if process.returncode is None:
            process.kill()
            await process.wait()
