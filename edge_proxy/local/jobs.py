"""What the local stack gives the worker for jobs: two database log-ins with passwords of this stack."""

from __future__ import annotations

import psycopg
from psycopg import sql

from edge_proxy.local.postgres import Cluster
from edge_proxy.local.state import State

ROLES = ("ringfence_worker", "ringfence_analyst")


def set_passwords(cluster: Cluster, state: State) -> None:
    """Give both log-ins their passwords, as the migration role would on Supabase."""
    with psycopg.connect(cluster.url("postgres")) as connection:
        for role in ROLES:
            if connection.execute("select from pg_roles where rolname = %s", [role]).rowcount:
                secret = sql.Literal(state.secret(role))
                connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), secret))


def urls(cluster: Cluster, state: State) -> tuple[str, str]:
    """Return where the worker and the analyst log in."""
    worker, analyst = (cluster.url(role, password=state.secret(role)) for role in ROLES)
    return worker, analyst


def settings(cluster: Cluster, state: State) -> dict[str, str]:
    """Return the environment of a worker."""
    worker, analyst = urls(cluster, state)
    return {"RINGFENCE_WORKER_DATABASE_URL": worker, "RINGFENCE_ANALYST_DATABASE_URL": analyst}
