"""Who holds which privilege on what of ours, one line an object and a grantee; compared with the reviewed file `privileges.txt`.

A function of schema api that `authenticated` and nobody else may execute, and a table or column privilege of its owner, are no line: the
checks a3 and r7 see to those. `python -m tests.db.catalog.privileges URL` prints the file for a database that sql/ made.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg

REVIEWED = Path(__file__).with_name("privileges.txt")
_QUERY = """
with named as (
  select c.relnamespace::regnamespace || '.' || c.relname as object, c.relowner as owner, a.grantee, lower(a.privilege_type) as privilege, null::text as column_name, 0 as position
  from pg_class c cross join lateral aclexplode(c.relacl) a where c.relnamespace::regnamespace::text in ('api', 'app', 'authz', 'source') and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all
  select c.relnamespace::regnamespace || '.' || c.relname, c.relowner, a.grantee, lower(a.privilege_type), t.attname, t.attnum
  from pg_class c join pg_attribute t on t.attrelid = c.oid cross join lateral aclexplode(t.attacl) a where c.relnamespace::regnamespace::text in ('api', 'app', 'authz')
  union all
  select p.oid::regprocedure::text, p.proowner, a.grantee, lower(a.privilege_type), null, 0
  from pg_proc p cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
  where p.pronamespace::regnamespace::text in ('app', 'authz') or p.pronamespace = 'api'::regnamespace and a.grantee <> 'authenticated'::regrole
  union all
  select 'schema ' || n.nspname, n.nspowner, a.grantee, lower(a.privilege_type), null, 0
  from pg_namespace n cross join lateral aclexplode(n.nspacl) a where n.nspname in ('api', 'app', 'authz', 'source')
  union all
  select 'auth.' || c.relname, c.relowner, a.grantee, lower(a.privilege_type), null, 0
  from pg_class c cross join lateral aclexplode(c.relacl) a where c.relnamespace = 'auth'::regnamespace and a.grantee in ('authenticated'::regrole, 'ringfence_owner'::regrole, 0)
  union all
  select 'auth.' || c.relname, c.relowner, a.grantee, lower(a.privilege_type), t.attname, t.attnum
  from pg_class c join pg_attribute t on t.attrelid = c.oid cross join lateral aclexplode(t.attacl) a where c.relnamespace = 'auth'::regnamespace
    and a.grantee in ('authenticated'::regrole, 'ringfence_owner'::regrole, 0)
), held as (
  select object, case grantee when 0 then 'PUBLIC' else grantee::regrole::text end as grantee,
    privilege || coalesce(' (' || string_agg(column_name, ', ' order by position) || ')', '') as privilege
  from named where grantee <> owner group by object, grantee, privilege, column_name is null
)
select object || ' | ' || grantee || ' | ' || string_agg(privilege, ', ' order by privilege) from held group by object, grantee order by 1
"""


def held(connection: psycopg.Connection) -> list[str]:
    """Return a line for each object and grantee, in order."""
    connection.execute("set local search_path = pg_catalog")
    return [line for (line,) in connection.execute(_QUERY).fetchall()]  # type: ignore[call-overload]


def reviewed() -> list[str]:
    return [line for line in REVIEWED.read_text().splitlines() if line and not line.startswith("#")]


if __name__ == "__main__":
    with psycopg.connect(sys.argv[1]) as made:
        print("# Who holds which privilege on what of ours: object | grantee | privileges. Reviewed; see privileges.py.", *held(made), sep="\n")
