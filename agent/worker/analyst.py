"""Running SQL as ringfence_analyst inside a begun job: one fresh session a job, rolled back and closed, whatever the SQL did to it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Any, Self

import psycopg

from agent.worker.jobs import BackendLost, Found, Job, JobLimits, LeaseLost, Revoked
from agent.worker.watchdog import Watchdog

_REHEARSAL = ("begin read write", "select authz.rehearse_job()", "set transaction read only",
              *(f"select count(*) from source.{view}" for view in ("orders", "tickets", "conversations", "usage", "uploaded")), "rollback")


class TooCostly(Exception):
    """PostgreSQL expects the statement to cost more than a job may."""


class NotPlanned(Exception):
    """PostgreSQL cannot make a plan of the statement. It has read no row yet, so that what it says quotes the statement and no row."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


class Analyst:
    """Use as a context manager. Keeps one session ready that no job has used."""

    def __init__(self, url: str, watchdog: Watchdog, limits: JobLimits) -> None:
        self._url, self._watchdog, self._limits = url, watchdog, limits
        self._spare: asyncio.Task[psycopg.AsyncConnection[Any]] | None = None

    async def __aenter__(self) -> Self:
        self._prepare()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._spare is not None:
            with suppress(psycopg.Error):
                await (await self._spare).close()

    async def run(self, job: Job, sql: str) -> Found:
        """Return what checked SQL gives the job's requester.

        Raises: psycopg.Error with the SQLSTATE of the statement (57014: it took too long; its sentence may quote a row), NotPlanned,
        TooCostly, Revoked, LeaseLost, BackendLost.
        """
        async with self._session() as session:
            pid = session.info.backend_pid
            try:
                async with self._watchdog.watching(pid, self._limits.max_seconds):
                    return await self._within(session, job, sql)
            except asyncio.CancelledError:
                with suppress(psycopg.Error):
                    await asyncio.shield(self._watchdog.end(pid, at_once=True))
                raise
            except psycopg.OperationalError as err:
                # 57014 is the statement's own; without a code, or as a shutdown, the session is gone.
                if err.sqlstate is None or err.sqlstate.startswith(("57P", "08")):
                    raise BackendLost from err
                raise

    async def _within(self, session: psycopg.AsyncConnection[Any], job: Job, sql: str) -> Found:
        try:
            begun = (await _rows(session, "select authz.begin_job(%s, %s)", job.id, job.lease))[0][0]
        except psycopg.Error as err:
            if err.sqlstate == "PT409":
                raise LeaseLost from err
            raise
        if begun["outcome"] != "begun":
            raise Revoked(begun["code"])
        await _rows(
            session, "select set_config('statement_timeout', %s, true), set_config('work_mem', %s, true), set_config('cursor_tuple_fraction', '1', true),"
            " set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true), set_config('lock_timeout', '2s', true),"
            # Where a string ends is as the guard read it, whatever the role or the database is set to.
            " set_config('standard_conforming_strings', 'on', true),"
            " set_config('search_path', 'pg_catalog', true), set_config('timezone', 'UTC', true)",
            str(self._limits.max_seconds * 1000), f"{self._limits.work_mem_kb}kB")
        await session.execute("set transaction read only")
        try:
            plan = await self._fetch(session, f"explain (format json, costs) {sql}", 1)
        except psycopg.ProgrammingError as err:
            raise NotPlanned(err.sqlstate or "42000", err.diag.message_primary or "") from err
        if plan.rows[0][0][0]["Plan"]["Total Cost"] > self._limits.max_plan_cost:
            raise TooCostly
        await session.execute("close job_result")
        return await self._fetch(session, sql, self._limits.max_rows)

    async def _fetch(self, session: psycopg.AsyncConnection[Any], sql: str, max_rows: int) -> Found:
        await _rows(session, "select authz.open_query(%s)", sql)
        described = await session.execute("fetch 0 from job_result")
        columns = [{"name": column.name, "type": _type(session, column.type_code)} for column in described.description or ()]
        lines = await _rows(session, "select line, more from authz.fetch_rows(%s, %s)", max_rows, self._limits.max_bytes)
        rows = [json.loads(line, parse_float=_exact) for line, _ in lines if line is not None]
        return Found(columns, rows, any(more for _, more in lines))

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        try:
            session = await self._take()
        except psycopg.OperationalError as err:
            raise BackendLost from err
        self._prepare()
        try:
            yield session
        finally:
            # Never handed on: settings, locks and whatever else the SQL left go with it; nothing of its transaction stays either.
            with suppress(psycopg.Error):
                await session.close()

    async def _take(self) -> psycopg.AsyncConnection[Any]:
        spare, self._spare = self._spare, None
        if spare is not None:
            with suppress(psycopg.Error):
                session = await spare
                await session.execute("begin read write")
                return session
        session = await self._connect()
        await session.execute("begin read write")
        return session

    def _prepare(self) -> None:
        if self._spare is None:
            self._spare = asyncio.create_task(self._connect())

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        session = await psycopg.AsyncConnection.connect(self._url, autocommit=True, prepare_threshold=None, application_name="ringfence job")
        # Reads the catalogs and makes the plans now, instead of while somebody waits, as nobody.
        with suppress(psycopg.DatabaseError):  # there is no such job
            await session.execute(b"select authz.begin_job(gen_random_uuid(), gen_random_uuid())")
        for statement in _REHEARSAL:
            await session.execute(statement.encode())
        return session


async def _rows(session: psycopg.AsyncConnection[Any], statement: str, *arguments: Any) -> list[Any]:
    return await (await session.execute(statement.encode(), arguments)).fetchall()


def _exact(text: str) -> float | str:
    """Return a number as a float where that says the same, else its digits."""
    value = float(text)
    return value if Decimal(repr(value)) == Decimal(text) else text


def _type(session: psycopg.AsyncConnection[Any], oid: int) -> str:
    found = session.adapters.types.get(oid)
    return "unknown" if found is None else found.name + ("[]" if found.oid != oid else "")
