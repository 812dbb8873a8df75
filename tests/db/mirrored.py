"""Globex as an image of acme: the same ids, the same people in the same roles. Whatever looks for an id alone finds two rows."""

from __future__ import annotations

from collections.abc import Iterable

from tests.db.session import Request
from tests.db.world import World

_COLUMNS = """
select c.relname, a.attname, a.atttypid::regtype::text, exists (select from pg_index i where i.indrelid = c.oid and i.indisunique and a.attnum = any (i.indkey)
    and not o.attnum = any (i.indkey))
from pg_class c join pg_attribute o on o.attrelid = c.oid and o.attname = 'org_id' join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attgenerated = '' order by c.relname, a.attnum
"""
_DRAWN = {"uuid": "gen_random_uuid()", "text": "encode(sha256({column}::bytea), 'hex')", "bigint": "-{column}", "xid8": "('9' || {column}::text)::xid8"}
"""In place of what is unique across organizations: a value that stands for nothing."""


def image(db: Request, world: World) -> str:
    """The statements that make globex an image of acme."""
    columns: dict[str, dict[str, str]] = {}
    for table, column, type_, unique in db.all(_COLUMNS):
        value = f"'{world.globex.id}'" if column == "org_id" else _DRAWN[type_].format(column=column) if unique else column
        columns.setdefault(table, {})[column] = value
    made = [f"delete from app.{t} where org_id = '{world.globex.id}'; insert into app.{t} ({', '.join(c)}) select {', '.join(c.values())} from app.{t} where org_id = '{world.acme.id}'"
            for t, c in columns.items()]
    return "; ".join(["set local session_replication_role = replica", *made, "set local session_replication_role = origin"])


_KEY = "select quote_ident(c.relname) from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = %s::regclass and i.indisprimary"


def image_first(db: Request, world: World, tables: Iterable[str]) -> None:
    """Put the rows of acme behind those of the image: whoever asks for one of two without saying which is given the image's.

    Written anew, a table has no gap in which a row could come to stand before others; equal keys of an index follow the same order.
    """
    for table in tables:
        db.run(f"cluster {table} using {db.one(_KEY, table)}")
        db.run(f"update {table} set org_id = org_id where org_id = '{world.acme.id}'")
