"""What an ordinary member may not do inside their own organization: change the plan, sign with another's name, read secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls import culprit, vocabulary
from tests.rls.acting import Persona, text
from tests.rls.analysis.model import Model
from tests.rls.analysis.predicate import binds
from tests.rls.catalog import Column, Table, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.inserting import insert
from tests.rls.probes.trying import cause_of, changing, finding, works
from tests.rls.probes.write import fresh
from tests.rls.tenancy import CHILD, OWNED, PERSONAL, PROFILE, SHARED, TENANT
from tests.rls.values import candidates
from tests.rls.world import Row


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield escalations inside a tenant."""
    if "member_a" not in context.personas.everyone:
        return
    for table in context.catalog.own_tables():
        if context.config.skips(table.schema) or context.config.table(table.label).get("kind") in ("skip",):
            continue
        kind = context.tenancy.of(table).kind
        if kind in (TENANT, PROFILE):
            yield from _protected_columns(context, table)
        if kind in (OWNED, CHILD, PERSONAL):
            yield from _forgery(context, table)
        if kind in (OWNED, CHILD, TENANT):
            yield from _secrets(context, table)
        if kind in (OWNED, CHILD):
            yield from _approvals(context, table)
        if kind in (OWNED, CHILD, PERSONAL):
            yield from _bound_on_one_side(context, table)
        if kind == SHARED:
            yield from _shared(context, table)
        if kind in (TENANT, OWNED, CHILD):
            yield from _ored_away(context, table)


def _protected_columns(context: Context, table: Table) -> Iterator[Finding]:
    """Plan, billing, quota, is_admin: columns that decide what one gets."""
    kind = context.tenancy.of(table).kind
    if kind == TENANT:
        yield from _ownership(context, table)
    people = [context.personas[k] for k in ("owner_a", "member_a") if k in context.personas.everyone]
    role_like = {c.name for c in table.columns if kind == PROFILE and (vocabulary.ROLE.search(c.name) or c.name == _tenant_name(context))}
    for column in table.columns:
        if column.generated or not (vocabulary.PRIVILEGE.search(column.name) or column.name in role_like):
            continue
        for persona in people:
            own = next((r for r in context.world.of(table) if (r.tenant == "A" if kind == TENANT else r.user == persona.user)), None)
            if own is None or column.name not in context.catalog.columns_with(persona.role, table, "UPDATE"):
                continue
            value = _other(context, table, column, own)
            statement = f"update {table.sql} set {quoted(column.name)} = {text(value)} where {own.where}"
            if value is not None and works(context, persona, statement):
                yield finding(context, table, persona, "protected-column-writable", "update",
                               f"{persona.name} changes {table.label}.{column.name} from {own.get(column.name)} to {value}: role {persona.role} has UPDATE on the column, and no policy looks at it", "1 row updated", statement)
                break


def _ownership(context: Context, table: Table) -> Iterator[Finding]:
    """The column of the tenant's own row that says whose it is, written by a member who is not."""
    for name in context.tenancy.of(table).owner_columns:
        for key in ("member_a", "admin_a"):
            persona = context.personas[key]
            row = next((r for r in context.world.of(table, "A") if r.get(name) not in (None, persona.user_id)), None)
            if row is None or name not in context.catalog.columns_with(persona.role, table, "UPDATE"):
                continue
            for given in (persona.user_id, context.world.users["outsider"]):
                statement = f"update {table.sql} set {quoted(name)} = {text(given)} where {row.where}"
                if works(context, persona, statement):
                    cause = cause_of(context, table, persona, "update", statement)
                    whom = "themselves" if given == persona.user_id else "somebody else"
                    yield finding(context, table, persona, "ownership-taken", "update", f"a {persona.name} makes {whom} {name} of {table.label}: {cause.sentence}", "1 row updated", statement)
                    return


def _tenant_name(context: Context) -> str | None:
    return context.tenancy.membership.tenant_column if context.tenancy.membership else None


def _other(context: Context, table: Table, column: Column, own: Row) -> str | None:
    """Return another value the column accepts."""
    now = own.get(column.name)
    if column.base_type == "boolean":
        return "false" if now == "t" else "true"
    if column.name == _tenant_name(context):
        return context.world.tenants.get("B")
    return next((v for v in candidates(table, column, "A") if v is not None and v != now), None)


