"""Jobs: what one costs beyond its query on an empty queue, what more workers bring to jobs that wait, and who waits behind a long queue.

The database says when a job was handed in and when its end was written, so nothing is added by looking.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from edge_proxy.local import jobs
from tests.bench.report import Report, median
from tests.bench.server import Server
from tests.db import world as worlds
from tests.db.session import request
from tests.db.world import World

WAIT_S = 0.25
"""How long a job waits that waits."""
CROWD = 10_000
DATABASE = "jobs"


def measure(report: Report, server: Server, rounds: int) -> None:
    """Add the rows of this section."""
    url = server.make(DATABASE)
    urls = _log_ins(server)
    world = worlds.build(url, server.cluster.url("authenticator", DATABASE))
    # Kept open, as PostgREST keeps its own: what is measured is no log-in.
    with psycopg.connect(url, autocommit=True) as db, psycopg.connect(world.authenticator_url) as caller:
        _clear(db)
        with _workers(urls, 1):
            for _ in range(10):
                _submit(world, caller, 1)
                _ended(db)
            _clear(db)
            for _ in range(rounds):
                _submit(world, caller, 1)
                _ended(db)
            took = _seconds(db, "finished_at - created_at")
            report.add("a job on an empty queue: handed in until its end is written, median", median(took), "s", at_most=0.05, note=f"max {max(took) * 1000:.0f} ms")
        _waiting(db)
        speed = {}
        for workers, count in ((1, 12), (4, 48)):
            _clear(db)
            with _workers(urls, workers):
                _submit(world, caller, count)
                began = time.perf_counter()
                _ended(db)
                speed[workers] = count / (time.perf_counter() - began)
        report.add(f"jobs that wait {WAIT_S:g} s each: four workers against one", speed[4] / speed[1], "times", at_least=3.0,
                   note=f"{speed[1]:.1f} and {speed[4]:.1f} a second")
        _clear(db)
        db.execute("insert into app.analytics_job (org_id, user_id, data_source_id, sql) select %s, %s, %s, 'select 1 as one' from generate_series(1, %s)",
                   [world.acme.id, world.acme.people["owner"].user_id, world.acme.ids["data_source"], CROWD])
        with _workers(urls, 1):
            waits = []
            for _ in range(6):
                waits.append(_through_the_crowd(world, db, caller))
        left = db.execute("select count(*) from app.analytics_job where status = 'queued' and org_id = %s", [world.acme.id]).fetchone()
        assert left is not None and left[0] > CROWD / 2, "the crowd was gone before it was measured"
        report.add(f"one job of another organization while {CROWD:,} wait, worst of 6, in jobs that wait {WAIT_S:g} s", max(waits) / WAIT_S, "times", at_most=4.0)
    server.drop(DATABASE)


def _log_ins(server: Server) -> dict[str, str]:
    passwords = {role: secrets.token_urlsafe(16) for role in jobs.ROLES}
    with server.cluster.connect("postgres", DATABASE) as connection:
        for role, password in passwords.items():
            connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(password)))
    worker, analyst = (server.cluster.url(role, DATABASE, password) for role, password in passwords.items())
    return {"RINGFENCE_WORKER_DATABASE_URL": worker, "RINGFENCE_ANALYST_DATABASE_URL": analyst}


@contextmanager
def _workers(urls: dict[str, str], count: int) -> Iterator[None]:
    """So many processes, each of which takes one job at a time."""
    environment = os.environ | urls | {"RINGFENCE_WORKER_CONCURRENCY": "1"}
    started = [subprocess.Popen([sys.executable, "-m", "agent.worker"], env=environment, stderr=subprocess.PIPE, text=True) for _ in range(count)]
    try:
        for process in started:
            assert process.stderr is not None
            assert '"ready"' in process.stderr.readline()
        yield
    finally:
        for process in started:
            process.kill()
            process.communicate()


def _submit(world: World, caller: psycopg.Connection, count: int, organization: str = "acme") -> list[str]:
    made = getattr(world, organization)
    with request("", made.people["owner"].claims(), keep=True, connection=caller) as person:
        return [person.rpc("submit_analytics_job", org_id=made.id, source="shop", sql="select 1 as one")["job_id"] for _ in range(count)]


def _ended(db: psycopg.Connection) -> None:
    """Wait until nothing waits or runs, a notification at a time."""
    db.execute("listen ringfence_jobs")
    while db.execute("select from app.analytics_job where status in ('queued', 'running') limit 1").rowcount:
        for _ in db.notifies(timeout=1, stop_after=1):
            pass


def _through_the_crowd(world: World, db: psycopg.Connection, caller: psycopg.Connection) -> float:
    (job,) = _submit(world, caller, 1, "globex")
    while not db.execute("select from app.analytics_job where id = %s and finished_at is not null", [job]).rowcount:
        time.sleep(0.02)
    row = db.execute("select extract(epoch from finished_at - created_at)::float from app.analytics_job where id = %s", [job]).fetchone()
    assert row is not None
    return float(row[0])


def _seconds(db: psycopg.Connection, expression: Any) -> list[float]:
    rows = db.execute(f"select extract(epoch from {expression})::float from app.analytics_job where status = 'succeeded'".encode()).fetchall()
    return [float(row[0]) for row in rows]


def _waiting(db: psycopg.Connection) -> None:
    """Let every statement of a job wait before it begins, as one on a slow disk or a long lock would."""
    definition = db.execute("select pg_get_functiondef('authz.open_query(text)'::regprocedure)").fetchone()
    assert definition is not None
    # Twice a job: for its plan, and for its rows.
    db.execute(definition[0].replace("\nbegin\n", f"\nbegin\n  perform pg_sleep({WAIT_S / 2});\n").encode())


def _clear(db: psycopg.Connection) -> None:
    db.execute("delete from app.analytics_job")
