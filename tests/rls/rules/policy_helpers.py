"""The functions that policies call: a helper that forgets an argument, the status or the caller is a hole in every table that uses it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.rls.analysis import tree
from tests.rls.analysis.flow import Flow
from tests.rls.analysis.membership import asks_status
from tests.rls.analysis.model import Model, act
from tests.rls.analysis.alternatives import alternatives
from tests.rls.analysis.tree import Node
from tests.rls.catalog import Function
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    users: dict[int, list[str]] = defaultdict(list)
    for table in context.catalog.tables.values():
        binding = [p for p in table.policies if any({*p.roles} & context.catalog.acting_as(role) for role in model.roles)]
        for function in model.reading.policy_functions(binding):
            users[function.oid].append(table.label)
    helpers = [context.catalog.functions[oid] for oid in users]
    helpers += [f for f in context.catalog.own_functions() if f.oid not in users and _guards(model, f)]
    for function in helpers:
        used = f"used by the policies of {', '.join(sorted(set(users[function.oid]))[:6])}" if users[function.oid] else "called by other functions"
        for name, what in _flaws(model, function):
            yield Finding(name, function.label, "execute", "signed in, no membership" if name != "helper-ignores-status" else "removed member",
                          f"helper {function.label}: {what}; {used}", " ".join(function.source.split())[:600] or function.definition[:600],
                          act("authenticated", f"select {function.sql}({', '.join(f'<a value of another tenant>::{a.type}' for a in function.arguments)});"))


def _guards(model: Model, function: Function) -> bool:
    """Return whether a function that no policy calls answers about the caller's membership for other functions."""
    return not function.is_trigger and function.returns == "boolean" and model.callers(function) and model.membership is not None and model.reading.identifies(
        model.reading.body(function).nodes) and model.membership in [r for n in model.reading.body(function).nodes for r in model.reading.read_tables(n)]


def _flaws(model: Model, function: Function) -> Iterator[tuple[str, str]]:
    body = model.reading.body(function)
    nodes = body.nodes
    if body.unreadable or function.is_trigger:
        return
    tables = {r.oid for n in nodes for r in model.reading.read_tables(n)}
    asks = bool(nodes) and model.membership is not None and model.membership.oid in tables
    flow = Flow(model, function)
    mentioned = set().union(*(flow.names(n, model.reading.read_tables(n)) for n in nodes)) if nodes else set()
    text = " ".join(line.step.text for line in body.lines if line.node is None)
    for argument in function.arguments:
        if argument.name and argument.name not in mentioned and argument.name not in text and (asks or model.reading.identifies(nodes) or tables):
            yield "helper-ignores-argument", f"its argument {argument.name} ({argument.type}) is never used, so the answer is the same for every {_meaning(model, argument.name, argument.base_type)}"
    if _self_compare(nodes):
        yield "helper-captured-column", "it compares a column with itself (x = x), so its argument is not compared and any tenant passes"
    if not asks:
        return
    known = model.tenancy.membership
    if any(model.reading.identifies(n) for n in nodes) or any(a.base_type == "uuid" for a in function.arguments):
        for node in nodes:
            if model.membership in model.reading.read_tables(node) and _answers(model, function, node) and not any(asks_status(model, n) for n in nodes) and model.reading.identifies(node) and not _elsewhere(model, function):
                yield "helper-ignores-status", f"it reads {model.membership.label} without looking at {known.status_column or 'what ends a membership'}: revoked and suspended members pass"  # type: ignore[union-attr]
                break
    if not model.reading.function_sources(function) and not any(a.base_type == "uuid" for a in function.arguments):
        yield "helper-without-caller", f"it reads {model.membership.label} and never asks who the caller is"  # type: ignore[union-attr]
    if (what := _null_caller(model, flow)) is not None:
        yield "helper-null-caller", what
    if known is not None and known.role_column and _ordered_text(nodes, known.role_column):
        yield "helper-role-as-text", f"it compares {known.role_column} as text with < or >: roles are put in the order of the alphabet, not of power"


