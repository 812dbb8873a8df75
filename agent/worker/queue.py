"""The queue in the database, as ringfence_worker: every function here is one short transaction."""

import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row
from psycopg_pool import AsyncConnectionPool

from agent.worker.jobs import Ended, Job, JobLimits, LeaseLost, Reserved, Revoked

_HELD_ELSEWHERE = "PT409"


class Queue:
    """Use as a context manager. Everything raises psycopg.OperationalError while the database is away."""

    def __init__(self, url: str, name: str, connections: int) -> None:
        self._name = name
        self._pool = AsyncConnectionPool(url, min_size=1, max_size=connections, open=False, kwargs={"application_name": "ringfence worker"})

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=True, timeout=10)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._pool.close()

    async def limits(self) -> JobLimits:
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=namedtuple_row)
            row = await (await cursor.execute("select * from authz.job_limits()")).fetchone()
            assert row is not None
            return JobLimits(**row._asdict())

    async def next(self) -> tuple[Job, dict[str, Any]] | Revoked | None:
        """Take a job and return it with what its source holds, as its requester may know it.

        None: nothing waits that may run. Revoked: its requester may no longer run it, and it has been ended.
        """
        async with self._pool.connection() as connection:
            taken = await _one(connection, "select authz.next_job(%s)", self._name)
            if taken is None:
                return None
            if taken["outcome"] != "begun":
                return Revoked(taken["code"])
            context = await _one(connection, "select authz.job_context()")
            return Job(UUID(taken["job_id"]), UUID(taken["org_id"]), UUID(taken["lease"]), taken["question"], taken["sql"], taken["attempt"]), context

    async def renew(self, job: Job) -> bool:
        """Hold on to a job; False when it is no longer ours."""
        async with self._pool.connection() as connection:
            return bool(await _one(connection, "select authz.renew_job(%s, %s)", job.id, job.lease))

    async def release(self, job: Job, *, counts: bool = True) -> None:
        """Let go of a job that did not end, for another worker. counts: as an attempt, of which a job has few."""
        async with self._pool.connection() as connection:
            await _one(connection, "select authz.release_job(%s, %s, %s)", job.id, job.lease, counts)

    async def reserve(self, job: Job, provider: str, model: str, tokens: int) -> Reserved:
        """Ask whether a model may be called for a job's requester, and reserve what it may take. Raises: LeaseLost, Revoked."""
        key = f"rfm_{secrets.token_urlsafe(32)}"
        async with self._begun(job) as connection:
            cursor = await connection.execute(
                b"select r.id, r.redacted, r.refused_by from authz.reserve_model_call(%s, null, 'analytics', %s, %s, %s, %s) r",
                (job.org_id, provider, model, tokens, hashlib.sha256(key.encode()).hexdigest()))
            row = await cursor.fetchone()
            assert row is not None
            return Reserved(row[0], key, row[1], row[2])

    async def settle(self, job: Job, call: Reserved, input_tokens: int, output_tokens: int) -> None:
        """Say what a call took. Raises: LeaseLost, Revoked."""
        async with self._begun(job) as connection:
            await connection.execute(b"select from authz.settle_model_call(%s, %s, %s, %s)", (call.id, call.key, input_tokens, output_tokens))

    async def finish(self, job: Job, ended: Ended) -> None:
        """End a job, once. Raises: LeaseLost when it is no longer ours, Revoked when its requester may no longer run it: it has been ended so."""
        result = None
        if ended.found is not None:
            result = json.dumps({"columns": ended.found.columns, "rows": ended.found.rows, "truncated": ended.found.truncated, "chart": ended.chart})
        async with self._begun(job) as connection:
            if not await _one(connection, "select authz.finish_job(%s, %s, %s, %s, %s::jsonb, %s)",
                              ended.status, ended.error_code, ended.error_message, ended.ran_sql, result, ended.drafted_sql):
                raise LeaseLost

    @asynccontextmanager
    async def _begun(self, job: Job) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        revoked = None
        async with self._pool.connection() as connection:
            try:
                begun = await _one(connection, "select authz.begin_job(%s, %s)", job.id, job.lease)
            except psycopg.Error as err:
                if err.sqlstate == _HELD_ELSEWHERE:
                    raise LeaseLost from err
                raise
            if begun["outcome"] == "begun":
                yield connection
            else:
                revoked = begun["code"]
        if revoked is not None:  # only now is it written that the job ended so
            raise Revoked(revoked)


async def _one(connection: psycopg.AsyncConnection[Any], statement: str, *arguments: Any) -> Any:
    row = await (await connection.execute(statement.encode(), arguments)).fetchone()
    assert row is not None
    return row[0]
