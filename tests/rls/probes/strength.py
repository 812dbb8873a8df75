"""Rules about the session itself, tried with a session that does not meet them: a second factor (aal2), and not being anonymous."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls import culprit
from tests.rls.acting import Persona, text
from tests.rls.catalog import Policy, Table, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.inserting import insert
from tests.rls.probes.write import fresh, harmless, overwriting

RULES = (("aal", re.compile(r"'aal2?'"), "aal1", "aal2-not-enforced", "without a second factor"),
         ("is_anonymous", re.compile(r"is_anonymous"), "anonymous_member", "anonymous-not-refused", "with an anonymous sign-in"))


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield the tables where such a rule is written down and does not hold."""
    for table in context.catalog.tables.values():
        for _, pattern, key, name, how in RULES:
            policies = [p for p in table.policies if pattern.search(_deep(context, p))]
            if policies and key in context.personas.everyone and not context.config.skips(table.schema):
                yield from _broken(context, table, policies, context.personas[key], name, how)


def _deep(context: Context, policy: Policy) -> str:
    """The text of a policy and of the short helpers it calls."""
    called = (context.catalog.functions.get(oid) for oid in policy.functions)
    return " ".join([policy.text, *(f.source or f.definition for f in called if f is not None and not f.managed and not f.arguments and f.returns == "boolean")])


def _broken(context: Context, table: Table, policies: list[Policy], persona: Persona, name: str, how: str) -> Iterator[Finding]:
    # Who may not even read without more must not write either; the other way round is common.
    reads_only = {p.command for p in policies} == {"select"}
    for command in ("select", "insert", "update", "delete"):
        meant = [p for p in policies if p.covers(command) or reads_only]
        statement = _statement(context, table, persona, command) if meant else None
        if not statement:
            continue
        before = _with_factor(context, persona) if any("mfa_factors" in _deep(context, p) for p in meant) else ""
        outcome = context.personas.acting.run(persona, statement, before=before)
        context.count("session cells")
        if not outcome.ok or not outcome.count:
            continue
        policy = meant[0]
        held = context.catalog.acting_as(persona.role)
        if not {*policy.roles} & {*held, "public"}:
            why = f"policy {policy.name} is TO {', '.join(policy.roles)} and does not bind {persona.role}"
        elif not policy.covers(command):
            why = f"policy {policy.name} is FOR {policy.command.upper()} alone"
        elif policy.permissive:
            why = f"policy {policy.name} is permissive, so it is ORed with the others instead of narrowing them"
        else:
            why = f"policy {policy.name} ({culprit.shortened(policy.text)}) does not refuse it"
        yield Finding(name, table.label, command, persona.name, f"{table.label} can be reached ({command}) {how} although a policy asks for more: {why}", outcome.said()[:200],
                      culprit.script(context, persona, statement), proven=True)
        return


def _statement(context: Context, table: Table, persona: Persona, command: str) -> str | None:
    """Something a member of A may do to a row of A."""
    catalog, world = context.catalog, context.world
    rows = [r for r in world.of(table) if r.tenant == "A" or r.user == persona.user]
    own = next((r for r in rows if r.user == persona.user), rows[0] if rows else None)
    if own is None:
        return None
    readable = catalog.columns_with(persona.role, table, "SELECT")
    if command == "select":
        return f"select {', '.join(map(quoted, sorted(readable)))} from {table.sql} limit 10" if readable else None
    if command == "delete":
        return f"delete from {table.sql} where {own.where}" if "DELETE" in catalog.privileges(persona.role, table) else None
    if command == "update":
        allowed = catalog.columns_with(persona.role, table, "UPDATE")
        column = harmless(table, allowed, context.tenancy.of(table).user_columns)
        return f"update {table.sql} set {quoted(column.name)} = {overwriting(table, column, own.get(column.name))} where {own.where}" if column else None
    allowed = catalog.columns_with(persona.role, table, "INSERT")
    made = fresh(context, own, {name: persona.user_id for name in context.tenancy.of(table).user_columns}, "A") if allowed else None
    return insert(table, made, allowed) if made else None


def _with_factor(context: Context, persona: Persona) -> str:
    """Give the person a verified factor: a rule that asks only those who have one must then refuse."""
    table = context.catalog.find("auth.mfa_factors")
    if table is None or persona.user_id is None:
        return ""
    given = {"id": persona.user_id, "user_id": persona.user_id, "status": "verified", "factor_type": "totp", "created_at": "2030-01-01", "updated_at": "2030-01-01", "secret": "x"}
    values = {c.name: given[c.name] for c in table.columns if c.name in given}
    return f"insert into {table.sql} ({', '.join(map(quoted, values))}) values ({', '.join(map(text, values.values()))})"
