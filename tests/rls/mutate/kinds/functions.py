"""Functions with other rights: definers that were invokers, other owners, search paths left open."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from tests.rls.mutate.mutant import Mutant, mutant

_QUERY = """
select p.oid::regprocedure::text, n.nspname || '.' || p.proname, p.prosecdef from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('api', 'app', 'authz') and p.prokind = 'f' order by 1
"""


def mutants(db: psycopg.Connection) -> Iterator[Mutant]:
    """Yield the mutants of what a function runs as, and where it finds names."""
    db.execute("set local search_path = pg_catalog")
    for signature, name, definer in db.execute(_QUERY).fetchall():
        alter = f"alter function {signature}"
        if definer:
            yield mutant("definer-owner", signature, f"{alter} owner to postgres", about={name})
        else:
            yield mutant("invoker-to-definer", signature, f"{alter} security definer", about={name})
        yield mutant("search-path-unpinned", signature, f"{alter} reset search_path", about={name})
