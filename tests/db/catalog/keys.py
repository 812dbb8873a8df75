"""Every key of ours and everything that is published, one line each; compared with the reviewed file `keys.txt`.

A key that is gone lets rows of two organizations hang together, and most of them no request can show: the policies beside it say the same.
What is published leaves the database without row security. `python -m tests.db.catalog.keys URL` prints the file for a database that sql/ made.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg

REVIEWED = Path(__file__).with_name("keys.txt")
_QUERY = """
with ours as (select c.oid, c.oid::regclass::text as name, c.relreplident from pg_class c
  where c.relnamespace::regnamespace::text in ('api', 'app', 'authz') and c.relkind in ('r', 'p', 'm') and not c.relispartition)
select o.name || ' | ' || k.conname || ' | ' || pg_get_constraintdef(k.oid) || case when k.convalidated and k.conenforced then '' else ' (not enforced for every row)' end
from ours o join pg_constraint k on k.conrelid = o.oid where k.contype in ('p', 'u', 'f', 'x')
union all
select o.name || ' | ' || c.relname || ' | unique' || substring(pg_get_indexdef(c.oid) from ' USING .*') || case when i.indisvalid then '' else ' (not valid)' end
from ours o join pg_index i on i.indrelid = o.oid join pg_class c on c.oid = i.indexrelid
where i.indisunique and not exists (select from pg_constraint k where k.conindid = c.oid and k.contype in ('p', 'u', 'x'))
union all
select o.name || ' | replica identity | ' || case o.relreplident when 'f' then 'every column' when 'n' then 'nothing' else 'an index' end from ours o where o.relreplident <> 'd'
union all
select 'publication ' || p.pubname || ' | ' || case when p.puballtables then 'all tables'
  else coalesce((select string_agg(r.prrelid::regclass::text, ', ' order by 1) from pg_publication_rel r where r.prpubid = p.oid), 'no table')
    || coalesce((select ', schema ' || string_agg(s.pnnspid::regnamespace::text, ', ' order by 1) from pg_publication_namespace s where s.pnpubid = p.oid), '') end
from pg_publication p
order by 1
"""


def found(connection: psycopg.Connection) -> list[str]:
    """Return a line for each key and each publication, in order."""
    connection.execute("set local search_path = pg_catalog")
    return [line for (line,) in connection.execute(_QUERY).fetchall()]  # type: ignore[call-overload]


def reviewed() -> list[str]:
    return [line for line in REVIEWED.read_text().splitlines() if line and not line.startswith("#")]


if __name__ == "__main__":
    with psycopg.connect(sys.argv[1]) as made:
        print("# Every key of ours, and what is published: table | name | definition. Reviewed; see keys.py.", *found(made), sep="\n")
