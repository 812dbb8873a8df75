"""SECURITY DEFINER functions that clients can call and that reach rows their caller was not checked for."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls.analysis.flow import Flow, Problem
from tests.rls.analysis.model import Model, act, persona
from tests.rls.catalog import Function
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

WHAT = {
    "none": ("definer-without-tenant-filter", "runs past row security and filters {table} by nothing that says who asks"),
    "optional": ("definer-optional-tenant-argument", "optional argument: with {argument} NULL the filter on {table} is off, so rows of all tenants come back"),
    "tenant": ("definer-trusts-tenant-argument", "trusts the tenant id in its argument {argument}: {table} is filtered by it, and the caller's membership is never asked"),
    "user": ("definer-trusts-user-argument", "trusts the user id in its argument {argument} instead of auth.uid(): {table} answers for any person"),
    "id": ("definer-trusts-id-argument", "finds {table} by its argument {argument} and never asks whether the caller may"),
    "signed-in": ("definer-signed-in-only", "asks only that the caller is signed in, or a member of something, before it reaches {table}"),
    "token": ("definer-token-unchecked", "writes into {table} for whoever holds a token, without asking whether it is expired, used, or meant for the caller"),
    "write": ("definer-writes-by-argument", "writes into {table} for the tenant or person named by its argument {argument}, unchecked"),
}


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    in_policies = {p_oid for t in context.catalog.tables.values() for p in t.policies for p_oid in p.functions}
    for function in context.catalog.own_functions():
        callers = model.callers(function)
        if not function.definer or function.is_trigger or not callers or function.kind not in "fp":
            continue
        if function.oid in in_policies and not context.catalog.schemas[function.schema].exposed:
            continue  # a policy's helper that clients reach by SQL only: helper rules look at it
        body = model.reading.body(function)
        if body.unreadable:
            yield NotCovered(function.label, "execute", f"the body of a definer ({function.language}) could not be read")
            continue
        problems = Flow(model, function).problems()
        for problem in problems[:1]:
            yield _finding(model, function, problem, callers)


def _finding(model: Model, function: Function, problem: Problem, callers: list[str]) -> Finding:
    name, what = WHAT[problem.kind]
    vector = any("vector" in a.type for a in function.arguments)
    others = [f.label for f in model.reading.functions((function.schema, function.name)) if f.oid != function.oid]
    more = "; a retrieval (RAG match) function as SECURITY DEFINER searches every tenant's chunks" if vector else ""
    more += f"; stale overload: the name also has {', '.join(others)}" if others else ""
    if problem.command != "select":
        more += f"; it does {problem.command.upper()}"
    role = "anon" if "anon" in callers else callers[-1]
    arguments = ", ".join("NULL" if a.has_default or problem.kind == "optional" else f"<a value of another tenant>::{a.type}" for a in function.arguments)
    return Finding(
        name, function.label, "execute", persona(role),
        f"SECURITY DEFINER function {function.label} {what.format(table=problem.relation.label, argument=problem.argument or 'given')}{more}",
        f"owner {function.owner}, callable by {', '.join(callers)}; body: {' '.join(function.source.split())[:600]}", act(role, f"select * from {function.sql}({arguments});"),
    )
