"""Everything everybody can read, looked through for rows and canaries of somebody else: tables, partitions, views, materialized views, foreign tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.rls import culprit, vocabulary
from tests.rls.acting import Outcome, Persona, text
from tests.rls.catalog import Relation, Table, View, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.tenancy import PERSONAL, PROFILE, SHARED, USERS

ORDER = 0
"""What somebody reads here explains what views and functions pass on."""
ROWS = 2000
PUBLIC_PROFILE = re.compile(r"name$|avatar|bio|handle|username|picture", re.I)


@dataclass(frozen=True)
class Leak:
    whose: str
    sample: str


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield one finding for each relation and kind of mistake."""
    catalog = context.catalog
    leaking = context.leaking
    for relation in [*catalog.tables.values(), *catalog.views.values()]:
        if relation.schema in ("pg_catalog", "information_schema") or context.config.skips(relation.schema) or context.config.table(relation.label).get("kind") == "skip":
            continue
        told: set[str] = set()
        for persona in _readers(context):
            if not catalog.may_touch(persona.role, relation, "SELECT"):
                context.shut(relation.label, "select", persona.name)
                continue
            outcome = sweep(context, relation, persona)
            context.count("select cells")
            if outcome.sqlstate.startswith(("57", "55", "53", "54", "XX")) and relation.label not in told:
                told.add(relation.label)
                yield NotCovered(relation.label, "select", f"as {persona.name}: {outcome.said()}")
            leak = judged(context, relation, persona, outcome)
            context.saw(relation.label, "select", persona.name, outcome, leak is not None)
            if leak is None:
                continue
            found, cause = _finding(context, relation, persona, leak)
            leaking.add(relation.oid)
            # A view that only passes on what its tables let through is told with the tables.
            passed_on = cause.cause == "view-foreign-rows" and leaking & _below(context, relation)
            if not passed_on and not told & {found.id, cause.sentence}:
                told |= {found.id, cause.sentence}
                yield found
        yield from _unseeded(context, relation)


def sweep(context: Context, relation: Relation, persona: Persona, before: str = "") -> Outcome:
    """Read what a persona can read of a relation."""
    return context.personas.acting.run(persona, _statement(context, relation, persona), before=before)


def judged(context: Context, relation: Relation, persona: Persona, outcome: Outcome) -> Leak | None:
    """Return what a persona saw that is somebody else's, or None."""
    world, mine = context.world, persona.user_id or "-"
    one = context.tenancy.of(relation.oid) if isinstance(relation, Table) else None
    foreign = [t for t in ("A", "B") if t not in persona.tenants]
    if not outcome.ok:
        return _leak(context, foreign, tuple(outcome.texts()))
    for row in outcome.rows:
        values = dict(zip(outcome.columns, row, strict=True))
        if mine in row or persona.user is None and mine in row:
            continue
        if one is not None and one.kind in (PROFILE, PERSONAL, USERS):
            whose = _person(context, relation, persona, values)
            if whose:
                return Leak(whose, _sample(values))
            continue
        leak = _leak(context, foreign, tuple(v for v in row if v is not None))
        if leak is not None:
            return Leak(leak.whose, _sample(values))
        key = values.get(one.tenant_column or "") if one is not None else None
        if one is not None and one.tenant_column in values and one.kind != SHARED and world.tenants:
            if key is None:
                return Leak("a row without a tenant", _sample(values))
            if key not in [world.tenants[t] for t in persona.tenants if t in world.tenants]:
                return Leak(f"tenant {key}", _sample(values))
    return None


def _leak(context: Context, foreign: list[str], values: tuple[str, ...]) -> Leak | None:
    for tenant in foreign:
        if seen := context.world.seen(tenant, values):
            return Leak(f"tenant {tenant}", ", ".join(sorted(seen)[:3]))
    return None


def _person(context: Context, relation: Relation, persona: Persona, values: dict[str, str | None]) -> str | None:
    """Whose row of a personal table it is, if it is none of this persona's business."""
    one = context.tenancy.of(relation.oid)
    people = {user_id: key for key, user_id in context.world.users.items()}
    owner = next((people.get(values.get(column) or "") for column in (*one.owner_columns, *one.user_columns) if column in values), None)
    if owner is None or owner == persona.user:
        return None
    tenant = {"a": "A", "b": "B"}.get(owner[-1:]) if "_" in owner else None
    if tenant in persona.tenants or owner == "both":
        return None
    personal = [c for c in one.personal_columns if values.get(c) is not None]
    if one.kind == PROFILE and not personal and any(PUBLIC_PROFILE.search(c.name) for c in relation.columns):
        return None  # a public profile: names and pictures only
    return f"user {owner}" + (f" ({', '.join(personal)})" if personal else "")


