"""A member who is not the strongest makes themselves or somebody else it: in the table of members, or through a function."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls import calls, culprit
from tests.rls.acting import Persona, text
from tests.rls.catalog import Argument, Function, Table, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.inserting import insert
from tests.rls.probes.functions import reachable
from tests.rls.probes.trying import cause_of, finding, works
from tests.rls.probes.write import fresh
from tests.rls.world import Row

BELOW = ("member_a", "viewer_a", "admin_a")


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield who rises, and by what."""
    member = context.tenancy.membership
    if "member_a" not in context.personas.everyone or member is None or not member.role_column or not member.roles:
        return
    table = context.catalog.tables[member.table]
    if not context.config.skips(table.schema) and context.config.table(table.label).get("kind") != "skip":
        yield from _membership(context, table)
    for function in reachable(context):
        if function.volatility == "volatile" and not context.config.never_calls(function.label):
            yield from _through(context, table, function)


def _membership(context: Context, table: Table) -> Iterator[Finding]:
    """A member who is not an owner makes themselves one, or brings somebody in."""
    member = context.tenancy.membership
    assert member is not None and member.role_column is not None
    told: set[str] = set()
    for key in BELOW:
        persona = context.personas[key]
        own = next((r for r in context.world.of(table, "A") if r.user == key), None)
        strongest = member.roles[0]
        if own is None or own.get(member.role_column) == strongest:
            continue
        now, most = (_power(member.role_column, value) for value in (own.get(member.role_column), strongest))
        if member.role_column in context.catalog.columns_with(persona.role, table, "UPDATE") and "update" not in told:
            for statement in (f"update {table.sql} set {quoted(member.role_column)} = {text(strongest)} where {own.where}", f"update {table.sql} set {quoted(member.role_column)} = {text(strongest)}"):
                if _raised(context, persona, statement, own):
                    told.add("update")
                    cause = cause_of(context, table, persona, "update", statement)
                    yield finding(context, table, persona, "self-promotion", "update", f"a {now} makes themselves {most}: {cause.sentence}", "1 row updated", statement)
                    break
        if context.catalog.columns_with(persona.role, table, "INSERT") and "insert" not in told:
            made = fresh(context, own, {member.user_column: context.world.users["outsider"], member.role_column: strongest}, "A")
            statement = insert(table, made, context.catalog.columns_with(persona.role, table, "INSERT")) if made else ""
            if statement and works(context, persona, statement):
                told.add("insert")
                cause = cause_of(context, table, persona, "insert", statement)
                yield finding(context, table, persona, "member-grants-role", "insert", f"a {now} brings in somebody as {most}: {cause.sentence}", "1 row inserted", statement)
        victim = next((r for r in context.world.of(table, "A") if r.user == "owner_a"), None)
        if victim is not None and key != "admin_a" and "DELETE" in context.catalog.privileges(persona.role, table) and "delete" not in told:
            statement = f"delete from {table.sql} where {victim.where}"
            if works(context, persona, statement):
                told.add("delete")
                cause = cause_of(context, table, persona, "delete", statement)
                yield finding(context, table, persona, "member-removes-owner", "delete", f"a {now} removes the owner: {cause.sentence}", "1 row deleted", statement)


def _power(column: str, value: str | None) -> str:
    """Return the words for a role: its name, or for a flag what it says."""
    return {"t": f"member with {column}", "f": f"member without {column}"}.get(value or "", value or "member")


def _raised(context: Context, persona: Persona, statement: str, own: Row) -> bool:
    """Return whether somebody's own membership has the strongest role after a statement of theirs."""
    member = context.tenancy.membership
    assert member is not None and member.role_column is not None
    column = f"select {quoted(member.role_column)}::text from {own.table.sql} where {own.where}"
    context.count("privilege cells")
    outcome, after = context.personas.acting.look(persona, statement, after=column)
    return outcome.ok and after is not None and bool(after.rows) and after.rows[0][0] in (member.roles[0], {"t": "true"}.get(member.roles[0]))


def _through(context: Context, table: Table, function: Function) -> Iterator[Finding]:
    """A function called with one's own id, one's own tenant and the strongest role."""
    member = context.tenancy.membership
    assert member is not None and member.role_column is not None
    for persona in (context.personas[key] for key in BELOW):
        own = next((r for r in context.world.of(table, "A") if r.user == persona.user), None)
        if own is None or own.get(member.role_column) == member.roles[0] or not (
                context.catalog.may_execute(persona.role, function) and context.catalog.may_use(persona.role, function.schema)):
            continue
        for statement in dict.fromkeys(_calls(context, function, persona, own)):
            if _raised(context, persona, statement, own):
                now, most = (_power(member.role_column, value) for value in (own.get(member.role_column), member.roles[0]))
                yield Finding("function-raises-own-role", function.label, "execute", persona.name, f"a {now} makes themselves {most} through {function.label}"
                              + (f", which runs as {function.owner} and does not ask who raises whom" if function.definer else ": the rules of the table let it"),
                              f"{table.label}.{member.role_column} of the caller's own row was {own.get(member.role_column)}", culprit.script(context, persona, statement), proven=True)
                return


def _calls(context: Context, function: Function, persona: Persona, own: Row) -> Iterator[str]:
    """Own values throughout; then ids that are no tenant's as one's own, and as the id of one's own membership."""
    member = context.tenancy.membership
    assert member is not None
    key = own.get(own.table.primary_key[0]) if len(own.table.primary_key) == 1 else None
    for instead in (None, persona.user_id, key):
        values: list[tuple[Argument, str | None]] = []
        for argument in function.arguments:
            value = calls.value_for(context, function, argument, "A", persona, "own")
            if set(argument.labels) & {*member.roles} or calls.role_for(context, argument) is not None:
                value = member.roles[0]
            elif instead is not None and argument.base_type == "uuid" and value != context.world.tenants["A"]:
                value = instead
            values.append((argument, value))
        yield calls.made_call(function, values, "own").statement
