"""Fixtures shared by all tests: one cluster and one stack for all workers, started when first asked for, ended with the run."""

from __future__ import annotations

import ipaddress
import json
import os
import pickle
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from filelock import FileLock
from psycopg import sql

SHARED = "RINGFENCE_TEST_SHARED"
TEMPLATE = "sql_template"
_started: list[Any] = []  # keeps a child of a worker referenced while it serves the other workers


def pytest_configure(config: pytest.Config) -> None:
    """Give all workers one folder; what the developer's own environment says about services is not our business."""
    for name in list(os.environ):
        if name.startswith(("SUPABASE_", "RINGFENCE_", "OPENAI_", "PG")) and name != SHARED:
            del os.environ[name]
    if not hasattr(config, "workerinput"):
        os.environ[SHARED] = tempfile.mkdtemp(prefix="ringfence-tests-")
        Path(os.environ[SHARED]).chmod(0o711)  # PostgreSQL's own user must pass through
    sys.addaudithook(_stay_on_loopback)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what the workers started. Runs after the last of them, in the process that began the run."""
    if hasattr(config, "workerinput"):
        return
    from edge_proxy.local import leftovers, processes
    from edge_proxy.local.state import State

    folder = Path(os.environ.pop(SHARED))
    leftovers.end(State(folder / "stack"))
    cluster = folder / "cluster.json"
    if cluster.exists():
        processes.stop(processes.ProcessRecord.from_json(json.loads(cluster.read_text())["process"]))
    for child in _started:
        child.popen.wait()
    shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the mutation score of the run, which the workers left in parts."""
    parts = sorted(Path(os.environ[SHARED]).glob("mutants-*.pickle")) if SHARED in os.environ else []
    if parts:
        from tests.rls.mutate.score import merged

        terminalreporter.write_line(str(merged(pickle.loads(part.read_bytes()) for part in parts)))


def _stay_on_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse every connection that would leave this machine."""
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not _is_loopback(str(address[0])):
            raise ConnectionRefusedError(f"a test tried to reach {address[0]}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Database:
    """One database of the test cluster."""

    cluster: Any
    name: str

    def url(self, role: str = "postgres") -> str:
        """Return a connection URL; roles: postgres, authenticator, supabase_auth_admin, supabase_admin, ringfence_worker, ..."""
        return str(self.cluster.url(role, self.name))

    def connect(self, role: str = "postgres", *, autocommit: bool = False) -> psycopg.Connection:
        return psycopg.connect(self.url(role), autocommit=autocommit)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder all workers of this run share."""
    return Path(os.environ[SHARED])


@pytest.fixture(scope="session")
def cluster(shared: Path) -> Any:
    """Return the one PostgreSQL cluster of the run, with a new Supabase project's roles and schemas."""
    from edge_proxy.local.ports import free_ports
    from edge_proxy.local.postgres import LOGIN_ROLES, SUPERUSER, Cluster
    from edge_proxy.local.jobs import ROLES as JOB_ROLES

    described = shared / "cluster.json"
    with FileLock(shared / "cluster.lock"):
        if described.exists():
            known = json.loads(described.read_text())
            return Cluster(shared / "postgres", shared / "postgres.log", known["port"], known["passwords"], throwaway=True)
        passwords = {role: secrets.token_urlsafe(16) for role in (SUPERUSER, *LOGIN_ROLES, *JOB_ROLES)}
        port = free_ports({"postgres": 0})["postgres"]
        made = Cluster(shared / "postgres", shared / "postgres.log", port, passwords, throwaway=True)
        made.initialise()
        child = made.launch()
        _started.append(child)
        described.write_text(json.dumps({"port": port, "passwords": passwords, "process": child.record.to_json()}))
        made.wait_until_ready()
        made.bootstrap()
        return made


@pytest.fixture(scope="session")
def sql_template(cluster: Any, shared: Path) -> str:
    """Return the name of a database built from sql/, to be copied."""
    from edge_proxy.local import sql_source
    from edge_proxy.local.jobs import ROLES as JOB_ROLES

    built = shared / "sql_template.built"
    with FileLock(shared / "sql_template.lock"):
        if not built.exists():
            cluster.drop_database(TEMPLATE)
            cluster.create_database(TEMPLATE)
            sql_source.apply(cluster.url("postgres", TEMPLATE))
            with cluster.connect("postgres") as connection:
                for role in JOB_ROLES:
                    password = sql.Literal(cluster.passwords[role])
                    connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), password))
            built.touch()
    return TEMPLATE


@pytest.fixture
def database(cluster: Any, sql_template: str) -> Iterator[Database]:
    """Return a fresh copy of the database that sql/ makes, for one test."""
    yield from _copy(cluster, sql_template)


@pytest.fixture(scope="module")
def module_database(cluster: Any, sql_template: str) -> Iterator[Database]:
    """Return a fresh copy of the database that sql/ makes, for the tests of one file."""
    yield from _copy(cluster, sql_template)


@pytest.fixture
def empty_database(cluster: Any) -> Iterator[Database]:
    """Return a database as a new Supabase project has it: nothing of ours in it."""
    yield from _copy(cluster, "template1")


def _copy(cluster: Any, template: str) -> Iterator[Database]:
    name = f"t_{secrets.token_hex(6)}"
    cluster.create_database(name, template)
    try:
        yield Database(cluster, name)
    finally:
        cluster.drop_database(name)


@pytest.fixture(scope="session")
def stack(shared: Path) -> dict[str, Any]:
    """Return what `ringfence up --json` prints about the one full, seeded stack of the run."""
    described = shared / "stack_up.json"
    with FileLock(shared / "stack.lock"):
        if not described.exists():
            # All tests come from one address; the limits themselves have tests of their own.
            limits = {f"RINGFENCE_RATE_{name}": "2000/20000" for name in ("USER", "ADDRESS", "AUTH", "CHAT", "ORG", "ORG_CHAT")}
            done = subprocess.run(
                [sys.executable, "-m", "agent.cli", "up", "--detach", "--json", "--port", "0", "--state-dir", shared / "stack"],
                env={**os.environ, **limits}, capture_output=True, text=True, timeout=180,
            )
            # A stack that does not start is tried once, not once for every test that needs it.
            described.write_text(done.stdout or json.dumps({"failed": done.stderr}))
    found = dict(json.loads(described.read_text()))
    assert "failed" not in found, found["failed"]
    return found
