"""What `ringfence doctor` says of credentials that nobody looked at for long: API tokens, secrets, and the keys that wrap them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from agent.cli.findings import Finding

if TYPE_CHECKING:
    import psycopg

UNUSED_DAYS = 90
"""An API token that nobody used for so long is one that somebody forgot."""
OLD_DAYS = 365
"""A secret, or the wrapping of its key, should not be older."""
_STALE = (
    ("API tokens", f"not used for {UNUSED_DAYS} days: `ringfence token list ORG`, then revoke them", UNUSED_DAYS,
     "select pg_catalog.count(*) from app.api_token t where t.revoked_at is null and t.expires_at > pg_catalog.now()"
     " and coalesce(t.last_used_at, t.created_at) < pg_catalog.now() - pg_catalog.make_interval(days => %s)"),
    ("secrets", f"not set anew for {OLD_DAYS} days: get new ones where they come from", OLD_DAYS,
     "select pg_catalog.count(*) from app.secret s where s.set_at < pg_catalog.now() - pg_catalog.make_interval(days => %s)"),
    ("keys of secrets", f"wrapped by a key older than {OLD_DAYS} days: `ringfence keys secrets add`, promote, rewrap", OLD_DAYS,
     "select pg_catalog.count(*) from app.secret s where s.wrapped_at < pg_catalog.now() - pg_catalog.make_interval(days => %s)"),
)


def findings(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    """Count what is stale, as a log-in that sees the tables; a log-in that does not says nothing, nor does an older schema."""
    import psycopg

    stale = []
    try:
        for what, advice, days, query in _STALE:
            with connection.transaction():
                row = connection.execute(query, [days]).fetchone()
            if row and row[0]:
                stale.append(f"{row[0]} {what} {advice}")
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return
    for one in stale:
        yield Finding("stale credentials", "warn", one)
    if not stale:
        yield Finding("stale credentials", "ok", "none")