def _forgery(context: Context, table: Table) -> Iterator[Finding]:
    """A row signed with another member's name, where the table's rules or defaults show that the name counts."""
    one = context.tenancy.of(table)
    persona = context.personas["member_a"]
    allowed = context.catalog.columns_with(persona.role, table, "INSERT")
    other = context.world.users["owner_a"]
    template = next((r for r in context.world.of(table) if r.user == "member_a"), None)
    inserts = " ".join(p.check or p.using or "" for p in table.policies_for("insert", context.catalog.acting_as(persona.role)))
    bound = [name for name in one.owner_columns if _bound(name, inserts)]
    for name in one.owner_columns:
        column = table.column(name)
        # Where one column is bound to the caller, another user's id is what the row is about: whom one follows, writes to, invites.
        if column is None or template is None or bound and name not in bound:
            continue
        # A name that no rule looks at gives nobody anything.
        counts = any(re.search(rf"\b{re.escape(name)}\b", p.text) and "uid()" in p.text for p in table.policies)
        if not counts:
            continue
        if name in allowed:
            made = fresh(context, template, {name: other}, "A")
            statement = insert(table, made, allowed) if made else ""
            if statement and works(context, persona, statement):
                cause = cause_of(context, table, persona, "insert", statement)
                yield finding(context, table, persona, "author-forgery", "insert", f"a member writes a row in the name of another ({name}): {cause.sentence}", "1 row inserted", statement)
                continue
        # Only where the rule for updates looks at the name before and forgets it after, and rows of others are closed: any member may edit elsewhere, by design.
        looking = [p for p in table.policies_for("update", context.catalog.acting_as(persona.role)) if re.search(rf"\b{re.escape(name)}\b", p.using or "")]
        if looking and not any(_opens_others(context, table, p.using, name) for p in looking) and not _changes(context, table, persona, "owner_a") \
                and name in context.catalog.columns_with(persona.role, table, "UPDATE"):
            statement = f"update {table.sql} set {quoted(name)} = {text(other)} where {template.where}"
            if works(context, persona, statement):
                cause = cause_of(context, table, persona, "update", statement)
                yield finding(context, table, persona, "author-change", "update", f"a member gives their row another member's name ({name}): {cause.sentence}", "1 row updated", statement)


def _opens_others(context: Context, table: Table, using: str | None, name: str) -> bool:
    """Return whether an alternative opens rows of a sort (`or is_public`) whoever `name` says made them."""
    read = Model.of(context).predicate(table).alternatives(using) or ()
    return any(not binds(one, frozenset({name})) and any(fact.kind != "bound" for fact in one) for one in read)


def _changes(context: Context, table: Table, persona: Persona, whose: str) -> bool:
    """Return whether the persona changes a row that somebody else made."""
    theirs = next((r for r in context.world.of(table, "A") if r.user == whose), None)
    statement = theirs and changing(context, table, theirs, "update", persona)
    return bool(statement) and works(context, persona, statement or "")


def _bound(name: str, text: str) -> bool:
    """Return whether an expression compares a column with the caller's id."""
    identity = r"(?:\(\s*)*(?:select\s+)?(?:\w+\.)?\w*uid\(\)"
    return bool(re.search(rf"\b{re.escape(name)}\b\)?\s*=\s*{identity}|{identity}[^=]{{0,30}}=\s*\(*(?:\w+\.)?{re.escape(name)}\b", text, re.I))


def _bound_on_one_side(context: Context, table: Table) -> Iterator[Finding]:
    """A FOR ALL policy that asks for the owner when writing and forgets them when reading, changing and deleting."""
    one = context.tenancy.of(table)
    key = "viewer_a" if "viewer_a" in context.personas.everyone else "member_a"
    persona = context.personas[key]
    row = next((r for r in context.world.of(table) if r.user == "owner_a"), None)
    for policy in table.policies_for("all", context.catalog.acting_as(persona.role), permissive=True):
        owner = next((n for n in one.owner_columns if policy.check and re.search(rf"\b{re.escape(n)}\b", policy.check) and "uid()" in policy.check
                      and not re.search(rf"\b{re.escape(n)}\b", policy.using or "")), None)
        if policy.command != "all" or owner is None or row is None:
            continue
        readable = sorted(context.catalog.columns_with(persona.role, table, "SELECT"))
        for command, statement in (("select", f"select {', '.join(map(quoted, readable))} from {table.sql} where {row.where}" if readable else ""),
                                   ("delete", f"delete from {table.sql} where {row.where}" if "DELETE" in context.catalog.privileges(persona.role, table) else "")):
            if statement and works(context, persona, statement) and not works(context, persona, statement, f"drop policy {quoted(policy.name)} on {table.sql};\n"):
                yield finding(context, table, persona, "owner-only-in-check", command, f"a {persona.name} may {command} another member's row: policy {policy.name} on {table.label} asks for {owner} in WITH CHECK "
                               f"and not in USING ({culprit.shortened(policy.using or '')})", "1 row", statement)
                return


