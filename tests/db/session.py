"""A database session that looks to PostgreSQL exactly like a request through PostgREST.

It logs in as `authenticator` and sends PostgREST's own prelude (search_path, the role's settings, the role, the claims, method,
path, headers), everything local to one transaction, then `db-pre-request`. A superuser session with `set role` would not do: there
`session_user` and what can be switched back to are different (RLS_TESTING.md, trap 7).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb


@dataclass(frozen=True)
class Person:
    """Somebody who signs in; `claims()` is what their access token says."""

    email: str
    user_id: UUID = field(default_factory=uuid4)
    session_id: UUID = field(default_factory=uuid4)
    token_session_id: UUID = field(default_factory=uuid4)
    """A second session, for an API token: opened a moment ago, at all times."""

    def claims(self, **more: Any) -> dict[str, Any]:
        return {
            "sub": str(self.user_id), "session_id": str(self.session_id), "email": self.email, "role": "authenticated",
            "aud": "authenticated", "aal": "aal1", "is_anonymous": False,
        } | more


def second_factor(ago_s: float = 0, method: str = "totp") -> dict[str, Any]:
    """The claims of a session in which a second factor was used `ago_s` seconds ago."""
    now = int(time.time())
    used = {"method": method, "timestamp": now - int(ago_s)}
    return {"aal": "aal2", "amr": [used, {"method": "password", "timestamp": now - 7200}]}


LONG_AGO = {"aal": "aal2", "amr": [{"method": "totp", "timestamp": 1_700_000_000}]}
"""The claims of a session whose second factor was used in another year: enough to see, too old for what is sensitive."""


class Request:
    """One transaction as one caller."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def all(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, [_adapt(a) for a in arguments]).fetchall()  # type: ignore[arg-type]

    def one(self, query: str, *arguments: Any) -> Any:
        """The first column of the only row."""
        ((value,),) = self.all(query, *arguments)
        return value

    def run(self, query: str, *arguments: Any) -> int:
        """Execute and return the number of rows it touched."""
        return self.connection.execute(query, [_adapt(a) for a in arguments]).rowcount  # type: ignore[arg-type]

    def rpc(self, name: str, /, **arguments: Any) -> Any:
        """Call `api.name` by named arguments: a list of objects for a set, the object otherwise, as PostgREST answers."""
        assert name.isidentifier() and all(a.isidentifier() for a in arguments)
        arrays = self._arrays(name) if any(isinstance(v, list) for v in arguments.values()) else set()
        given = ", ".join(f'"{a}" => %s' + ("::extensions.vector" if a == "query_embedding" else "") for a in arguments)
        values = [v if a in arrays else _adapt(v) for a, v in arguments.items()]
        with self.connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            rows = cursor.execute(f"select * from api.{name}({given})", values).fetchall()  # type: ignore[arg-type]
        return rows[0][name] if len(rows) == 1 and list(rows[0]) == [name] else rows

    def _arrays(self, name: str) -> set[str]:
        """The arguments of `api.name` that are PostgreSQL arrays: lists for any other are JSON."""
        return {a for (a,) in self.all(
            "select p.proargnames[t.n] from pg_catalog.pg_proc p, pg_catalog.unnest(p.proargtypes) with ordinality t (type, n)"
            " join pg_catalog.pg_type e on e.typarray = t.type where p.pronamespace = 'api'::pg_catalog.regnamespace and p.proname = %s", name)}

    def error(self, query: str, *arguments: Any) -> psycopg.Error:
        """Execute in a savepoint and return the error it must raise."""
        try:
            with self.connection.transaction():
                result = self.connection.execute(query, [_adapt(a) for a in arguments])  # type: ignore[arg-type]
                found = f"{result.rowcount} rows"
        except psycopg.Error as error:
            return error
        raise AssertionError(f"no error, {found}: {query}")

    def rpc_error(self, name: str, /, **arguments: Any) -> psycopg.Error:
        """Call `api.name` in a savepoint and return the error it must raise."""
        try:
            with self.connection.transaction():
                found = self.rpc(name, **arguments)
        except psycopg.Error as error:
            return error
        raise AssertionError(f"no error from {name}: {found!r}")


@contextmanager
def request(
    url: str, claims: Mapping[str, Any] | str | None, *, role: str = "authenticated", keep: bool = False, pre_request: bool = True,
    connection: psycopg.Connection | None = None,
) -> Iterator[Request]:
    """Begin a transaction as a caller; roll back at the end unless `keep`. `url` logs in as authenticator."""
    text = claims if isinstance(claims, str) else json.dumps(claims) if claims is not None else ""
    own = connection is None
    connection = connection or psycopg.connect(url)
    try:
        settings = connection.execute(
            "select setting from pg_db_role_setting s join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) setting where r.rolname = %s", [role]
        ).fetchall()
        connection.execute("select set_config('search_path', '\"api\", \"public\", \"extensions\"', true)")
        for (setting,) in settings:
            name, _, value = setting.partition("=")
            connection.execute("select set_config(%s, %s, true)", [name, value])
        connection.execute(
            "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true), set_config('request.method', 'POST', true),"
            " set_config('request.path', '/rpc/test', true), set_config('request.headers', '{}', true), set_config('request.cookies', '{}', true)",
            [role, text],
        )
        if pre_request:
            connection.execute("select authz.pre_request()")
        yield Request(connection)
        if keep:
            connection.commit()
    finally:
        if not connection.closed:
            connection.rollback()
            if own:
                connection.close()


def _adapt(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict | list) else value
