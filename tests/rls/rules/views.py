"""Views that show rows past the policies of the tables below them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls.analysis import tree
from tests.rls.analysis.flow import Flow
from tests.rls.analysis.model import Model, act, persona
from tests.rls.catalog import Function, Table, View
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for view in context.catalog.own_views():
        roles = model.reachers(view, "SELECT", "INSERT", "UPDATE", "DELETE")
        if roles:
            yield from _judged(model, view, roles)
    for table in (*context.catalog.own_tables(), *context.catalog.own_views()):
        yield from _rules(model, context, table)
        for trigger in table.triggers if isinstance(table, View) else ():
            function = context.catalog.functions.get(trigger.function)
            if function is not None and function.definer and trigger.timing == "instead of" and _unchecked(model, function):
                yield Finding("instead-of-trigger-definer", table.label, trigger.events[0], persona("authenticated"),
                              f"INSTEAD OF trigger {trigger.name} on {table.label} writes as definer {function.label} without a tenant check", " ".join(function.source.split())[:500],
                              act("authenticated", f"-- {trigger.events[0]} a row of another tenant through {table.sql}"))


def _unchecked(model: Model, function: Function) -> bool:
    """Return whether a trigger's body asks the caller's membership nowhere: identity as a written value is no check."""
    closure = model.reading.closure([function])
    membership = model.membership
    return not any(membership in model.reading.read_tables(n) for f in closure for n in model.reading.body(f).nodes)


def _judged(model: Model, view: View, roles: list[str]) -> Iterator[Finding]:
    if view.kind == "m":
        hidden = _tables(model, view)
        if hidden:
            yield _found("materialized-view-readable", view, roles, f"materialized view over {', '.join(t.label for t in hidden)}: it holds rows of all tenants and cannot have row security")
        return
    if view.security_invoker:
        yield from _below(model, view, roles)
        return
    hidden = [t for t in _tables(model, view) if model.bypasses(view.owner, t)]
    problem = _problem(model, view)
    if hidden and problem:
        users = [t.label for t in hidden if t.oid == model.tenancy.users]
        more = f"; it shows {users[0]} (e-mail addresses, sign-ins) of everybody" if users else ""
        yield _found("definer-view", view, roles, f"definer view without security_invoker: it runs as its owner {view.owner}, so the policies of {', '.join(t.label for t in hidden)} do not apply{problem}{more}")
    elif hidden and view.updatable and (writers := model.reachers(view, "INSERT", "UPDATE", "DELETE")) and not view.option("check_option"):
        yield _found("updatable-definer-view", view, writers, f"updatable definer view without CHECK OPTION: writes pass to {hidden[0].label} as {view.owner}, past its policies", "insert")
    else:
        yield from _weak(model, view, roles, hidden)
    secret = [c.name for c in view.columns if _secret(c.name)]
    if hidden and secret and not problem and (readers := [r for r in roles if secret[0] in model.catalog.columns_with(r, view, "SELECT")]):
        yield _found("secret-column-in-view", view, readers, f"definer view shows secret column {', '.join(secret)}, which clients may not read in the table itself")


def _secret(name: str) -> bool:
    from tests.rls.rules.grants import NOT_SECRET, SECRET

    return bool(SECRET.search(name)) and not NOT_SECRET.search(name)


def _weak(model: Model, view: View, roles: list[str], hidden: list[Table]) -> Iterator[Finding]:
    """A definer view whose own filter rests on what the token says alone."""
    nodes = tree.statements(view.definition) or ()
    sources = {s for n in nodes for s in model.reading.sources(n)}
    for source, what in (("user_metadata", "user_metadata, which users write themselves"), ("header", "a request header"), ("setting", "a session setting"),
                         ("app_metadata", "app_metadata of the token (stale claim: a removed member keeps it)"), ("claim", "a claim of the token (stale: a removed member keeps it)")):
        if hidden and source in sources and "uid" not in sources and not (model.tenancy.claims_by_design and source in ("app_metadata", "claim")):
            yield _found("definer-view-weak-filter", view, roles, f"definer view over {hidden[0].label} filtered only by {what}")
            return


def _below(model: Model, view: View, roles: list[str]) -> Iterator[Finding]:
    """An invoker view: what it reads, it reads as the caller; a definer or materialized view below it does not."""
    seen: set[int] = set()
    todo = [*view.depends_on]
    while todo:
        oid = todo.pop()
        inner = model.catalog.views.get(oid)
        if inner is None or oid in seen:
            continue
        seen.add(oid)
        if inner.kind == "m" or not inner.security_invoker:
            hidden = [t for t in _tables(model, inner) if inner.kind == "m" or model.bypasses(inner.owner, t)]
            if hidden and (inner.kind == "m" or _problem(model, inner)):
                word = "materialized view" if inner.kind == "m" else "definer view"
                yield _found("invoker-view-over-definer-view", view, roles,
                             f"security_invoker view over the {word} {inner.label} in schema {inner.schema}: below it {', '.join(t.label for t in hidden)} is read as {inner.owner}, past its policies")
        else:
            todo += inner.depends_on
    for oid in view.functions:
        function = model.catalog.functions.get(oid)
        if function is not None and function.definer and not function.managed and (problems := Flow(model, function).problems()):
            yield _found("view-calls-definer", view, roles, f"calls the definer function {function.label}, which reaches {problems[0].relation.label} past its policies without asking who the caller is")


def _tables(model: Model, view: View) -> list[Table]:
    """Return the tables with somebody's rows that a view reads, through any number of views."""
    found: dict[int, Table] = {}
    todo, seen = [*view.depends_on], set()
    while todo:
        oid = todo.pop()
        if oid in seen:
            continue
        seen.add(oid)
        if (table := model.catalog.tables.get(oid)) is not None:
            if model.belongs(table):
                found[oid] = table
        elif (inner := model.catalog.views.get(oid)) is not None:
            todo += inner.depends_on
    return list(found.values())


