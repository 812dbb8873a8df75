"""Databases for the corpus: a cluster of its own, because some breaks are of roles, which belong to the whole cluster."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from edge_proxy.local.ports import free_ports
from edge_proxy.local.postgres import LOGIN_ROLES, SUPERUSER, Cluster
from tests.rls.corpus.entries import HERE, Entry, sources


class Copies:
    """A throwaway cluster, the templates of the correct schemas, and copies of them."""

    def __init__(self) -> None:
        # Not under pytest's folder of folders, which other runs on the machine clean up.
        self._folder = tempfile.TemporaryDirectory(prefix="ringfence-corpus-")
        folder = Path(self._folder.name)
        folder.chmod(0o711)  # PostgreSQL's own user must pass through
        passwords = {role: secrets.token_urlsafe(16) for role in (SUPERUSER, *LOGIN_ROLES)}
        self.cluster = Cluster(folder / "postgres", folder / "postgres.log", free_ports({"postgres": 0})["postgres"], passwords, throwaway=True)
        self.cluster.initialise()
        self.cluster.start()
        self.cluster.bootstrap()
        self._made: set[str] = set()

    def close(self) -> None:
        self.cluster.stop()
        self._folder.cleanup()

    def template(self, schema: str, *, seeded: bool = True) -> str:
        """Return the name of the database that holds the correct schema, made when first asked for."""
        name = f"{schema}_{'seeded' if seeded else 'empty'}"
        if name not in self._made:
            self.cluster.create_database(name)
            with self.connect(name, SUPERUSER) as connection:
                connection.execute((HERE / "platform.sql").read_bytes())
                if (HERE / schema / "legacy").exists():
                    connection.execute((HERE / "legacy_privileges.sql").read_bytes())
            with self.connect(name, "postgres") as connection:
                for file in sources(schema, seeded=seeded):
                    connection.execute(file.read_bytes())
                connection.execute("analyze")
            self._made.add(name)
        return name

    @contextmanager
    def correct(self, schema: str, *, seeded: bool = True) -> Iterator[str]:
        """Yield the name of a fresh copy of a correct schema."""
        name = f"c_{secrets.token_hex(6)}"
        self.cluster.create_database(name, self.template(schema, seeded=seeded))
        try:
            settings = HERE / schema / "settings.sql"
            if settings.exists():
                with self.connect(name, "postgres") as connection:
                    connection.execute(sql.SQL(settings.read_text()).format(database=sql.Identifier(name)))  # type: ignore[arg-type]
            yield name
        finally:
            self.cluster.drop_database(name)

    @contextmanager
    def broken(self, entry: Entry) -> Iterator[str]:
        """Yield the name of a fresh copy with the break in it; what it changed of the cluster is undone."""
        with self.correct(entry.schema) as name:
            before = self._roles(name)
            with self.connect(name, entry.patched_by) as connection:
                connection.execute(entry.patch.replace("{database}", name))  # type: ignore[arg-type]
            try:
                yield name
            finally:
                if entry.undo:
                    with self.connect(name, entry.patched_by) as connection:
                        connection.execute(entry.undo.replace("{database}", name))  # type: ignore[arg-type]
                # What stayed would be found in every schema that is looked at afterwards.
                assert self._roles(name) == before, f"{entry.id} changed roles of the cluster and does not undo it"

    def _roles(self, database: str) -> list[tuple[object, ...]]:
        """What roles of the cluster are and may, whatever the database."""
        with self.connect(database, SUPERUSER) as connection:
            return connection.execute(
                "select rolname, r::text from pg_roles r"
                " union all select 'member', format('%s %s %s %s %s', roleid, member, admin_option, inherit_option, set_option) from pg_auth_members"
                " union all select 'setting', s::text from pg_db_role_setting s where setdatabase = 0"
                " union all select 'parameter', p::text from pg_parameter_acl p order by 1, 2").fetchall()

    def connect(self, database: str, role: str, *, autocommit: bool = False) -> psycopg.Connection:
        return self.cluster.connect(role, database, autocommit=autocommit)

    def url(self, database: str, role: str = "postgres") -> str:
        return self.cluster.url(role, database)
