"""What the tests of the emulator share: its address, its clock and a person who signed up."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from edge_proxy.local.auth.config import AuthConfig
from edge_proxy.local.auth.keys import SigningKeys
from edge_proxy.local.postgres import SUPERUSER, Cluster


@dataclass
class MovableClock:
    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Person:
    id: str
    email: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class AuthDatabase:
    """A database with the schema auth and nothing else."""

    cluster: Cluster
    name: str

    def url(self, role: str) -> str:
        return self.cluster.url(role, self.name)

    def connect(self, role: str = SUPERUSER, **options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(role), **options)


@dataclass(frozen=True)
class Emulator:
    """The server of one test process."""

    http: httpx.Client
    config: AuthConfig
    keys: SigningKeys
    database: AuthDatabase

    @property
    def url(self) -> str:
        return str(self.http.base_url)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.http.post(path, **options)

    def grant(self, kind: str, **body: str) -> httpx.Response:
        return self.post("/token", params={"grant_type": kind}, json=body)

    def get_user(self, token: str) -> httpx.Response:
        return self.http.get("/user", headers={"authorization": f"Bearer {token}"})

    def put_user(self, token: str, body: dict[str, Any]) -> httpx.Response:
        return self.http.put("/user", headers={"authorization": f"Bearer {token}"}, json=body)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Return what the superuser sees."""
        with self.database.connect(row_factory=dict_row) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def change(self, statement: str, *values: Any) -> None:
        with self.database.connect() as connection:
            connection.execute(statement.encode(), values)
