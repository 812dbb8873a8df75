"""Two transactions at once: the second is seen to wait for the first before the first commits. No sleeping, no luck."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg

from tests.db.session import Person, Request
from tests.db.world import World


def said(error: psycopg.Error) -> tuple[str | None, str | None]:
    return error.sqlstate, error.diag.message_primary


def held_up(world: World, person: Person, act: Callable[[Request], Any], **claims: Any) -> Future[Any]:
    """Start `act` as this person on a connection of its own, and return once it waits for a lock.

    The result is what `act` returned, or (SQLSTATE, message) of its refusal; it comes when whoever holds the lock has ended.
    """
    backend: Future[int] = Future()

    def attempt() -> Any:
        with world.as_(person, keep=True, **claims) as db:
            backend.set_result(db.one("select pg_backend_pid()"))
            try:
                return act(db)
            except psycopg.Error as error:
                return said(error)

    pool = ThreadPoolExecutor(1)
    result = pool.submit(attempt)
    pool.shutdown(wait=False)
    pid = backend.result(10)
    with psycopg.connect(world.superuser_url, autocommit=True) as watcher:
        for _ in range(500):
            if watcher.execute("select wait_event_type from pg_stat_activity where pid = %s", [pid]).fetchone() == ("Lock",):
                return result
            if result.done():
                break
            threading.Event().wait(0.01)
    raise AssertionError(f"the second did not wait: {result.result(10) if result.done() else 'still busy'}")
