"""Tables without their row security, their keys without the organization, their triggers off."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from tests.rls.mutate.mutant import Mutant, mutant

_TABLES = "select 'app.' || relname, oid from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') order by 1"
_TRIGGERS = ("select tgrelid::regclass::text, quote_ident(tgname), p.pronamespace::regnamespace || '.' || p.proname from pg_trigger t join pg_proc p on p.oid = t.tgfoid"
             " where not tgisinternal and p.pronamespace = 'authz'::regnamespace and tgparentid = 0 order by 1, 2")
_KEYS = """
select k.conrelid::regclass::text, quote_ident(k.conname), k.contype::text, nullif(k.confrelid, 0)::regclass::text,
  (select array_agg(quote_ident(a.attname) order by u.n) from unnest(k.conkey) with ordinality u (num, n) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.num),
  (select array_agg(quote_ident(a.attname) order by u.n) from unnest(k.confkey) with ordinality u (num, n) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.num)
from pg_constraint k where k.connamespace = 'app'::regnamespace and k.contype in ('p', 'u', 'f') and k.conparentid = 0 order by 1, 2
"""
_INDEXES = """
select i.indrelid::regclass::text, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indrelid
where c.relnamespace = 'app'::regnamespace and i.indisunique and not exists (select from pg_constraint k where k.conindid = i.indexrelid) order by 2
"""


def mutants(db: psycopg.Connection) -> Iterator[Mutant]:
    """Yield the mutants of row security, keys and triggers."""
    db.execute("set local search_path = pg_catalog")
    for table, _ in db.execute(_TABLES).fetchall():
        yield mutant("rls-disable", table, f"alter table {table} disable row level security", about={table})
        yield mutant("rls-no-force", table, f"alter table {table} no force row level security", about={table})
    for table, name, function in db.execute(_TRIGGERS).fetchall():
        yield mutant("trigger-disable", f"{table}.{name}", f"alter table {table} disable trigger {name}", about={table, function})
    for table, name, kind, parent, columns, referred in db.execute(_KEYS).fetchall():
        yield from _key(table, name, kind, parent, columns, referred)
    for table, name, definition in db.execute(_INDEXES).fetchall():
        if "(org_id, " in definition:
            yield mutant("key-without-org", name, f"drop index {name}", definition.replace("(org_id, ", "("), about={table})


def _key(table: str, name: str, kind: str, parent: str | None, columns: list[str], referred: list[str] | None) -> Iterator[Mutant]:
    drop = f"alter table {table} drop constraint {name}"
    if kind == "f":
        yield mutant("key-drop", f"{table}.{name}", drop, about={table})
        pairs = [(c, r) for c, r in zip(columns, referred or [], strict=True) if c != "org_id"]
        if pairs and len(pairs) < len(columns):
            child, target = ", ".join(c for c, _ in pairs), ", ".join(r for _, r in pairs)
            yield mutant("key-without-org", f"{table}.{name}", drop, f"create unique index on {parent} ({target})",
                         f"alter table {table} add constraint {name} foreign key ({child}) references {parent} ({target})", about={table})
    elif "org_id" in columns and len(columns) > 1:
        rest = ", ".join(c for c in columns if c != "org_id")
        word = "primary key" if kind == "p" else "unique"
        yield mutant("key-without-org", f"{table}.{name}", f"{drop} cascade", f"alter table {table} add constraint {name} {word} ({rest})", about={table})
