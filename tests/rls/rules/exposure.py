"""What stands beside the API that a project made: tables next to the views made for them, temporary tables, time without limit."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls.catalog import Catalog
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered


def check(context: Context) -> Iterator[Finding | NotCovered]:
    yield from _bypassed_schemas(context.catalog)
    yield from _temporary(context.catalog)
    yield from _without_time_limit(context)


def _bypassed_schemas(catalog: Catalog) -> Iterator[Finding]:
    """A schema of views over a schema of tables, and both are exposed: the views' choice of columns and rows binds nobody."""
    for schema in catalog.schemas.values():
        if not schema.exposed or schema.managed or schema.name == "public":
            continue
        tables = {table.oid for table in catalog.own_tables() if table.schema == schema.name}
        faces = {
            view.schema for view in catalog.own_views()
            if view.schema != schema.name and catalog.schemas[view.schema].exposed and tables & set(view.depends_on)
        }
        own_faces = any(view.schema == schema.name for view in catalog.own_views())
        for face in sorted(faces):
            if own_faces or any(table.schema == face for table in catalog.own_tables()):
                continue
            exposed = catalog.settings.get("pgrst.db_schemas", "")
            yield Finding(
                "table-schema-exposed", f"schema {schema.name}", "state", "any",
                f"schema {schema.name} is exposed beside schema {face}, which has only views and functions over its tables: whoever may "
                "read a table reaches it past them, and helpers in it become RPCs",
                f"pgrst.db_schemas = {exposed}",
                "begin;\nselect setrole::regrole, setconfig from pg_db_role_setting;\nrollback;",
            )


def _temporary(catalog: Catalog) -> Iterator[Finding]:
    """TEMPORARY is everybody's by default; a project that took it from PUBLIC and gives it to an API role undoes that."""
    held = {grant.grantee for grant in catalog.database_grants if grant.privilege == "TEMPORARY"}
    if held & {"public", "PUBLIC", ""}:
        return
    for role in catalog.api_roles:
        if role in held:
            yield Finding(
                "temporary-granted", f"role {role}", "state", "any",
                f"role {role} may make temporary tables in this database, although PUBLIC may not: what a function finds first in "
                "pg_temp is the caller's to choose",
                f"TEMPORARY on database {catalog.database} granted to {role}",
                f"begin;\nset local role {role};\ncreate temporary table mine (id int);\nrollback;",
            )


def _without_time_limit(context: Context) -> Iterator[Finding]:
    """statement_timeout set to 0 for an API role: unset leaves the server's default, 0 takes every limit away."""
    rows = context.conn.execute(
        "select s.setrole::regrole::text, c from pg_db_role_setting s cross join lateral unnest(s.setconfig) c left join pg_database d"
        " on d.oid = s.setdatabase where (d.oid is null or d.datname = current_database()) and c ~ '^statement_timeout=0([a-z]*)$' order by 1"
    ).fetchall()
    for role, setting in rows:
        if role in (*context.catalog.api_roles, "authenticator"):
            yield Finding(
                "no-statement-timeout", f"role {role}", "state", "any",
                f"role {role} has {setting}: its requests run as long as they like, and the few connections of the pool are everybody's",
                setting, "begin;\nselect setrole::regrole, setconfig from pg_db_role_setting;\nrollback;",
            )
