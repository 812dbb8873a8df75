"""Read the catalogs of a database into a `Catalog`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.rls.catalog import (
    Argument, Bucket, Catalog, Column, Constraint, DefaultPrivilege, Extension, Function, Grant, Index, Policy, Publication, Role, Schema, Sequence,
    Table, Trigger, View,
)

# What Supabase and common extensions keep there is theirs to protect; rules and probes look at single tables of them (storage.objects).
MANAGED_SCHEMAS = frozenset({
    "auth", "storage", "realtime", "_realtime", "_analytics", "vault", "extensions", "graphql", "graphql_public", "pgsodium", "pgsodium_masks", "pgbouncer",
    "supabase_functions", "supabase_migrations", "net", "cron", "pgmq", "pgmq_public", "pgtle", "tests", "etl",
})
COMMANDS = {"r": "select", "a": "insert", "w": "update", "d": "delete", "*": "all"}
VOLATILITY = {"i": "immutable", "s": "stable", "v": "volatile"}
Row = dict[str, Any]


def read(connection: psycopg.Connection[Any], *, anon_role: str | None = None, user_role: str | None = None, exposed: tuple[str, ...] = ()) -> Catalog:
    """Return the snapshot. Changes nothing; `anon_role`, `user_role` and `exposed` override what is found."""
    rows = {name: _rows(connection, query) for name, query in _queries().items()}
    (database,) = rows["database"]
    settings: dict[str, str] = database["settings"]
    types = {row["oid"]: row for row in rows["types"]}
    grants = _grants(rows["grants"])
    columns = _grouped(rows["columns"], "relation")
    parts = {name: _grouped(rows[name], "relation") for name in ("policies", "constraints", "indexes", "triggers", "view_dependencies")}
    schemas = _schemas(rows["schemas"], grants, exposed or _exposed(settings, rows["schemas"]))
    tables: dict[int, Table] = {}
    views: dict[int, View] = {}
    for row in rows["relations"]:
        common = {
            **{key: row[key] for key in ("oid", "schema", "name", "kind", "owner", "comment", "rows")},
            "columns": tuple(_column(one, types[one["type_oid"]]) for one in columns[row["oid"]]),
            "grants": tuple(grants["relation", row["oid"]]),
            "indexes": tuple(Index(**_tuples(one, drop=("relation",))) for one in parts["indexes"][row["oid"]]),
            "triggers": tuple(Trigger(**_tuples(one, drop=("relation",))) for one in parts["triggers"][row["oid"]]),
            "managed": row["extension_owned"] or schemas[row["schema"]].managed,
        }
        if row["kind"] in "rpf":
            tables[row["oid"]] = Table(
                **common, **{key: row[key] for key in ("rls", "force", "persistence", "is_partition", "replica_identity")}, parents=tuple(row["parents"]),
                policies=tuple(_policy(one, f"{row['schema']}.{row['name']}") for one in parts["policies"][row["oid"]]),
                constraints=tuple(Constraint(**_tuples(one, drop=("relation",))) for one in parts["constraints"][row["oid"]]),
            )
        else:
            needs = parts["view_dependencies"][row["oid"]]
            views[row["oid"]] = View(
                **common, options=tuple(row["options"]), definition=row["definition"] or "", updatable=row["updatable"], populated=row["populated"],
                depends_on=tuple(one["target"] for one in needs if one["class"] == "pg_class"), functions=tuple(one["target"] for one in needs if one["class"] == "pg_proc"),
            )
    roles = {row["name"]: Role(**{**_tuples(row, drop=("oid",)), "member_of": frozenset(row["member_of"]), "inherits": frozenset(row["inherits"])}) for row in rows["roles"]}
    return Catalog(
        tables=tables, views=views, roles=roles, schemas=schemas, settings=settings,
        functions={row["oid"]: _function(row, types, grants, schemas) for row in rows["functions"]},
        sequences={row["oid"]: _sequence(row, grants) for row in rows["sequences"]},
        default_privileges=tuple(DefaultPrivilege(row["role"], row["schema"], row["objects"], tuple(grants["default", row["oid"]])) for row in rows["defaults"]),
        publications=tuple(_publication(row) for row in rows["publications"]),
        buckets=_buckets(connection, tables), extensions=tuple(Extension(**row) for row in rows["extensions"]),
        database=database["name"], server_version=database["version"], current_user=database["current_user"], is_superuser=database["superuser"],
        database_grants=tuple(grants["database", database["oid"]]),
        anon_role=anon_role or settings.get("pgrst.db_anon_role", "anon"), user_role=user_role or "authenticated",
    )


def _queries() -> dict[str, str]:
    """Return the named statements of snapshot.sql."""
    text = (Path(__file__).parent / "snapshot.sql").read_text()
    blocks = re.split(r"^-- name: (\w+)\n", text, flags=re.M)[1:]
    return dict(zip(blocks[::2], blocks[1::2], strict=True))


def _rows(connection: psycopg.Connection[Any], query: str) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()  # type: ignore[arg-type]


def _grouped(rows: list[Row], key: str) -> Mapping[int, list[Row]]:
    groups: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def _tuples(row: Row, drop: tuple[str, ...]) -> Row:
    """Return the row with tuples for lists, without the columns to drop."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items() if key not in drop}


