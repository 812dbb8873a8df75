"""Report what is being done and how long it took."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str], None]
PROGRESS_EVERY_S = 2.0


@contextmanager
def step(title: str, report: Report) -> Iterator[None]:
    """Report a step with its time when it is done, and every two seconds that it still goes on."""
    began, done = time.monotonic(), threading.Event()

    def progress() -> None:
        while not done.wait(PROGRESS_EVERY_S):
            report(f"  ... {title} ({time.monotonic() - began:.0f} s)")

    ticker = threading.Thread(target=progress, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
    report(f"  {title:<44} {time.monotonic() - began:6.2f} s")