def _approvals(context: Context, table: Table) -> Iterator[Finding]:
    """Columns that say somebody approved, written by the least powerful member."""
    key = "viewer_a" if "viewer_a" in context.personas.everyone else "member_a"
    persona = context.personas[key]
    allowed = context.catalog.columns_with(persona.role, table, "UPDATE")
    row = next((r for r in context.world.of(table, "A") if r.user != key), None)
    for column in table.columns:
        if row is None or column.name not in allowed or not vocabulary.APPROVAL.search(column.name):
            continue
        value = persona.user_id if column.base_type == "uuid" else "true" if column.base_type == "boolean" else "2031-01-01"
        statement = f"update {table.sql} set {quoted(column.name)} = {text(value)}"
        if works(context, persona, statement):
            cause = cause_of(context, table, persona, "update", statement)
            yield finding(context, table, persona, "approval-column-writable", "update", f"a {persona.name} writes {table.label}.{column.name}, and so approves: {cause.sentence}", "1 row updated", statement)
            return


def _secrets(context: Context, table: Table) -> Iterator[Finding]:
    """Columns named as secrets that the least powerful member reads."""
    key = "viewer_a" if "viewer_a" in context.personas.everyone else "member_a"
    persona = context.personas[key]
    readable = context.catalog.columns_with(persona.role, table, "SELECT")
    for column in table.columns:
        if column.name not in readable or not vocabulary.SECRET.search(column.name) or vocabulary.HANDED_OUT.search(column.name) or column.category in "BDN":
            continue
        statement = f"select {quoted(column.name)} from {table.sql}"
        outcome = context.personas.acting.run(persona, statement)
        context.count("secret columns")
        seen = {row.get(column.name) for row in context.world.of(table, "A") if row.user != key} - {None}
        if outcome.ok and seen & {row[0] for row in outcome.rows}:
            yield finding(context, table, persona, "secret-column-readable", "select",
                           f"any member reads {table.label}.{column.name}, which is named as a secret: role {persona.role} has SELECT on the column", "the value was returned", statement)


def _shared(context: Context, table: Table) -> Iterator[Finding]:
    """A table without tenant or user that everybody reads and everybody writes."""
    people = [context.personas[k] for k in ("outsider", "anon") if k in context.personas.everyone]
    for persona in people:
        row = next(iter(context.world.of(table)), None)
        if row is None or not context.catalog.may_touch(persona.role, table, "INSERT"):
            continue
        made = fresh(context, row, {}, "N")
        statement = insert(table, made, context.catalog.columns_with(persona.role, table, "INSERT")) if made else ""
        read = context.personas.acting.run(persona, f"select count(*) from {table.sql}") if context.catalog.may_touch(persona.role, table, "SELECT") else None
        reads = read is not None and read.ok and read.rows[0][0] not in ("0", None)
        if statement and reads and works(context, persona, statement):
            sentence = (f"everybody who is {'signed in' if persona.user else 'anonymous'} writes {table.label} and everybody reads it"
                        ": it has no tenant and no user column, so what one tenant puts in reaches the others")
            yield finding(context, table, persona, "shared-table-writable", "insert", sentence, "1 row inserted by somebody without a membership", statement)
            return


def _ored_away(context: Context, table: Table) -> Iterator[Finding]:
    """A rule for one command that a FOR ALL policy makes void for a member the rule refuses."""
    persona = context.personas["viewer_a"] if "viewer_a" in context.personas.everyone else context.personas["member_a"]
    row = next((r for r in context.world.of(table, "A") if r.user not in (persona.user,)), None)
    held = context.catalog.acting_as(persona.role)
    if row is None:
        return
    for command in ("update", "delete"):
        policies = table.policies_for(command, held, permissive=True)
        wide, narrow = [p for p in policies if p.command == "all"], [p for p in policies if p.command == command]
        if not wide or not narrow:
            continue
        statement = changing(context, table, row, command, persona)
        if statement is None or not works(context, persona, statement):
            continue
        without = "".join(f"drop policy {quoted(p.name)} on {table.sql};\n" for p in wide)
        if not works(context, persona, statement, without):
            yield finding(context, table, persona, "for-all-policy-overrides", command,
                           f"a {persona.name} may {command}: policy {wide[0].name} on {table.label} is FOR ALL and is ORed with {narrow[0].name}, which would refuse (FOR SELECT was meant?)", "1 row changed", statement)