def _grants(rows: list[Row]) -> Mapping[tuple[str, int], list[Grant]]:
    found: dict[tuple[str, int], list[Grant]] = defaultdict(list)
    for row in rows:
        found[row["kind"], row["oid"]].append(Grant(row["grantee"], row["privilege"], row["grantable"], row["col"], row["grantor"]))
    return found


def _column(row: Row, type_: Row) -> Column:
    return Column(
        **{key: row[key] for key in ("name", "number", "type", "type_oid", "not_null", "default", "generated", "identity", "length", "comment")},
        base_type=type_["base"], kind=type_["kind"], category=type_["category"], element=type_["element"], labels=tuple(type_["labels"]),
        domain_checks=tuple(type_["checks"]),
    )


def _policy(row: Row, table: str) -> Policy:
    known = _tuples(row, drop=("oid", "relation", "command"))
    return Policy(**known, table=table, command=COMMANDS[row["command"]])


def _function(row: Row, types: Mapping[int, Row], grants: Mapping[tuple[str, int], list[Grant]], schemas: Mapping[str, Schema]) -> Function:
    modes = row["modes"] or ["i"] * len(row["types"])
    names = row["names"] or [""] * len(row["types"])
    inputs = [(name, oid, written, mode) for name, oid, written, mode in zip(names, row["types"], row["type_names"], modes, strict=True) if mode in "ibv"]
    arguments = tuple(
        Argument(name, written, types[oid]["base"], types[oid]["kind"], types[oid]["element"], tuple(types[oid]["labels"]),
                 has_default=place >= len(inputs) - row["defaults"], variadic=mode == "v")
        for place, (name, oid, written, mode) in enumerate(inputs)
    )
    same = ("oid", "schema", "name", "kind", "returns", "returns_set", "language", "definer", "strict", "leakproof", "source", "definition", "owner", "comment", "extension")
    return Function(
        **{key: row[key] for key in same}, arguments=arguments, outputs=tuple(n for n, mode in zip(names, modes, strict=True) if mode in "otb"),
        volatility=VOLATILITY[row["volatility"]], config=tuple(row["config"]), grants=tuple(grants["function", row["oid"]]), managed=schemas[row["schema"]].managed,
    )


def _sequence(row: Row, grants: Mapping[tuple[str, int], list[Grant]]) -> Sequence:
    owned = (row["owner_table"], row["owner_column"]) if row["owner_table"] and row["owner_column"] else None
    return Sequence(row["oid"], row["schema"], row["name"], row["owner"], tuple(grants["relation", row["oid"]]), owned)


def _publication(row: Row) -> Publication:
    filters = {int(oid): text for oid, text in row["row_filters"].items()}
    return Publication(row["name"], row["all_tables"], frozenset(row["tables"]), frozenset(row["schemas"]), filters)


def _exposed(settings: Mapping[str, str], rows: list[Row]) -> tuple[str, ...]:
    """Return the schemas PostgREST serves."""
    told = settings.get("pgrst.db_schemas") or settings.get("pgrst.db_schema")
    return tuple(s.strip().strip('"') for s in told.split(",")) if told else ("public", "api")


def _schemas(rows: list[Row], grants: Mapping[tuple[str, int], list[Grant]], exposed: tuple[str, ...]) -> dict[str, Schema]:
    return {
        row["name"]: Schema(row["name"], row["owner"], tuple(grants["schema", row["oid"]]),
                            managed=row["extension_owned"] or row["name"] in MANAGED_SCHEMAS, exposed=row["name"] in exposed)
        for row in rows
    }


def _buckets(connection: psycopg.Connection[Any], tables: Mapping[int, Table]) -> tuple[Bucket, ...]:
    table = next((t for t in tables.values() if t.label == "storage.buckets"), None)
    if table is None or not {"id", "name", "public"} <= {column.name for column in table.columns}:
        return ()
    return tuple(Bucket(str(i), str(n), bool(p)) for i, n, p in connection.execute("select id, name, public from storage.buckets order by id"))
