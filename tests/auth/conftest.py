"""A running emulator on a database of its own, with a clock the tests can move, and the clients' view of it."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
import uvicorn
from supabase_auth import SyncGoTrueClient

from edge_proxy.local.auth.app import create_app
from edge_proxy.local.auth.config import AuthConfig
from edge_proxy.local.auth.keys import SigningKeys, new_key
from edge_proxy.local.ports import LOOPBACK
from edge_proxy.local.postgres import Cluster
from tests.auth.harness import AuthDatabase, Emulator, MovableClock, Person

START_TIMEOUT_S = 60.0


@pytest.fixture(scope="session")
def auth_database(cluster: Cluster) -> Iterator[AuthDatabase]:
    """A database as a new Supabase project has it, for the accounts of one test process."""
    name = f"auth_{secrets.token_hex(6)}"
    cluster.create_database(name)
    yield AuthDatabase(cluster, name)
    cluster.drop_database(name)


@pytest.fixture(scope="session")
def session_clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def clock(session_clock: MovableClock) -> Iterator[MovableClock]:
    """The emulator's clock, put right again after the test."""
    yield session_clock
    session_clock.ahead = timedelta(0)


@pytest.fixture(scope="session")
def config(auth_database: AuthDatabase, tmp_path_factory: pytest.TempPathFactory) -> AuthConfig:
    return AuthConfig(
        database_url=auth_database.url("supabase_auth_admin"),
        port=0,
        issuer="http://127.0.0.1:8787/auth/v1",
        signing_keys=tmp_path_factory.mktemp("auth-keys") / "keys.json",
    )


@pytest.fixture(scope="session")
def emulator(config: AuthConfig, auth_database: AuthDatabase, session_clock: MovableClock) -> Iterator[Emulator]:
    keys = SigningKeys((*SigningKeys.load_or_create(config.signing_keys).jwks, new_key()))
    app = create_app(config, keys, session_clock)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    with socket.create_server((LOOPBACK, 0)) as listener:
        url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while not server.started:
                assert thread.is_alive() and time.monotonic() < deadline, "the emulator did not start"
                time.sleep(0.01)
            with httpx.Client(base_url=url, timeout=60) as http:
                yield Emulator(http, config, keys, auth_database)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def new_client(emulator: Emulator) -> Callable[[], SyncGoTrueClient]:
    """Make clients of the real library, each like an app on a device of its own."""
    return lambda: SyncGoTrueClient(url=emulator.url, auto_refresh_token=False, http_client=emulator.http)


@pytest.fixture
def client(new_client: Callable[[], SyncGoTrueClient]) -> SyncGoTrueClient:
    return new_client()


@pytest.fixture
def person(emulator: Emulator) -> Person:
    """Somebody who signed up a moment ago."""
    email, password = f"{secrets.token_hex(8)}@acme.test", secrets.token_urlsafe(12)
    answer = emulator.post("/signup", json={"email": email, "password": password})
    assert answer.status_code == 200
    return Person(answer.json()["user"]["id"], email, password)


@pytest.fixture
def signed_in(client: SyncGoTrueClient, person: Person) -> SyncGoTrueClient:
    """A client in which `person` is signed in."""
    client.sign_in_with_password({"email": person.email, "password": person.password})
    return client
