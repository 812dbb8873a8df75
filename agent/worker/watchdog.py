"""The watchdog: ends, from a session of its own, SQL that outlives its limit. A session can raise its own statement_timeout (F52)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

import psycopg

GRACE_S = 2.0
"""Seconds between the polite cancel and the end of the session."""
SWEEP_S = 10.0
"""Seconds between two looks for sessions that no living worker watches."""


class Watchdog:
    """Use as a context manager. One connection, made when it is needed and again when it was lost."""

    def __init__(self, url: str, max_seconds: float) -> None:
        self._url, self._max_seconds = url, max_seconds
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._lock = asyncio.Lock()
        self._sweeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._sweeper = asyncio.create_task(self._sweep())
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._sweeper is not None
        self._sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._sweeper
        if self._connection is not None:
            await self._connection.close()

    @asynccontextmanager
    async def watching(self, pid: int, seconds: float) -> AsyncIterator[None]:
        """Let a session work for so many seconds, and end it then."""
        alarm = asyncio.create_task(self._after(pid, seconds))
        try:
            yield
        finally:
            alarm.cancel()
            # How the work ended is its own to say: that the alarm could not be given is not.
            with suppress(asyncio.CancelledError, psycopg.Error):
                await alarm

    async def end(self, pid: int, *, at_once: bool = False) -> None:
        """Cancel what the session runs, so that it can say so, and end the session if it goes on."""
        if not at_once:
            await self._signal("select pg_cancel_backend(%s)", pid)
            await asyncio.sleep(GRACE_S)
        await self._signal("select pg_terminate_backend(%s)", pid)

    async def _after(self, pid: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.end(pid)

    async def _sweep(self) -> None:
        """End what a worker that died has left running, wherever that worker was."""
        while True:
            await asyncio.sleep(SWEEP_S)
            with suppress(psycopg.Error):
                await self._signal(
                    # Other databases of the server may have other limits.
                    "select pg_terminate_backend(a.pid) from pg_stat_activity a where a.usename = session_user and a.datname = current_database()"
                    " and a.pid <> pg_backend_pid() and a.xact_start < clock_timestamp() - make_interval(secs => %s)", self._max_seconds + 4 * GRACE_S)

    async def _signal(self, statement: str, argument: float) -> None:
        async with self._lock:
            try:
                await self._say(statement, argument)
            except psycopg.OperationalError:
                # A connection that was lost while nothing was said shows it only now.
                await self._say(statement, argument)

    async def _say(self, statement: str, argument: float) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, application_name="ringfence watchdog")
        await self._connection.execute(statement.encode(), [argument])
