"""A person of two tenants, strong in one: what they may do in the other must not come of it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls import culprit
from tests.rls.catalog import Table, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.probes.write import harmless, overwriting
from tests.rls.tenancy import CHILD, MEMBERSHIP, OWNED, TENANT
from tests.rls.world import Row


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
        statement = _statement(context, table, row, command)
        if statement is None or not _works(context, "both", statement) or _works(context, "member_a", statement) or _works(context, "both", statement, without):
            continue

        def leaks(before: str, statement: str = statement) -> bool:
            return _works(context, "both", statement, before)
        cause = culprit.find(context, table, both, command, leaks)
        yield Finding("role-of-another-tenant", table.label, command, both.name,
                      f"{both.name} may {command} rows of the one where they are a plain member by being strong in the other: the role is not asked of the row's tenant; {cause.sentence}",
                      "1 row; none without the other membership, and none for a plain member", culprit.script(context, both, statement), proven=True)
        return


def _statement(context: Context, table: Table, row: Row, command: str) -> str | None:
    catalog, role = context.catalog, context.catalog.user_role
    if not {*table.primary_key} <= catalog.columns_with(role, table, "SELECT"):
        return None
    if command == "select":
        return f"select from {table.sql} where {row.where}"
    if command == "delete":
        return f"delete from {table.sql} where {row.where}" if "DELETE" in catalog.privileges(role, table) else None
    column = harmless(table, catalog.columns_with(role, table, "UPDATE"), context.tenancy.of(table).user_columns)
    return f"update {table.sql} set {quoted(column.name)} = {overwriting(table, column, row.get(column.name))} where {row.where}" if column is not None else None


def _works(context: Context, key: str, statement: str, before: str = "") -> bool:
    context.count("two-tenant cells")
    outcome = context.personas.acting.run(context.personas[key], statement, before=before)
    return outcome.ok and outcome.count > 0
