"""One statement of one persona on somebody's row: whether it does something, what lets it, and the finding that it makes."""

from __future__ import annotations

from tests.rls import culprit
from tests.rls.acting import Persona
from tests.rls.catalog import Table, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding
from tests.rls.probes.write import harmless, overwriting
from tests.rls.world import Row


def works(context: Context, persona: Persona, statement: str, before: str = "", cells: str = "privilege cells") -> bool:
    """Return whether a statement is allowed and meets a row. `cells`: what it counts for in the summary of the run."""
    context.count(cells)
    outcome = context.personas.acting.run(persona, statement, before=before)
    return bool(outcome.ok and outcome.count)


def changing(context: Context, table: Table, row: Row, command: str, persona: Persona) -> str | None:
    """Return an update or a delete of a row; None where the role has no privilege for it."""
    if command == "delete":
        return f"delete from {table.sql} where {row.where}" if "DELETE" in context.catalog.privileges(persona.role, table) else None
    column = harmless(table, context.catalog.columns_with(persona.role, table, "UPDATE"), context.tenancy.of(table).user_columns)
    return f"update {table.sql} set {quoted(column.name)} = {overwriting(table, column, row.get(column.name))} where {row.where}" if column else None


def cause_of(context: Context, table: Table, persona: Persona, command: str, statement: str) -> culprit.Culprit:
    return culprit.find(context, table, persona, command, lambda before: works(context, persona, statement, before))


def finding(context: Context, table: Table, persona: Persona, name: str, command: str, sentence: str, evidence: str, statement: str) -> Finding:
    return Finding(name, table.label, command, persona.name, sentence, evidence, culprit.script(context, persona, statement), proven=True)
