"""The watchdog alone: sessions here have no time limit of their own, so that what ends them came from outside (F52)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from agent.worker import watchdog
from agent.worker.watchdog import Watchdog
from tests.conftest import Database
from tests.db.jobs import Jobs

SLEEP = "select pg_sleep(600)"
DEAF = "do $$ begin loop begin perform pg_sleep(600); exception when query_canceled then null; end; end loop; end $$"
LONG_S = 3600
PATIENCE_S = 120
"""Only so that a test ends when the watchdog does not end the session."""
Session = psycopg.AsyncConnection[Any]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Session]:
    session = await psycopg.AsyncConnection.connect(url, autocommit=True)
    try:
        await session.execute("set statement_timeout = 0")
        yield session
    finally:
        await session.close()


async def ended(session: Session, statement: str) -> str | None:
    """Run it and return the code that it was ended with."""
    with pytest.raises(psycopg.Error) as error:
        await asyncio.wait_for(session.execute(statement.encode()), PATIENCE_S)
    return error.value.sqlstate


def under(jobs: Jobs, work: Any, max_seconds: float = LONG_S) -> Any:
    """Do something with a watchdog and a session of the analyst."""
    async def done() -> Any:
        async with Watchdog(jobs.analyst_url, max_seconds) as dog, opened(jobs.analyst_url) as session:
            return await work(dog, session)

    return asyncio.run(done())


def lose(jobs: Jobs) -> None:
    """End the watchdog's own session."""
    with jobs.world.operator() as db:
        assert db.all("select pg_terminate_backend(pid, 60000) from pg_stat_activity"
                      " where application_name = 'ringfence watchdog' and datname = current_database()") == [(True,)]


def test_what_takes_too_long_is_cancelled_and_its_session_goes_on_F52(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "GRACE_S", LONG_S)

    async def work(dog: Watchdog, session: Session) -> None:
        async with dog.watching(session.info.backend_pid, 0.2):
            assert await ended(session, SLEEP) == "57014"
        await session.execute("select 1")

    under(jobs, work)


def test_what_goes_on_after_the_cancel_loses_its_session_F52(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "GRACE_S", 0.2)

    async def work(dog: Watchdog, session: Session) -> None:
        async with dog.watching(session.info.backend_pid, 0.2):
            assert await ended(session, DEAF) == "57P01"

    under(jobs, work)


def test_a_session_is_ended_at_once_where_nobody_waits_for_what_it_says_F52(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "GRACE_S", LONG_S)

    async def work(dog: Watchdog, session: Session) -> None:
        sleeping = asyncio.create_task(ended(session, SLEEP))
        await asyncio.wait_for(dog.end(session.info.backend_pid, at_once=True), PATIENCE_S)
        assert await sleeping == "57P01"

    under(jobs, work)


def test_what_ended_in_time_is_watched_no_more_F52(jobs: Jobs) -> None:
    async def work(dog: Watchdog, session: Session) -> None:
        async with dog.watching(session.info.backend_pid, 0.2):
            pass
        await session.execute("select pg_sleep(1)")

    under(jobs, work)


def test_the_sweep_ends_what_nobody_watches_and_nothing_else_F52(jobs: Jobs, module_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker that died has left. A session between two transactions, another log-in's and another database's go on."""
    monkeypatch.setattr(watchdog, "SWEEP_S", 0.1)
    monkeypatch.setattr(watchdog, "GRACE_S", 0.1)

    async def work(dog: Watchdog, left: Session) -> None:
        async with opened(jobs.analyst_url) as between, opened(jobs.worker_url) as worker, opened(module_database.url("ringfence_analyst")) as elsewhere:
            for session in (worker, elsewhere):
                await session.execute("begin")
            assert await ended(left, SLEEP) == "57P01"
            for session in (between, worker, elsewhere):
                await session.execute("select 1")

    under(jobs, work, 0.5)


def test_a_sweep_that_fails_is_not_the_last_F52(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "SWEEP_S", 0.1)
    monkeypatch.setattr(watchdog, "GRACE_S", 0.1)

    signal, failures = Watchdog._signal, [psycopg.OperationalError(), psycopg.errors.AdminShutdown()]

    async def failing(dog: Watchdog, statement: str, argument: float) -> None:
        if failures:
            raise failures.pop()
        await signal(dog, statement, argument)

    monkeypatch.setattr(Watchdog, "_signal", failing)

    async def work(dog: Watchdog, left: Session) -> None:
        assert await ended(left, SLEEP) == "57P01"

    under(jobs, work, 0.5)


def test_a_watchdog_whose_connection_was_lost_makes_another_and_ends_what_it_must_F52(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "GRACE_S", LONG_S)

    async def work(dog: Watchdog, session: Session) -> None:
        for _ in range(2):
            async with dog.watching(session.info.backend_pid, 0.2):
                assert await ended(session, SLEEP) == "57014"
            lose(jobs)

    under(jobs, work)


class Away(Watchdog):
    """Its database is away."""

    def __init__(self) -> None:
        super().__init__("postgresql://nowhere", LONG_S)
        self.tried = asyncio.Event()

    async def _signal(self, statement: str, argument: float) -> None:
        self.tried.set()
        raise psycopg.errors.AdminShutdown


def alone(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, PATIENCE_S))


def test_an_alarm_that_cannot_be_given_does_not_say_how_the_work_ended_F52() -> None:
    async def work(error: Exception | None) -> str:
        dog = Away()
        async with dog.watching(1, 0):
            await dog.tried.wait()
            await asyncio.sleep(0)  # the alarm has failed
            if error is not None:
                raise error
        return "done"

    assert alone(work(None)) == "done"
    with pytest.raises(psycopg.errors.QueryCanceled):
        alone(work(psycopg.errors.QueryCanceled()))
