"""`ringfence worker`: answer jobs of the queue."""

from __future__ import annotations

import typer


def worker() -> None:
    """Answer jobs until SIGTERM, configured by RINGFENCE_WORKER_DATABASE_URL and RINGFENCE_ANALYST_DATABASE_URL.

    Any number of workers may run, on any machines. RINGFENCE_WORKER_CONCURRENCY is how many jobs one takes at once.
    """
    from agent.worker.__main__ import main

    raise typer.Exit(main())
