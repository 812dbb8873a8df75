"""A worker holds on to a job for as long as it runs, and nobody else begins it meanwhile (F53)."""

from __future__ import annotations

from typing import Any

from tests.agent.worker.test_worker import COUNT
from tests.agent.worker.workers import Workers, attempts, limit, on_opening

LEASE_S = 20
"""Not less: a machine that stands still for two thirds of it loses the lease."""
GATE = 7105
# Reads no row, so that it waits in a transaction that may only read.
WAIT = f"while not pg_try_advisory_xact_lock_shared({GATE}) loop perform pg_sleep(0.1); end loop;"


def test_a_job_that_outlives_its_lease_stays_with_its_worker_F53(workers: Workers) -> None:
    jobs = workers.jobs
    limit(jobs, lease_seconds=LEASE_S, max_seconds=600)
    on_opening(jobs, WAIT)

    def held() -> list[tuple[Any, ...]]:
        with jobs.world.operator() as db:
            return db.all("select lease, expires_at, expires_at > %s from app.job_lease where job_id = %s", first_ends, job)

    def outlived() -> bool:
        with jobs.world.operator() as db:
            return bool(db.one("select clock_timestamp() > %s::timestamptz + interval '1 second'", first_ends))

    with jobs.world.operator() as gate:
        gate.run(f"select pg_advisory_xact_lock({GATE})")
        workers.ready()
        workers.ready()
        job = jobs.submit(jobs.world.acme.people["customer"], COUNT)
        first_ends = "infinity"
        workers.until(lambda: held() != [])
        ((lease, first_ends, _),) = held()
        workers.until(outlived)
        assert [(one, later) for one, _, later in held()] == [(lease, True)], "the same lease, renewed"
    assert workers.ended(job) == [("succeeded", None)]
    assert attempts(jobs, job) == 1
