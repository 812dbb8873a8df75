"""Two people one after the other on one connection, and a membership that ends between two requests: nothing may be left over."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls import culprit
from tests.rls.acting import Persona
from tests.rls.catalog import Table, View
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.probes import read
from tests.rls.tenancy import CHILD, OWNED, TENANT

MOST = 12


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield what one request sees because of another."""
    people = context.personas
    if not {"owner_a", "owner_b"} <= set(people.everyone) or not context.world.tenants:
        return
    relations: list[Table | View] = [t for t in context.catalog.own_tables() if context.tenancy.of(t).kind in (TENANT, OWNED, CHILD)][:MOST]
    for relation in relations:
        first, second = people["owner_b"], people["owner_a"]
        if relation.oid in context.leaking or not context.catalog.may_touch(second.role, relation, "SELECT"):
            continue
        statement = read._statement(context, relation, second)
        acting = people.acting
        context.count("connection reuse", 2)
        # The same prepared statement for both: a plan made for one must not serve the other.
        outcome = acting.run(second, "execute rf_probe", before=f"prepare rf_probe as {statement};\n{_as(context, first)}execute rf_probe;\nexecute rf_probe;\n{_back(context)}")
        leak = read.judged(context, relation, second, outcome) if outcome.ok else None
        if leak is not None:
            yield Finding("connection-bleed", relation.label, "select", "member of another organization",
                          f"after a request of another tenant's member on the same connection, {relation.label} shows their rows: a setting or a plan outlives the request", f"seen: {leak.sample}",
                          culprit.script(context, second, statement, note="after the same statement as the other tenant's owner, on one connection"), proven=True)
            continue
        yield from _revoked(context, relation, statement)


def _revoked(context: Context, relation: Table | View, statement: str) -> Iterator[Finding]:
    """The same token, before and after the membership is deleted."""
    member = context.tenancy.membership
    if member is None or not isinstance(relation, Table):
        return
    # Somebody who is not also named in the tenant's own row, as its owner.
    named = {value for one in context.world.rows if one.tenant == "A" and context.tenancy.of(one.table).kind == TENANT for value in one.values.values()}
    persona = next((context.personas[k] for k in ("member_a", "viewer_a", "admin_a") if k in context.personas.everyone and context.personas[k].user_id not in named), None)
    if persona is None:
        return
    row = next((r for r in context.world.of(member.table, "A") if r.user == persona.user), None)
    acting = context.personas.acting
    if row is None or not acting.run(persona, statement).count:
        return
    removed = f"delete from {row.table.sql} where {row.where};\n"
    # What somebody who never asked before sees without the membership is theirs by other rights: a share, an ownership.
    fresh = acting.run(persona, statement, before=removed)
    outcome = acting.run(persona, statement, before=f"{_as(context, persona)}{statement};\n{_back(context)}{removed}")
    left = [r for r in outcome.rows if r not in fresh.rows] if outcome.ok and fresh.ok else []
    if left and relation.oid not in context.leaking:
        yield Finding("revocation-not-effective", relation.label, "select", "removed member",
                      f"a membership deleted between two requests of one token still opens {relation.label}: who belongs is remembered somewhere else than in the table", f"{len(left)} rows after the removal",
                      culprit.script(context, persona, statement, note="after the membership was deleted on the same connection"), proven=True)


def _as(context: Context, persona: Persona) -> str:
    return str(context.personas.acting.prelude(persona))


def _back(context: Context) -> str:
    return "set local role none;\n" + ("reset session authorization;\n" if context.personas.acting.as_authenticator else "")
