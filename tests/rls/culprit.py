"""Which policy lets something through, and which mistake it is: found by leaving one policy alone in force, then by reading that one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.rls.acting import Persona
from tests.rls.catalog import Policy, Table, quoted
from tests.rls.context import Context

Leaks = Callable[[str], bool]
"""Whether the leak is there after the given statements, which run as the table's owner and are undone."""


@dataclass(frozen=True)
class Culprit:
    cause: str
    """Kebab-case name of the mistake; used in finding ids."""
    sentence: str
    policy: Policy | None = None


def find(context: Context, table: Table, persona: Persona, command: str, leaks: Leaks) -> Culprit:
    """Return what lets a persona do what it may not on a table."""
    role = context.catalog.roles.get(persona.role)
    if not table.rls:
        parents = [context.catalog.tables[p].label for p in table.parents if p in context.catalog.tables]
        through = f", although its parent {parents[0]} has it: a partition is a table of its own when named directly" if parents else ""
        return Culprit("rls-disabled", f"row security is disabled on {table.label}{through}")
    if role is not None and (role.superuser or role.bypassrls):
        return Culprit("role-bypasses-rls", f"role {role.name} bypasses row security")
    held = context.catalog.acting_as(persona.role)
    if table.owner in held and not table.force:
        return Culprit("owner-not-forced", f"role {persona.role} owns {table.label}, and row security is not forced on owners")
    permissive = table.policies_for(command, held, permissive=True)
    for policy in permissive:
        others = "".join(f"drop policy {quoted(p.name)} on {table.sql};\n" for p in permissive if p is not policy)
        if len(permissive) == 1 or leaks(others):
            return read(context, table, policy, command)
    if not permissive:
        return Culprit("no-policy", f"no policy of {table.label} allows it, yet it is possible")
    return Culprit("policies-together", f"the policies {', '.join(p.name for p in permissive)} of {table.label} let it through together")


def read(context: Context, table: Table, policy: Policy, command: str) -> Culprit:
    """Name the mistake in a policy known to let something through."""
    given = policy.check if command in ("insert", "check") and policy.check is not None else policy.using if command != "insert" else policy.check or policy.using
    text = given or ""
    said = f"policy {policy.name} on {table.label} ({'USING' if command not in ('insert', 'check') else 'WITH CHECK'} {shortened(text)})"
    called = " ".join(f.source or f.definition for oid in policy.functions if (f := context.catalog.functions.get(oid)) is not None and not f.managed)
    deep = f"{text} {called}"
    tenant = context.tenancy.of(table).tenant_column or context.tenancy.tenant_key
    uid = r"(?:\(\s*SELECT\s+)?(?:\w+\.)?\w*uid\(\)(?:\s+AS\s+\w+)?\s*\)?"
    if text.strip("() ").lower() == "true":
        if policy.roles == ("public",):
            return Culprit("policy-without-to", f"{said} is true for everybody: it has no TO clause, so it is not for one role (the service role needs no policy)", policy)
        return Culprit("true", f"{said} is true for every row", policy)
    if "user_metadata" in deep or "user_meta_data" in deep:
        return Culprit("user-metadata", f"{said} trusts user_metadata, which users write themselves", policy)
    if "request.headers" in deep:
        return Culprit("request-header", f"{said} takes the tenant from a request header, which the caller writes", policy)
    if re.search(rf"{uid}\s+IS\s+NULL|auth\.role\(\)\s*(<>|!=)", text, re.I):
        return Culprit("inverted-auth-check", f"{said} is true for callers without an identity", policy)
    if re.search(r"COALESCE\(", text, re.I) and re.search(r"jwt|current_setting", text, re.I):
        return Culprit("claim-tautology", f"{said} falls back to the column itself when the claim is missing, so it is always true", policy)
    if match := re.search(r"\(?(\b[\w]+\.[\w]+)\s*=\s*\1\b", text):
        return Culprit("captured-column", f"{said} compares {match[1]} with itself: the unqualified column was captured by the sub-select", policy)
    if "app_metadata" in deep:
        return Culprit("stale-claim", f"{said} trusts the tenant in the token's app_metadata, which stays true after the membership has ended", policy)
    if re.search(rf"\b{re.escape(tenant)}\b\)?\s+IS\s+NULL", text, re.I):
        return Culprit("null-tenant", f"{said} lets rows with an empty {tenant} through for everybody", policy)
    if re.search(r"\bEXISTS\b", text) and not re.search(rf"\b{re.escape(table.name)}\.", text):
        return Culprit("uncorrelated-membership", f"{said} asks whether any membership exists, not one of the row's tenant", policy)
    if re.search(rf"{uid}\s+IS\s+NOT\s+NULL|auth\.role\(\)\s*=|=\s*auth\.role\(\)", text, re.I) and not re.search(r"\bAND\b", text):
        return Culprit("signed-in-not-member", f"{said} asks whether somebody is signed in, not whether they belong to the tenant", policy)
    if policy.functions and called:
        names = sorted({context.catalog.functions[oid].label for oid in policy.functions if oid in context.catalog.functions and not context.catalog.functions[oid].managed})
        return Culprit("foreign-rows", f"{said} lets it through; it relies on {', '.join(names)}", policy)
    return Culprit("foreign-rows", f"{said} lets it through", policy)


def shortened(text: str, length: int = 240) -> str:
    """Return an expression on one line, not longer than `length`."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


ACT = "-- act\n"
"""What comes before it in a script makes two tenants; what comes after is the proof."""


def script(context: Context, persona: Persona, statement: str, *, note: str = "") -> str:
    """Return a self-contained script that makes the two tenants, acts as a persona, and rolls back."""
    head = f"-- {note}\n" if note else ""
    return f"begin;\n{context.world.script}{ACT}{head}{context.personas.acting.prelude(persona)}{statement.strip().rstrip(';')};\nrollback;\n"