def _statement(context: Context, relation: Relation, persona: Persona) -> str:
    readable = context.catalog.columns_with(persona.role, relation, "SELECT")
    columns = ", ".join(quoted(c.name) for c in relation.columns if c.name in readable)
    return f"select {columns} from {relation.sql} limit {ROWS}"


def _readers(context: Context) -> list[Persona]:
    people = context.personas
    return [*people.insiders[:2], *people.insiders[2:3], *people.strangers, *people.former, *people.forged, *[people[k] for k in ("service_claim",) if k in people.everyone]]


def _finding(context: Context, relation: Relation, persona: Persona, leak: Leak) -> tuple[Finding, culprit.Culprit]:
    statement = _statement(context, relation, persona)
    if isinstance(relation, Table):
        def leaks(before: str) -> bool:
            return judged(context, relation, persona, sweep(context, relation, persona, before)) is not None
        cause = culprit.find(context, relation, persona, "select", leaks)
    else:
        assert isinstance(relation, View)
        cause = _view_cause(context, relation, persona)
    name = {"true": "select-using-true", "foreign-rows": "select-foreign-rows"}.get(cause.cause, cause.cause)
    if name == "select-foreign-rows" and leak.whose == "a row without a tenant":
        name = "null-tenant"
    if name in ("select-foreign-rows", "policies-together") and persona in context.personas.former:
        name = "former-member-reads"
    if persona in context.personas.forged and name == "select-foreign-rows":
        name = "forged-claim-reads"
    who = "member of another organization" if persona in context.personas.insiders else persona.name
    return Finding(name, relation.label, "select", who, f"{who} reads rows of {leak.whose}: {cause.sentence}", f"seen: {leak.sample}",
                   culprit.script(context, persona, statement), proven=True), cause


def _below(context: Context, relation: Relation) -> set[int]:
    """Return the oids of everything a view reads, also through other views."""
    found: set[int] = set()
    pending = list(relation.depends_on) if isinstance(relation, View) else []
    while pending:
        oid = pending.pop()
        if oid not in found:
            found.add(oid)
            inner = context.catalog.views.get(oid)
            pending += inner.depends_on if inner else ()
    return found


def _view_cause(context: Context, view: View, persona: Persona) -> culprit.Culprit:
    """Say why a view gives what its caller may not read."""
    if view.kind == "m":
        return culprit.Culprit("materialized-view", f"materialized view {view.label} holds rows of every tenant, and no policy can protect it")
    if not view.security_invoker:
        owner = context.catalog.roles.get(view.owner)
        why = " (which bypasses row security)" if owner and (owner.bypassrls or owner.superuser) else ""
        return culprit.Culprit("definer-view", f"view {view.label} has no security_invoker, so it reads its tables as its owner {view.owner}{why}")
    seen: set[int] = set()
    pending = [oid for oid in view.depends_on]
    while pending:
        inner = context.catalog.views.get(oid := pending.pop())
        if inner is None or oid in seen:
            continue
        seen.add(oid)
        if inner.kind == "m" or not inner.security_invoker:
            return culprit.Culprit("invoker-view-over-definer-view", f"view {view.label} is security_invoker but reads {inner.label}, which runs as its owner {inner.owner}")
        pending += inner.depends_on
    definers = [f.label for oid in view.functions if (f := context.catalog.functions.get(oid)) and f.definer]
    if definers:
        return culprit.Culprit("view-over-definer-function", f"view {view.label} calls {', '.join(definers)}, which runs as its owner")
    return culprit.Culprit("view-foreign-rows", f"view {view.label} shows rows its tables' policies let through")


def _sample(values: dict[str, str | None]) -> str:
    return ", ".join(f"{k}={text(v)[:60]}" for k, v in list(values.items())[:6])


def _unseeded(context: Context, relation: Relation) -> Iterator[NotCovered]:
    """A table with rows of tenants that nobody could make a row for was not tested."""
    if not isinstance(relation, Table) or relation.managed:
        return
    reached = [r for r in context.catalog.api_roles if any(context.catalog.may_touch(r, relation, p) for p in ("SELECT", "INSERT", "UPDATE", "DELETE"))]
    if reached and relation.oid in context.world.failed and not context.world.of(relation, "B") and not vocabulary_only(context, relation):
        yield NotCovered(relation.label, "any", f"no row of another tenant could be made: {context.world.failed[relation.oid]}")


def vocabulary_only(context: Context, relation: Table) -> bool:
    """Return whether a table without rows cannot leak a tenant's: nothing in it belongs to anybody."""
    return context.tenancy.of(relation).kind == SHARED and not vocabulary.PERSONAL.search(relation.name)
