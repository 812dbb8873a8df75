"""Many callers over one connection: what a test believes to be a connection of its own is a savepoint of one transaction.

A mutant is made in a transaction and taken back with it, so whoever looks at it must be inside. `Line` behaves like a psycopg connection
that has just logged in: another session_user (what SQL sees of a login), no role, no settings of a request. Lines nest, and the one
opened last must end first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.pq import TransactionStatus

TIME_LIMIT = "15s"
"""For a statement: a recursive query whose end is left out has none."""
SETTINGS = {
    "session_authorization": "default", "role": "none", "search_path": '"$user", public', "statement_timeout": TIME_LIMIT, "lock_timeout": "5s",
    "request.jwt.claims": "", "request.jwt.claim.sub": "", "request.headers": "", "request.method": "", "request.path": "", "request.cookies": "",
    "session_replication_role": "origin", "row_security": "on", "plan_cache_mode": "auto", "transaction_read_only": "off",
}
"""What a session starts with, and so what a line must not inherit from the one around it. In this order: only a superuser sets some of them."""


class Interleaved(Exception):
    """A line was used while one opened after it was still open."""


class Trunk:
    """The one connection, of a superuser, and the lines open on it."""

    def __init__(self, url: str) -> None:
        self.real = psycopg.connect(url, prepare_threshold=None, options=f"-c statement_timeout={TIME_LIMIT}")
        self.superuser = urlsplit(url).username or ""
        self.open: list[Line] = []
        self.made = 0

    def connect(self, url: str = "", *, autocommit: bool = False, **_: Any) -> Line:
        """Stand in for psycopg.connect."""
        return Line(self, urlsplit(url).username or self.superuser, autocommit)

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection]:
        """The transaction of one mutant: everything in it is rolled back."""
        self.open.clear()
        # Begun now: a block of psycopg's own that finds no transaction commits at its end.
        self.real.execute("select")
        try:
            yield self.real
        finally:
            self.open.clear()
            self.real.rollback()

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Give every caller of psycopg.connect a line."""
        original: Callable[..., Any] = psycopg.connect
        psycopg.connect = self.connect  # type: ignore[assignment]
        try:
            yield
        finally:
            psycopg.connect = original  # type: ignore[assignment]


class Line:
    """A connection as a test sees it."""

    def __init__(self, trunk: Trunk, login: str, autocommit: bool) -> None:
        self.trunk, self.login, self.autocommit = trunk, login, autocommit
        self.closed, self.name = False, ""
        self.outer: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.trunk.real, name)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if kind:
            self.rollback()
        else:
            self.commit()
        self.close()

    def execute(self, query: Any, parameters: Any = None, **options: Any) -> psycopg.Cursor:
        self._begin()
        cursor = self.trunk.real.execute(query, parameters, **options)
        if self.autocommit:
            self.commit()
        return cursor

    def cursor(self, *arguments: Any, **options: Any) -> Any:
        self._begin()
        return self.trunk.real.cursor(*arguments, **options)

    def transaction(self, *arguments: Any, **options: Any) -> Any:
        self._begin()
        return self.trunk.real.transaction(*arguments, **options)

    def commit(self) -> None:
        # What has failed is undone by a commit, as on any connection.
        if self.trunk.real.info.transaction_status is TransactionStatus.INERROR:
            self.rollback()
        if self.name:
            self._due()
            self._end(f"release savepoint {self.name}")
            self.trunk.real.execute("reset session authorization")
            self._set(self.outer)

    def _due(self) -> None:
        """Fire now what waits for the end of a transaction, as the line: what it refuses undoes the line. Raises: psycopg.Error, what it says."""
        if self.trunk.open[-1] is not self:
            raise Interleaved(self.login)
        try:
            self.trunk.real.execute("set constraints all immediate; set constraints all deferred")
        except psycopg.Error:
            self.rollback()
            raise

    def rollback(self) -> None:
        if self.name:
            self._end(f"rollback to savepoint {self.name}; release savepoint {self.name}")

    def close(self) -> None:
        self.rollback()
        self.closed = True

    def _begin(self) -> None:
        if self.closed:
            raise psycopg.OperationalError("the connection is closed")
        if self.name:
            if self.trunk.open[-1] is not self:
                raise Interleaved(self.login)
            return
        self.trunk.made += 1
        self.name = f"line_{self.trunk.made}"
        self.trunk.real.execute(f"savepoint {self.name}".encode())
        row = self.trunk.real.execute("select " + ", ".join(f"current_setting('{s}', true)" for s in SETTINGS)).fetchone() if self.trunk.open else None
        self.outer = ["" if v is None else v for v in row] if row else list(SETTINGS.values())
        self.trunk.open.append(self)
        if row:
            self.trunk.real.execute("set local session authorization default")
            self._set(list(SETTINGS.values()))
        if self.login != self.trunk.superuser:
            self.trunk.real.execute(f"set local session authorization {self.login}".encode())

    def _set(self, values: list[str]) -> None:
        """Give the session these settings; whoever it is now, it may."""
        login, role, *others = values
        names = list(SETTINGS)[2:]
        self.trunk.real.execute("select " + ", ".join("set_config(%s, %s, true)" for _ in names),
                                [part for pair in zip(names, others, strict=True) for part in pair])
        if login != "default":
            self.trunk.real.execute("select set_config('session_authorization', %s, true), set_config('role', %s, true)", [login, role])

    def _end(self, statement: str) -> None:
        if self.trunk.open[-1] is not self:
            raise Interleaved(self.login)
        self.trunk.open.pop()
        self.name = ""
        self.trunk.real.execute(statement.encode())
