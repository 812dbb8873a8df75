"""A person of two tenants, strong in one: what they may do in the other must not come of it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls import culprit
from tests.rls.acting import Persona
from tests.rls.catalog import Table
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.probes.trying import changing, works
from tests.rls.tenancy import CHILD, MEMBERSHIP, OWNED, TENANT
from tests.rls.world import Row

CELLS = "two-tenant cells"


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield what `both`, a plain member of A and owner of B, may do in A because of B."""
    member = context.tenancy.membership
    if member is None or not member.roles or "both" not in context.personas.everyone:
        return
    memberships = context.catalog.tables[member.table]
    elsewhere = next((r for r in context.world.of(memberships, "B") if r.user == "both"), None)
    here = next((r for r in context.world.of(memberships, "A") if r.user == "both"), None)
    if elsewhere is None or here is None or here.get(member.role_column or "") == elsewhere.get(member.role_column or ""):
        return
    for table in context.catalog.own_tables():
        if context.tenancy.of(table).kind in (TENANT, MEMBERSHIP, OWNED, CHILD) and not table.is_partition and not context.config.skips(table.schema):
            yield from _because_of(context, table, elsewhere)


def _because_of(context: Context, table: Table, elsewhere: Row) -> Iterator[Finding]:
    people = context.personas
    both, plain = people["both"], people["member_a"]
    row = next((r for r in context.world.of(table, "A") if not {both.user_id, plain.user_id} & {*r.values.values()}), None)
    without = f"delete from {elsewhere.table.sql} where {elsewhere.where};\n"
    for command in ("select", "update", "delete") if row is not None else ():
        statement = _statement(context, table, row, command, both)
        if statement is None or not works(context, both, statement, cells=CELLS) or works(context, plain, statement, cells=CELLS) or works(context, both, statement, without, CELLS):
            continue

        def leaks(before: str, statement: str = statement) -> bool:
            return works(context, both, statement, before, CELLS)
        cause = culprit.find(context, table, both, command, leaks)
        yield Finding("role-of-another-tenant", table.label, command, both.name,
                      f"{both.name} may {command} rows of the one where they are a plain member by being strong in the other: the role is not asked of the row's tenant; {cause.sentence}",
                      "1 row; none without the other membership, and none for a plain member", culprit.script(context, both, statement), proven=True)
        return


def _statement(context: Context, table: Table, row: Row, command: str, persona: Persona) -> str | None:
    if not {*table.primary_key} <= context.catalog.columns_with(persona.role, table, "SELECT"):
        return None
    return f"select from {table.sql} where {row.where}" if command == "select" else changing(context, table, row, command, persona)
