"""The attacks that end what another session does, with the guard removed. All jobs share one log-in, and PostgreSQL lets a log-in signal its own
sessions: the guard alone keeps a job from that (README, what is left). Each case is expected to fail for as long as that is so (F52)."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest

from tests.agent.analytics import attacks
from tests.db.attacking import held, said, session, spelled
from tests.db.jobs import Jobs
from tests.db.world import World

SIGNALS = {name: sql for name, sql in attacks.ALL.items() if "{pid}" in sql}
_ONE_LOGIN = "PostgreSQL lets a log-in signal its own sessions, and all jobs share one; the guard lets neither pass"
GATE = 7106
PATIENCE_S = 120


@pytest.fixture(scope="module")
def jobs(described: bytes, module_world: World, cluster: Any) -> Jobs:
    return Jobs(module_world, cluster)


def waits(jobs: Jobs, pid: int) -> bool:
    with jobs.world.operator() as db:
        return bool(db.one("select exists (select from pg_locks where pid = %s and locktype = 'advisory' and not granted)", pid))


def survives(jobs: Jobs, sql: str, people: tuple[str, str] = ("customer", "owner")) -> bool:
    """Whether what a job of globex runs comes to its end, when a job of acme does this meanwhile."""
    mine = held(jobs, jobs.world.acme.people[people[0]])
    submitted = jobs.submit(jobs.world.globex.people[people[1]], organization=jobs.world.globex)
    theirs = jobs.take()
    assert theirs is not None and theirs["job_id"] == submitted
    with jobs.world.operator() as gate, session(jobs, theirs) as victim, session(jobs, mine) as attacker:
        gate.run(f"select pg_advisory_xact_lock({GATE})")
        victim.execute("set local statement_timeout = 0")
        victim.pgconn.send_query(f"select pg_advisory_xact_lock({GATE})".encode())
        deadline = time.monotonic() + PATIENCE_S
        while not waits(jobs, victim.info.backend_pid):
            if time.monotonic() > deadline:
                raise TimeoutError
        said(attacker, spelled(sql, jobs, mine).replace("{pid}", str(victim.info.backend_pid)))
        gate.connection.rollback()
        result = victim.pgconn.get_result()
        return result is not None and result.status == psycopg.pq.ExecStatus.TUPLES_OK


@pytest.mark.xfail(strict=True, raises=AssertionError, reason=_ONE_LOGIN)
@pytest.mark.parametrize("name", SIGNALS)
def test_a_job_ends_nothing_of_another_organization_s_job_F52(jobs: Jobs, name: str) -> None:
    assert survives(jobs, SIGNALS[name])


def test_what_signals_nobody_leaves_the_other_job_alone(jobs: Jobs) -> None:
    assert len(SIGNALS) == 2
    assert survives(jobs, "select {pid}")
