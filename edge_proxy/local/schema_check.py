"""Compare the database that sql/ makes with the one the migrations make, through the catalogs (R26)."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from edge_proxy.local import migrate, sql_source, tools
from edge_proxy.local.ports import free_ports
from edge_proxy.local.postgres import LOGIN_ROLES, SUPERUSER, Cluster

Facts = dict[tuple[str, str], str]


@contextmanager
def scratch_clusters(count: int) -> Iterator[list[Cluster]]:
    """Start clusters like a new Supabase project, thrown away afterwards; one each, because roles belong to a cluster."""
    with tempfile.TemporaryDirectory(prefix="ringfence-check-") as folder, ExitStack() as running, ThreadPoolExecutor(count) as pool:
        ports = free_ports({str(number): 0 for number in range(count)})
        clusters = [
            Cluster(Path(folder, number), Path(folder, f"{number}.log"), port,
                    {role: secrets.token_urlsafe(16) for role in (SUPERUSER, *LOGIN_ROLES)}, throwaway=True)
            for number, port in ports.items()
        ]
        for cluster in clusters:
            running.callback(cluster.stop)
        list(pool.map(_start, clusters))
        yield clusters


def _start(cluster: Cluster) -> None:
    cluster.initialise()
    cluster.start()
    cluster.bootstrap()


@contextmanager
def both_databases(project: Path = tools.PROJECT, source: Path = sql_source.SQL) -> Iterator[tuple[str, str]]:
    """Yield the URLs of a database made by `project`'s migrations and of one made from `source`, in this order."""
    with scratch_clusters(2) as (migrated, sourced), tempfile.TemporaryDirectory() as home:
        work: list[Callable[[], object]] = [
            lambda: migrate.push(migrated.url("postgres"), home=Path(home), project=project),
            lambda: sql_source.apply(sourced.url("postgres"), source),
        ]
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(part) for part in work]:
                done.result()
        yield migrated.url("postgres"), sourced.url("postgres")


def facts(database_url: str) -> Facts:
    """Return what the catalogs say, by (kind, name)."""
    with psycopg.connect(database_url) as connection:
        return facts_of(connection)


def facts_of(connection: psycopg.Connection[Any]) -> Facts:
    """The same over a connection that is open, in its transaction."""
    # Without a path every name comes out qualified, whatever the role's own setting is.
    connection.execute("set local search_path = ''")
    rows = connection.execute((Path(__file__).parent / "fingerprint.sql").read_bytes()).fetchall()
    return {(kind, name): detail for kind, name, detail in rows}


def differences(migrated: Facts, sourced: Facts) -> list[str]:
    """Return one readable entry for every fact the two disagree about; empty when they are equal."""
    found = []
    for key in sorted(migrated.keys() | sourced.keys()):
        left, right = migrated.get(key), sourced.get(key)
        if left != right:
            kind, name = key
            found.append(f"{kind} {name}\n    sql/:       {_shown(right)}\n    migrations: {_shown(left)}")
    return found


# The migration role does not act with the rights of the definer functions' owner; replacing one of its functions and handing it
# a new one needs them. They last as long as the transaction the CLI runs a file in.
_OPENING = """-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

"""
_CLOSING = """
revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
"""


def migration_between(migrated_url: str, sourced_url: str) -> str:
    """Return the migration that turns the first database into the second, empty if nothing does. Raises: MigrationFailed.

    The Supabase CLI finds the difference. It does not see role settings, nor policies and grants on Supabase's own schemas: those
    lines are added by hand, and `differences` tells which are missing.
    """
    with tempfile.TemporaryDirectory() as home:
        difference = migrate.diff(migrated_url, sourced_url, home=Path(home))
    return f"{_OPENING}{difference.strip()}\n{_CLOSING}" if difference.strip() else ""


def _shown(detail: str | None) -> str:
    return "absent" if detail is None else detail.replace("\n", "\n                ")
