"""What somebody keeps who has left: rows of the tenant that they once signed, which other rules of the same table tie to being a member."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls import culprit
from tests.rls.acting import Persona, text
from tests.rls.catalog import Table, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.inserting import insert
from tests.rls.probes.trying import works
from tests.rls.probes.write import fresh, harmless, overwriting
from tests.rls.tenancy import CHILD, OWNED
from tests.rls.world import Row

CELLS = "former cells"
COMMANDS = {"select": "reads", "update": "changes", "delete": "deletes"}


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield the rules that ask who wrote a row and not whether they still belong to its tenant."""
    if context.tenancy.membership is None or "member_a" not in context.personas.everyone:
        return
    for table in context.catalog.own_tables():
        one = context.tenancy.of(table)
        if one.kind not in (OWNED, CHILD) or not one.user_columns or table.is_partition or context.config.skips(table.schema) or context.config.table(table.label).get("kind") == "skip":
            continue
        template = next((r for r in context.world.of(table, "A") if r.user == "member_a"), None)
        told: set[str] = set()
        for persona in context.personas.former if template is not None else ():
            for found in _kept(context, table, template, persona, told):
                told.add(found.command)
                yield found


def _kept(context: Context, table: Table, template: Row, persona: Persona, told: set[str]) -> Iterator[Finding]:
    theirs = _signed(context, template, persona)
    mine = _signed(context, template, context.personas["member_a"])
    if theirs is None or mine is None:
        return
    statements = {command: statement for command in COMMANDS if (statement := _statement(context, table, template, theirs, persona, command))}
    kept = [command for command in statements if works(context, persona, statements[command], _before(table, theirs), CELLS)]
    if not kept or len(kept) == len(statements):
        return  # refused throughout; or theirs for good, by design
    lost = [c for c in statements if c not in kept and (own := _statement(context, table, template, mine, persona, c))
            and works(context, context.personas["member_a"], own, _before(table, mine), CELLS)]
    for command in kept if lost else ():
        if command not in told:
            statement, before = statements[command], _before(table, theirs)

            def leaks(more: str, statement: str = statement, before: str = before) -> bool:
                return works(context, persona, statement, before + more, CELLS)
            cause = culprit.find(context, table, persona, command, leaks)
            script = culprit.script(context, persona, statement).replace(culprit.ACT, before + culprit.ACT, 1)
            yield Finding("former-member-keeps-rows", table.label, command, persona.name,
                          f"{persona.name} {COMMANDS[command]} a row of the tenant they once wrote, though who wants to {lost[0]} it must still belong to the tenant: {cause.sentence}",
                          f"1 row; {lost[0]} is refused to them, and a member may", script, proven=True)


def _signed(context: Context, template: Row, persona: Persona) -> dict[str, str | None] | None:
    """Return values of a row of A that a person wrote."""
    one = context.tenancy.of(template.table)
    return fresh(context, template, dict.fromkeys(one.user_columns, persona.user_id), "A")


def _before(table: Table, values: dict[str, str | None]) -> str:
    return insert(table, values) + ";\n"


def _statement(context: Context, table: Table, template: Row, values: dict[str, str | None], persona: Persona, command: str) -> str | None:
    """Without WHERE, which would ask the rules for reading too; None where the role has no privilege."""
    catalog = context.catalog
    if command == "select":
        readable = catalog.columns_with(persona.role, table, "SELECT")
        keys = [name for name in table.primary_key if name in values]
        return f"select from {table.sql} where " + " and ".join(f"{quoted(n)} = {text(values[n])}" for n in keys) if keys and readable >= {*keys} else None
    if command == "delete":
        return f"delete from {table.sql}" if "DELETE" in catalog.privileges(persona.role, table) else None
    column = harmless(table, catalog.columns_with(persona.role, table, "UPDATE"), context.tenancy.of(table).user_columns)
    return f"update {table.sql} set {quoted(column.name)} = {overwriting(table, column, template.get(column.name))}" if column is not None else None
