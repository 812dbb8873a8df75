"""A PostgreSQL and a PostgREST of the benchmark's own, for data sets larger than the example data: thrown away afterwards."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import psycopg

from edge_proxy.local import postgres, postgrest, sql_source
from edge_proxy.local.auth.keys import SigningKeys
from edge_proxy.local.ports import LOOPBACK, answers, free_ports
from edge_proxy.local.postgres import LOGIN_ROLES, SUPERUSER, Cluster
from edge_proxy.local.state import State

# A server meant for this much data; the local stack's own settings are for the example data. Nothing moves while something is measured.
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB", "autovacuum": "off", "checkpoint_timeout": "1h"}


@dataclass
class Server:
    """The running server."""

    cluster: Cluster
    state: State
    keys: SigningKeys
    ports: dict[str, int]
    template: str = ""

    def make(self, database: str) -> str:
        """Return the superuser's URL of a new database made from sql/: of the first one a copy is kept, for the others."""
        self.cluster.drop_database(database)
        if not self.template:
            self.cluster.create_database("bench_template")
            sql_source.apply(self.cluster.url("postgres", "bench_template"))
            self.template = "bench_template"
        self.cluster.create_database(database, self.template)
        return self.cluster.url(SUPERUSER, database)

    def drop(self, database: str) -> None:
        self.cluster.drop_database(database)

    @contextmanager
    def rest(self, database: str) -> Iterator[str]:
        """Serve one database by PostgREST and yield its address."""
        text = postgrest.configuration(
            database_url=self.cluster.url("authenticator", database), port=self.ports["rest"], admin_port=self.ports["rest_admin"], jwks_file=self.state.jwks)
        child = postgrest.launch(self.state, text)
        try:
            child.wait_until(lambda: answers(f"http://{LOOPBACK}:{self.ports['rest_admin']}/ready"))
            yield f"http://{LOOPBACK}:{self.ports['rest']}/rpc"
        finally:
            child.stop()


@contextmanager
def running(*, durable: bool = False) -> Iterator[Server]:
    """Start the server and end it; `durable`: a commit waits for the disk, as where it counts."""
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder, mock.patch.dict(postgres.SETTINGS, SETTINGS), ExitStack() as ending:
        state = State(Path(folder))
        state.create()
        ports = free_ports(dict.fromkeys(("postgres", "rest", "rest_admin"), 0))
        cluster = Cluster(state.data, state.log("postgres"), ports["postgres"],
                          {role: secrets.token_urlsafe(16) for role in (SUPERUSER, *LOGIN_ROLES)}, throwaway=not durable)
        cluster.initialise()
        ending.callback(cluster.stop)
        cluster.start()
        cluster.bootstrap()
        keys = SigningKeys.load_or_create(state.signing_keys)
        keys.publish_jwks(state.jwks)
        yield Server(cluster, state, keys, ports)


def patient(url: str) -> psycopg.Connection:
    """Connect for longer than the roles of a request may be idle."""
    connection = psycopg.connect(url, prepare_threshold=3)
    connection.execute("select set_config('idle_in_transaction_session_timeout', '0', false)")
    connection.commit()
    return connection
