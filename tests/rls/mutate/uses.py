"""Who uses which function of ours, from the catalog: a check in a helper is noticed through whatever calls it.

Used for the order in which cells are tried, never for a verdict.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator

import psycopg

_NAMED = re.compile(r"\b(?:api|app|authz)\.[a-z_]\w*")
_TEXTS = """
select n.nspname || '.' || p.proname, pg_get_functiondef(p.oid) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('api', 'app', 'authz') and p.prokind = 'f'
union all
select p.polrelid::regclass::text, coalesce(pg_get_expr(p.polqual, p.polrelid), '') || ' ' || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') from pg_policy p
union all
select t.tgrelid::regclass::text, pg_get_triggerdef(t.oid) from pg_trigger t where not t.tgisinternal
union all
select d.adrelid::regclass::text, pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d
"""


class Uses:
    """The objects (schema.name) by what their text names."""

    def __init__(self, db: psycopg.Connection) -> None:
        db.execute("set local search_path = pg_catalog")
        self.users: defaultdict[str, set[str]] = defaultdict(set)
        for name, text in db.execute(_TEXTS).fetchall():
            for used in set(_NAMED.findall(text)) - {name}:
                self.users[used].add(name)
        db.rollback()

    def of(self, names: frozenset[str]) -> Iterator[str]:
        """Yield what uses one of them, directly or through others: the nearest first. Not they themselves."""
        seen, waiting = set(names), deque(sorted(names))
        while waiting:
            for user in sorted(self.users[waiting.popleft()] - seen):
                seen.add(user)
                waiting.append(user)
                yield user
