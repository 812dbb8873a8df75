"""Privileges that row security does not bind, or that give away more than rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls.analysis.model import Model, act, persona
from tests.rls.analysis.predicate import binds
from tests.rls.catalog import PUBLIC, Relation, Table
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

BESIDE = {
    "TRUNCATE": ("truncate-granted", "truncate", "TRUNCATE granted (GRANT ALL): it empties the table for every tenant, and row security does not apply to it"),
    "REFERENCES": ("references-granted", "grant", "REFERENCES granted: a foreign key of one's own tells which keys exist, past every policy"),
    "TRIGGER": ("trigger-granted", "grant", "TRIGGER granted: a client's trigger would run as whoever writes the table next"),
    "MAINTAIN": ("maintain-granted", "grant", "MAINTAIN granted: clients may lock, cluster and vacuum the table"),
}
SECRET = re.compile(
    r"(secret|passw(or)?d|api_?key|private_?key|signing|credential|service_?key|client_secret|refresh_token|access_token|auth_token|bot_token|ciphertext|encrypted|totp|recovery_code|"
    r"connection_string|dsn)|^(key|token)_hash$|^(key|token)_digest$", re.I)
NOT_SECRET = re.compile(r"_(id|name|at|on|count|hint|last_?four|last4|prefix|type|kind|used|limit|label|version|url|ref)$|^(has|is|needs)_", re.I)
PROMPT = re.compile(r"^system_?prompt$|^hidden_?prompt$|^prompt_template$|^instructions_private$", re.I)
PAID = re.compile(r"(^|_)(plan|tier|billing_status|subscription|stripe|credits?|quota|seats?|balance|entitlements?|trial_ends_at|monthly_limit|spend|price|paid_until)(_|$)|^max_", re.I)
POWER = re.compile(r"^is_(super_?)?(admin|staff|superuser|platform_admin|employee|verified)$|^(platform|global|system)_role$|^superuser$", re.I)


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for table in context.catalog.own_tables():
        yield from _beside(model, table)
        yield from _columns(model, table)
    for relation in (*context.catalog.own_tables(), *context.catalog.own_views()):
        for role in model.roles:
            options = sorted({g.privilege for g in relation.grants if g.grantable and g.grantee in context.catalog.acting_as(role) - {relation.owner}})
            if options:
                yield _found("grant-option", relation, "grant", role, f"{', '.join(options)} granted to {role} WITH GRANT OPTION: a client hands it on to anon or anybody", f"grant option on {', '.join(options)}",
                             f"grant select on {relation.sql} to anon;")
                break
    yield from _schemas(model)
    yield from _sequences(model)
    yield from _defaults(model)


def _beside(model: Model, table: Table) -> Iterator[Finding]:
    for privilege, (name, command, what) in BESIDE.items():
        roles = [r for r in model.roles if model.catalog.may_use(r, table.schema) and privilege in model.catalog.privileges(r, table) and table.owner not in model.catalog.acting_as(r)
                 and not (privilege != "TRUNCATE" and r in model.catalog.roles and _through_membership(model, r, table, privilege))]
        if roles:
            statement = f"truncate {table.sql};" if privilege == "TRUNCATE" else f"-- {privilege} on {table.sql}"
            yield _found(name, table, command, roles[0], f"{what}; held by {', '.join(roles)}", f"{privilege} to {', '.join(roles)}", statement)


def _through_membership(model: Model, role: str, table: Table, privilege: str) -> bool:
    """Return whether a role has a privilege only by being a member of another: reported at the membership."""
    return not any(g.privilege == privilege and g.grantee in (role, PUBLIC) for g in table.grants)


def _columns(model: Model, table: Table) -> Iterator[Finding]:
    for role in model.roles:
        if not model.catalog.may_use(role, table.schema):
            continue
        readable, writable = model.catalog.columns_with(role, table, "SELECT"), model.catalog.columns_with(role, table, "UPDATE")
        held = model.catalog.acting_as(role)
        for privilege in ("SELECT", "UPDATE", "INSERT"):
            listed = {g.column for g in table.grants if g.column and g.privilege == privilege and g.grantee in held}
            if listed and privilege in model.catalog.privileges(role, table) and len(listed) < len(table.columns) and table.owner not in held:
                extra = [c.name for c in table.columns if c.name not in listed]
                yield _found(f"column-grant-widened-{privilege.lower()}", table, privilege.lower(), role,
                             f"column grant widened: {privilege} on the whole table makes the column list void, so {', '.join(extra)} are open too", f"listed columns: {', '.join(sorted(listed))}", _sees(table, extra[0]))
        applies = lambda command: table.rls is False or bool(model.applying(table, command, role, True))  # noqa: E731
        secret = [c.name for c in table.columns if c.name in readable and SECRET.search(c.name) and not NOT_SECRET.search(c.name) and c.base_type not in ("boolean", "integer", "bigint")]
        if secret and applies("select"):
            yield _found("secret-column-readable", table, "select", role, f"column grant on secret column: {', '.join(secret)} can be read by {role} (whoever passes the policy sees the secret)",
                         f"SELECT ({', '.join(secret)})", _sees(table, secret[0]))
        prompt = [c.name for c in table.columns if c.name in readable and PROMPT.search(c.name)]
        if prompt and applies("select") and len(readable) < len(table.columns):
            yield _found("prompt-column-readable", table, "select", role, f"system prompt readable: {', '.join(prompt)} is among the granted columns", f"SELECT ({', '.join(prompt)})", _sees(table, prompt[0]))
        of = model.tenancy.of(table)
        yield from _owner_column(model, table, role, writable)
        paid = [c.name for c in table.columns if c.name in writable and (PAID.search(c.name) and of.kind == "tenant" or POWER.search(c.name) and of.kind in ("tenant", "profile", "personal"))]
        if paid and applies("update"):
            yield _found("privileged-column-writable", table, "update", role, f"column grant on plan, billing or staff column: {', '.join(paid)} can be updated by {role}, whoever passes the policy",
                         f"UPDATE ({', '.join(paid)})", f'update {table.sql} set "{paid[0]}" = "{paid[0]}";')


def _owner_column(model: Model, table: Table, role: str, writable: set[str]) -> Iterator[Finding]:
    """The column that says who owns a tenant, free to be written by whoever may edit the tenant."""
    of = model.tenancy.of(table)
    owners = [c for c in of.user_columns if c in writable and re.search(r"owner", c, re.I)] if of.kind == "tenant" else []
    checks = [one for p in model.applying(table, "update", role, True) for one in model.predicate(table).alternatives(p.check if p.check is not None else p.using) or ()]
    if owners and table.rls and any(not binds(one, frozenset(owners)) for one in checks):
        yield _found("owner-column-writable", table, "update", role, f"owner column of the tenant, {', '.join(owners)}, can be updated by whoever may edit the tenant: ownership is taken over", f"UPDATE ({', '.join(owners)})",
                     f'update {table.sql} set "{owners[0]}" = auth.uid();')


def _schemas(model: Model) -> Iterator[Finding]:
    for schema in model.catalog.schemas.values():
        roles = [r for r in model.roles if "CREATE" in model.catalog.privileges(r, schema) and schema.owner not in model.catalog.acting_as(r) - {r}]
        if roles and not schema.name.startswith("pg_"):
            by = "PUBLIC" if any(g.grantee == PUBLIC and g.privilege == "CREATE" for g in schema.grants) else ", ".join(roles)
            yield Finding("create-on-schema", f"schema {schema.name}", "state", "any",
                          f"CREATE on schema {schema.name} granted to {by}: clients make functions and tables there that others then call", f"CREATE to {by}",
                          act(roles[0], f'create table "{schema.name}".planted (x int);'))


def _sequences(model: Model) -> Iterator[Finding]:
    for sequence in model.catalog.sequences.values():
        schema = model.catalog.schemas.get(sequence.schema)
        if schema is None or schema.managed:
            continue
        for role in model.roles:
            held = model.catalog.privileges(role, sequence) & {"UPDATE", "SELECT"}
            if held and model.catalog.may_use(role, sequence.schema) and sequence.owner not in model.catalog.acting_as(role):
                yield Finding("sequence-granted", sequence.label, "state", persona(role),
                              f"sequence {sequence.label}: {', '.join(sorted(held))} granted to {role}, so clients "
                              f"{'read how many rows all tenants make' if 'SELECT' in held else ''}{' and ' if len(held) > 1 else ''}{'set it back (setval)' if 'UPDATE' in held else ''}",
                              f"{', '.join(sorted(held))} to {role}", act(role, f"select setval('{sequence.label}', 1);"))
                break


def _defaults(model: Model) -> Iterator[Finding]:
    for default in model.catalog.default_privileges:
        if default.objects not in ("r", "f") or default.schema is not None and model.catalog.schemas[default.schema].managed or default.role == "supabase_admin":
            continue
        clients = {g.grantee for g in default.grants if g.grantee in {*model.roles, PUBLIC} and g.privilege not in ("USAGE",)}
        # New Supabase projects came with this until 2026: all three API roles at once, in schema public. What it opens is reported table by table.
        came_with_it = default.schema == "public" and {*model.roles, "service_role"} <= {g.grantee for g in default.grants}
        if not clients or came_with_it or default.objects == "f" and not clients & {*model.roles}:
            continue
        where = f"schema {default.schema}" if default.schema else "every schema"
        what = "tables" if default.objects == "r" else "functions"
        yield Finding("default-privileges", f"schema {default.schema or 'public'}", "state", "any",
                      f"default privileges of role {default.role} in {where} grant future {what} to {', '.join(sorted(clients))}: the next migration that forgets row security opens them at once",
                      f"{', '.join(sorted({f'{g.privilege} to {g.grantee}' for g in default.grants if g.grantee in clients}))}",
                      f"begin;\nset local role \"{default.role}\";\ncreate table \"{default.schema or 'public'}\".next_migration (x int);\nselect relacl from pg_class where relname = 'next_migration';\nrollback;")


def _sees(relation: Relation, column: str) -> str:
    return f'select "{column}" from {relation.sql};'


def _found(name: str, relation: Relation, command: str, role: str, what: str, evidence: str, statement: str) -> Finding:
    who = "member" if name.startswith(("secret", "privileged", "prompt", "column")) and role != "anon" else persona(role)
    return Finding(name, relation.label, command, who, f"{relation.label}: {what}", evidence, act(role, statement))
