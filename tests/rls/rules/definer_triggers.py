"""Definer triggers that reach past the tenant of the row they fire for: what they touch is named by a column its writer fills in."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls.analysis.model import Model, act
from tests.rls.analysis.trigger import TriggerFlow
from tests.rls.catalog import Table, Trigger
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

COMMANDS = ("insert", "update", "delete")


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for table in model.tables:
        for trigger in table.triggers if model.belongs(table) else ():
            command = next((c for c in COMMANDS if c in trigger.events and model.reachers(table, c.upper())), None)
            if command is not None and trigger.enabled != "D" and trigger.per_row:
                yield from _judged(model, table, trigger, command)


def _judged(model: Model, table: Table, trigger: Trigger, command: str) -> Iterator[Finding]:
    function = model.catalog.functions.get(trigger.function)
    if function is None or function.managed or not function.definer or model.reading.body(function).unreadable:
        return
    for problem in TriggerFlow(model, function, table).problems():
        # Without a value of the writer's it is the same for every row: counting, tidying up.
        if problem.argument.startswith(("new.", "old.")):
            role = model.reachers(table, command.upper())[-1]
            yield Finding(
                "definer-trigger-crosses-tenant", function.label, command, "member",
                f"trigger {trigger.name} on {table.label} runs {function.label} as {function.owner}, past the policies, and reaches {problem.relation.label} ({problem.command}) by {problem.argument}, "
                "which the writer of the row fills in and nothing ties to the tenant of the row",
                " ".join(function.source.split())[:600], act(role, f"-- {command} on {table.sql} with {problem.argument.partition('.')[2]} of another tenant", sub="<a member>"))
            return
