"""Tables that clients reach and that row security does not hold for: off, lost in a copy, a partition by its own name, an owner's path."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls.analysis.flow import Flow
from tests.rls.analysis.model import Model, act, persona
from tests.rls.catalog import PUBLIC, Table
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")
CONTENT = re.compile(r"prompt|response|answer|completion|payload|message|content|body|embedding|secret|token|password|e_?mail|value|output|input|result|trace|job|data$", re.I)


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for table in context.catalog.own_tables():
        roles = model.reachers(table, *PRIVILEGES)
        if roles and not table.rls and table.kind != "f":
            yield from _without(model, table, roles)
        if roles and table.kind == "f":
            yield _found("foreign-table-readable", model, table, roles, "foreign table: row security does not exist for it, whoever has the grant sees everything the other server gives")
        if table.rls and table.owner in {r for role in model.roles for r in context.catalog.acting_as(role)} - {PUBLIC}:
            yield _found("table-owned-by-client-role", model, table, list(model.roles),
                         f"owned by {table.owner}, which a client role is or inherits: an owner is not bound by row security that is not forced, and may switch it off")
        if table.rls:
            yield from _owner_path(model, table)
            for trigger in table.triggers:
                if trigger.enabled == "D":
                    yield Finding("trigger-disabled", table.label, "state", "any", f"trigger {trigger.name} on {table.label} is disabled: what it guarded or recorded no longer is", trigger.definition,
                                  f"begin;\nselect tgname, tgenabled from pg_trigger where tgrelid = '{table.sql}'::regclass;\nrollback;")


def _without(model: Model, table: Table, roles: list[str]) -> Iterator[Finding]:
    writes = [r for r in roles if model.reaches(r, table, "INSERT", "UPDATE", "DELETE")]
    parents = [model.catalog.tables[oid] for oid in table.parents if oid in model.catalog.tables]
    content = any(CONTENT.search(c.name) for c in table.columns if c.base_type not in ("boolean", "integer", "numeric"))
    if not (model.belongs(table) or writes or content or any(p.rls for p in parents) or table.foreign_keys):
        return  # a list everybody may read, like countries
    if parents:
        word = "partition" if table.is_partition else "inheritance child"
        yield _found("partition-without-rls", model, table, roles, f"{word} of {parents[0].label} reachable by its own name with row security off: the parent's policies bind only who reads through the parent")
        return
    if table.policies:
        yield _found("rls-disabled-with-policies", model, table, roles, f"row security is disabled (RLS disabled) although {len(table.policies)} policies stand on it, which therefore do nothing")
        return
    twin = next((t for t in model.tables if t.oid != table.oid and t.rls and {c.name for c in t.columns} == {c.name for c in table.columns} and len(table.columns) > 2), None)
    more = f"; a copy of {twin.label} (LIKE, CREATE TABLE AS, table swap) that lost its row security and policies" if twin else ""
    opened = [f"{d.role} in {d.schema or 'every schema'}" for d in model.catalog.default_privileges if d.objects == "r" and (d.schema in (None, table.schema)) and any(
        g.grantee in {*model.roles, PUBLIC} for g in d.grants)]
    more += f"; default privileges ({', '.join(opened)}) grant every new table to clients" if opened else ""
    yield _found("rls-disabled", model, table, roles, f"row security is off (table shipped without RLS): everybody with the grant sees and changes every row{more}")


def _owner_path(model: Model, table: Table) -> Iterator[Finding]:
    """A function of the table's owner that clients call, while row security is not forced on the owner."""
    owner = model.catalog.roles.get(table.owner)
    if table.force or owner is None or owner.superuser or owner.bypassrls:
        return
    for function in model.catalog.own_functions():
        if function.definer and function.owner == table.owner and not function.is_trigger and model.callers(function):
            problems = [p for p in Flow(model, function).problems() if p.relation.oid == table.oid]
            if problems:
                yield Finding(
                    "no-force-owner-path", table.label, problems[0].command, persona(model.callers(function)[-1]),
                    f"{table.label} has NO FORCE ROW LEVEL SECURITY and {function.label} runs as its owner {table.owner}, whom policies bind only while they are forced: an owner-executed path past them",
                    f"relforcerowsecurity = false; {function.label} owned by {function.owner}", act(model.callers(function)[-1], f"select * from {function.sql}();"))


def _found(name: str, model: Model, table: Table, roles: list[str], what: str) -> Finding:
    held = sorted({p for r in roles for p in PRIVILEGES if model.reaches(r, table, p)})
    command = "select" if "SELECT" in held else "insert" if "INSERT" in held else (held or ["state"])[0].lower()
    role = "anon" if "anon" in roles else roles[-1]
    statement = f"select * from {table.sql};" if command == "select" else f"-- {command} a row of any tenant into {table.sql}"
    return Finding(name, table.label, command, persona(role), f"table {table.label}: {what}",
                   f"relrowsecurity = {str(table.rls).lower()}; {', '.join(held)} granted to {', '.join(roles)}", act(role, statement))
