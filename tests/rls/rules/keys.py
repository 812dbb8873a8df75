"""Keys that reach across tenants: an insert that fails tells what another tenant has, or ties one tenant's row to another's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls.analysis import tree
from tests.rls.analysis.model import Model, act, persona
from tests.rls.catalog import Column, Constraint, Index, Table
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

RANDOM = re.compile(r"gen_random_uuid|uuid_generate|gen_random_bytes|nanoid|encode\(|sha256|uuidv[47]", re.I)
UNGUESSABLE = re.compile(r"(^|_)(token|secret|nonce|signature)(_|$)|token_hash|key_hash|secret_hash|api_key|(^|_)stripe_|external_id$|^jti$", re.I)


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for table in model.tables:
        if not model.tenancy.is_tenant_bound(table) or model.tenancy.of(table).kind == "tenant":
            continue
        writers = model.reachers(table, "INSERT", "UPDATE")
        written = bool(writers) or _written_by_function(model, table)
        for index in table.indexes if written else ():
            if (index.unique or index.exclusion) and (what := _unscoped(model, table, index, writers)):
                yield _found("exclusion-not-tenant-scoped" if index.exclusion else "unique-not-tenant-scoped", table, writers, what, index.definition)
        for key in table.foreign_keys:
            if (written or _others_composite(model, table, key)) and (parent := _crossing(model, table, key, writers)) is not None:
                yield _found("foreign-key-not-composite", table, writers,
                             f"foreign key {key.name} ({', '.join(key.columns)}) to {parent.label} does not carry the tenant (not tenant-composite): a row may hang on another tenant's row, whose existence the check tells"
                             + ("; ON DELETE CASCADE lets the other tenant delete it" if key.on_delete == "c" else ""), key.definition)
        yield from _sequential(model, table)


def _others_composite(model: Model, table: Table, key: Constraint) -> bool:
    """Return whether the table's other keys to tables of tenants carry the tenant, so that this one stands out."""
    tenant = model.tenancy.of(table).tenant_column
    return any(k is not key and len(k.columns) > 1 and tenant in k.columns for k in table.foreign_keys)


def _written_by_function(model: Model, table: Table) -> bool:
    return any(model.callers(f) and not f.is_trigger and any(
        key == "insert_stmt" and model.reading.relation(_name(one)) is table for key, one in tree.walk(model.reading.body(f).nodes)) for f in model.catalog.own_functions())


def _name(insert: tree.Node) -> tree.Name:
    of = insert["relation"]
    return (of["schemaname"], of["relname"]) if of.get("schemaname") else (of["relname"],)


def _unscoped(model: Model, table: Table, index: Index, writers: list[str]) -> str | None:
    """Return why a unique or exclusion index tells about other tenants, or None."""
    target = model.target(table)
    words = {w for text in index.columns for w in re.findall(r"[A-Za-z_][\w$]*", text)}
    columns = [c for c in table.columns if c.name in words]
    if not columns or words & (target.tenant | target.binding) or any(_unguessable(c) for c in columns):
        return None
    if index.primary and all(c.base_type in ("integer", "bigint", "smallint") for c in columns):
        return None  # the sequential key, told as such
    if writers and not any(c.name in model.catalog.columns_with(r, table, p) for r in writers for p in ("INSERT", "UPDATE") for c in columns):
        return None
    kind = "exclusion constraint" if index.exclusion else "primary key" if index.primary else "unique key"
    return f"{kind} {index.name} ({', '.join(index.columns)}) is not scoped by tenant: a clash tells that another tenant has the value"


def _unguessable(column: Column) -> bool:
    return column.base_type == "uuid" or bool(column.default and RANDOM.search(column.default)) or bool(UNGUESSABLE.search(column.name)) or column.identity == "a"


def _crossing(model: Model, table: Table, key: Constraint, writers: list[str]) -> Table | None:
    """Return the parent a foreign key may reach in another tenant, or None."""
    parent = model.catalog.tables.get(key.references or 0)
    of, up = model.tenancy.of(table), model.tenancy.of(key.references or 0)
    if parent is None or parent.oid == table.oid and len(key.columns) > 1 or up.kind not in ("owned", "child") or of.kind not in ("owned", "membership") or not of.tenant_column:
        return None
    if up.tenant_column in key.referenced_columns and of.tenant_column in key.columns or up.kind == "child":
        return None
    if not _others_composite(model, table, key) and not any(set(key.columns) & model.catalog.columns_with(r, table, p) for r in writers for p in ("INSERT", "UPDATE")):
        return None
    if any(k is not key and {*key.columns} < {*k.columns} and of.tenant_column in k.columns and k.references == key.references for k in table.foreign_keys):
        return None
    if _checked_by_policy(model, table, key, parent, writers) or _checked_by_trigger(model, table, parent):
        return None
    return parent


def _checked_by_policy(model: Model, table: Table, key: Constraint, parent: Table, writers: list[str]) -> bool:
    """Return whether every insert is checked against the parent's row: a sub-select on it, or a helper given the key."""
    policies = [p for r in writers for p in model.applying(table, "insert", r, True)]
    floors = [p for r in writers for p in model.applying(table, "insert", r, False)]

    def asks(text: str | None) -> bool:
        node = tree.expression(text)
        if node is None:
            return False
        if parent in model.reading.read_tables(node):
            return True
        return any({*key.columns} & {n[-1] for n in tree.columns(arguments)} and any(not f.managed for f in model.reading.functions(name, len(arguments))) for name, arguments in tree.calls(node))

    return any(asks(p.check or p.using) for p in floors) or bool(policies) and all(asks(p.check if p.check is not None else p.using) for p in policies)


def _checked_by_trigger(model: Model, table: Table, parent: Table) -> bool:
    for trigger in table.triggers:
        function = model.catalog.functions.get(trigger.function)
        if function is not None and trigger.enabled != "D" and trigger.timing == "before" and any(
                parent in model.reading.read_tables(n) for f in model.reading.closure([function]) for n in model.reading.body(f).nodes):
            return True
    return False


def _sequential(model: Model, table: Table) -> Iterator[Finding]:
    if len(table.primary_key) != 1:
        return
    column = table.column(table.primary_key[0])
    if column is None or column.base_type not in ("integer", "bigint", "smallint") or column.identity == "a":
        return
    for role in model.roles:
        if column.name in model.catalog.columns_with(role, table, "INSERT") and model.reaches(role, table, "INSERT"):
            yield _found("sequential-key", table, [role], f"client-suppliable sequential primary key {column.name}: one key space for all tenants, and clients choose the value, so 1, 2, 3 … tell which are taken",
                         f"{column.name} {column.type} {'generated by default as identity' if column.identity else column.default or ''}")
            return


def _found(name: str, table: Table, writers: list[str], what: str, evidence: str) -> Finding:
    role = writers[-1] if writers else "authenticated"
    return Finding(name, table.label, "insert", persona(role).replace("signed in, no membership", "member of another organization"), f"{table.label}: {what}", evidence,
                   act(role, f"-- insert into {table.sql} a value another tenant has: the error tells, although no policy shows the row"))