def _meaning(model: Model, name: str, base_type: str) -> str:
    known = model.tenancy.membership
    if known is not None and known.role_column and known.role_column.rstrip("s") in name:
        return "role: the role argument is ignored"
    return "tenant: the tenant argument is ignored" if base_type == model.tenancy.tenant_type else "role or value: the role argument is ignored" if base_type != "uuid" else "row"


def _answers(model: Model, function: Function, node: Node) -> bool:
    """Return whether a query says of which tenant the caller is a member: yes or no, or the tenants."""
    known = model.tenancy.membership
    targets = [one for key, one in tree.walk({"top": node}) if key == "res_target"]
    return function.returns == "boolean" or known is not None and any(name[-1] == known.tenant_column for one in targets for name in tree.columns(one.get("val")))


def _elsewhere(model: Model, function: Function) -> bool:
    """Return whether another function it calls, or the row security of the membership for an invoker, looks at the status."""
    others = [f for f in model.reading.closure([function]) if f.oid != function.oid]
    if any(asks_status(model, n) for f in others for n in model.reading.body(f).nodes):
        return True
    membership = model.membership
    return not function.definer and membership is not None and membership.rls and all(
        any(asks_status(model, n) for f in model.reading.policy_functions([p]) for n in model.reading.body(f).nodes)
        for p in membership.policies if p.covers("select") and p.permissive)


def _self_compare(nodes: list[Node]) -> bool:
    for key, one in tree.walk(nodes):
        if key == "a_expr" and one.get("kind") == "AEXPR_OP" and tree.strings(one.get("name"))[-1:] == ("=",):
            left, right = tree.strip(one.get("lexpr", {})), tree.strip(one.get("rexpr", {}))
            if "column_ref" in left and tree.same(left, right):
                return True
    return False


def _null_caller(model: Model, flow: Flow) -> str | None:
    """Return what goes wrong for a caller without a user id, if anything does."""
    for place, line in enumerate(flow.body.lines):
        for key, select in tree.walk(line.node) if line.node else ():
            if key == "select_stmt" and "where_clause" in select:
                for alternative in alternatives(select["where_clause"]) or ():
                    if any(_missing(model, flow, atom.node, atom.state) for atom in alternative):
                        return "a caller without a user id (auth.uid() is NULL) gets every row: `is null or` stands in its WHERE"
        if line.step.kind == "if" and line.node is not None and any(_missing(model, flow, a.node, a.state) for one in alternatives(line.node) or () for a in one):
            for after in flow.body.lines[place + 1:]:
                if after.step.kind in ("else", "end if", "if"):
                    break
                if after.step.kind in ("return query", "return next", "return") and after.node is not None and (tree.relations(after.node) or tree.boolean(after.node)):
                    return "a caller without a user id (auth.uid() is NULL) gets everything: the branch for it returns all"
    return None


def _missing(model: Model, flow: Flow, node: Node, state: str) -> bool:
    inner = tree.strip(node)
    if "null_test" not in inner:
        return False
    missing = (inner["null_test"]["nulltesttype"] == "IS_NULL") != (state == "negated")
    names = flow.names(inner)
    return missing and (model.reading.identifies(inner) or bool(names) and all(
        any(s.node is not None and not tree.relations(s.node) and model.reading.identifies(s.node) for s in flow.setters.get(n, ())) for n in names))


def _ordered_text(nodes: list[Node], column: str) -> bool:
    for key, one in tree.walk(nodes):
        if key == "a_expr" and one.get("kind") in ("AEXPR_OP", "AEXPR_OP_ANY") and tree.strings(one.get("name"))[-1:] in (("<",), (">",), ("<=",), (">=",)):
            for side in (one.get("lexpr", {}), one.get("rexpr", {})):
                cast = tree.strings(side.get("type_cast", {}).get("type_name", {}).get("names"))[-1:] == ("text",)
                if cast and any(name[-1] == column for name in tree.columns(side)):
                    return True
    return False