def _problem(model: Model, view: View) -> str:
    """Return why a view's own WHERE does not tie its rows to the caller; empty where it does."""
    as_function = Function(
        oid=-view.oid, schema=view.schema, name=view.name, kind="f", arguments=(), outputs=(), returns="record", returns_set=True, language="sql", definer=True, volatility="stable", strict=False,
        leakproof=False, source=view.definition, definition="", config=(), owner=view.owner, grants=(), comment=None, managed=False, extension=None)
    problems = Flow(model, as_function).problems()
    return "" if not problems else "; its own WHERE asks only that the caller is signed in" if problems[0].kind == "signed-in" else "; it has no filter of its own"


def _rules(model: Model, context: Context, relation: Table | View) -> Iterator[Finding]:
    rules = context.conn.execute("select rulename, definition from pg_rules where schemaname = %s and tablename = %s", (relation.schema, relation.name)).fetchall() if _has_rules(context, relation) else []
    for name, definition in rules:
        roles = model.reachers(relation, "SELECT", "INSERT", "UPDATE", "DELETE")
        if roles:
            yield _found("rewrite-rule", relation, roles, f"rewrite rule {name} runs its action as the owner {relation.owner}, so no policy applies to what it reads or writes", evidence=definition)


def _has_rules(context: Context, relation: Table | View) -> bool:
    known = context.__dict__.get("_rewritten")
    if known is None:
        known = context.__dict__["_rewritten"] = {oid for (oid,) in context.conn.execute("select ev_class::int8 from pg_rewrite where rulename <> '_RETURN' and ev_class >= 16384")}
    return relation.oid in known


def _found(name: str, relation: Table | View, roles: list[str], what: str, command: str = "select", evidence: str = "") -> Finding:
    role = "anon" if "anon" in roles else roles[-1]
    definition = evidence or (relation.definition if isinstance(relation, View) else "")
    return Finding(name, relation.label, command, persona(role), f"view {relation.label}: {what}" if isinstance(relation, View) else f"{relation.label}: {what}",
                   f"owner {relation.owner}; {' '.join(definition.split())[:500]}", act(role, f"select * from {relation.sql};" if command == "select" else f"-- {command} through {relation.sql}"))
