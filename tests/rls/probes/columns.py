"""Columns a role may not read in a table and gets all the same through a view that runs as its owner."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls import culprit
from tests.rls.catalog import Table, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.probes.read import _below, _statement
from tests.rls.world import CANARY


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield views that show what column grants withhold."""
    key = "viewer_a" if "viewer_a" in context.personas.everyone else "outsider"
    persona = context.personas.everyone.get(key)
    if persona is None:
        return
    catalog = context.catalog
    for view in catalog.own_views():
        if not catalog.may_touch(persona.role, view, "SELECT") or context.config.skips(view.schema):
            continue
        outcome = context.personas.acting.run(persona, _statement(context, view, persona))
        context.count("select cells")
        seen = {match[0].lower() for value in outcome.texts() for match in CANARY.finditer(value)} if outcome.ok else set()
        for table in (t for oid in _below(context, view) if isinstance(t := catalog.relation(oid), Table)):
            readable = catalog.columns_with(persona.role, table, "SELECT")
            # Only where columns were chosen one by one: a table without any grant may have a view as its public face.
            withheld = [c.name for c in table.columns if readable and c.name not in readable]
            shown = [name for name in withheld for row in context.world.of(table, "A") for match in CANARY.finditer(row.get(name) or "") if match[0].lower() in seen]
            if shown:
                yield Finding("view-shows-withheld-column", view.label, "select", persona.name,
                              f"view {view.label} shows {table.label}.{shown[0]}, which role {persona.role} may not read: the view runs as its owner {view.owner}", f"columns {', '.join(sorted(set(shown)))}",
                              culprit.script(context, persona, f"select {', '.join(quoted(c.name) for c in view.columns)} from {view.sql}"), proven=True)
                break
