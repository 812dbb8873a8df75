"""The session in which a job's SQL runs: the limits it begins with, and that nothing of one job is there for the next (F52)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from agent.worker.analyst import Analyst
from agent.worker.jobs import Found, Job
from agent.worker.queue import Queue
from agent.worker.watchdog import Watchdog
from tests.db.jobs import Jobs

LIMITS = {"work_mem": "32MB", "statement_timeout": "30s", "lock_timeout": "2s", "transaction_read_only": "on", "jit": "off",
          "max_parallel_workers_per_gather": "0", "TimeZone": "UTC", "standard_conforming_strings": "on"}
NOW = "select " + ", ".join(f"current_setting('{name}')" for name in LIMITS) + ", pg_backend_pid(), (select count(*) from source.orders)"
WIDER = "select set_config('work_mem', '1GB', false), set_config('statement_timeout', '0', false), pg_backend_pid()"


def run(jobs: Jobs, *statements: str) -> list[Found]:
    """Run each statement as a job of its own of the customer, by one worker's analyst and past the guard."""
    async def each() -> list[Found]:
        async with Queue(jobs.worker_url, "test", 2) as queue:
            limits = await queue.limits()
            async with Watchdog(jobs.analyst_url, limits.max_seconds) as watchdog, Analyst(jobs.analyst_url, watchdog, limits) as analyst:
                found = []
                for statement in statements:
                    taken = jobs.taken(jobs.world.acme.people["customer"], statement)
                    job = Job(UUID(taken["job_id"]), UUID(taken["org_id"]), UUID(taken["lease"]), None, statement, 1)
                    found.append(await analyst.run(job, statement))
                return found

    return asyncio.run(each())


def test_a_job_begins_with_its_limits_of_memory_and_time_whatever_the_one_before_it_set_F52(jobs: Jobs) -> None:
    first, wider, after = [one.rows[0] for one in run(jobs, NOW, WIDER, NOW)]
    expected: list[Any] = [*LIMITS.values(), 1]
    assert [*first[:-2], first[-1]] == expected
    assert wider[:2] == ["1GB", "0"], "a session can: it is not handed on"
    assert [*after[:-2], after[-1]] == expected
    assert len({first[-2], wider[-1], after[-2]}) == 3, "each job has a session of its own"
