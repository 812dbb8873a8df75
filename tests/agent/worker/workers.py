"""Workers as processes, and the limits they go by."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from tests.db.jobs import Jobs

ENDED = ("succeeded", "failed", "refused", "cancelled", "cancelled_revoked")


class Workers:
    """Starts workers and ends every one of them."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.started: list[subprocess.Popen[str]] = []

    def start(self, module: str = "agent.worker", *arguments: str, **settings: str) -> subprocess.Popen[str]:
        environment = os.environ | {"RINGFENCE_WORKER_DATABASE_URL": self.jobs.worker_url, "RINGFENCE_ANALYST_DATABASE_URL": self.jobs.analyst_url,
                                    "RINGFENCE_WORKER_POLL_S": "0.5", **settings}
        process = subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment, stderr=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def ready(self, **settings: str) -> subprocess.Popen[str]:
        """A worker that has said so."""
        process = self.start(**settings)
        assert process.stderr is not None
        assert json.loads(process.stderr.readline())["event"] == "ready"
        return process

    def until(self, condition: Callable[[], bool], seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, [p.poll() for p in self.started]
            time.sleep(0.05)

    def ended(self, *jobs: str) -> list[tuple[str, str | None]]:
        """Wait for these jobs and return how they ended."""
        self.until(lambda: all(self.jobs.status(job)[0] in ENDED for job in jobs))
        return [self.jobs.status(job) for job in jobs]

    def stop(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()


def limit(jobs: Jobs, **changed: int) -> None:
    """Give authz.job_limits() other numbers in this database."""
    with jobs.world.operator(keep=True) as db:
        names = [name for (name,) in db.all("select a.name from pg_proc p, unnest(p.proargnames) with ordinality a (name, place)"
                                            " where p.oid = 'authz.job_limits()'::regprocedure order by a.place")]
        ((row,),) = db.all("select to_jsonb(l) from authz.job_limits() l")
        body = db.one("select pg_get_functiondef('authz.job_limits()'::regprocedure)")
        values = ", ".join(str((row | changed)[name]) for name in names)
        db.connection.execute((body.split("$function$")[0] + f"$function$ select {values} $function$").encode())


def on_opening(jobs: Jobs, statements: str) -> None:
    """Have authz.open_query() of this database do something more, in every job, before it opens the cursor."""
    with jobs.world.operator(keep=True) as db:
        body = db.one("select pg_get_functiondef('authz.open_query(text)'::regprocedure)")
        assert body.count("\nbegin\n") == 1
        db.connection.execute(body.replace("\nbegin\n", f"\nbegin\n{statements}\n").encode())


def attempts(jobs: Jobs, job: str) -> int:
    """How often a worker began a job."""
    with jobs.world.operator() as db:
        return int(db.one("select attempts from app.analytics_job where id = %s", job))
