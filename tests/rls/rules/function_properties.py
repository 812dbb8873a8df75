"""What a function is declared to be and is not: an unpinned search_path, IMMUTABLE, LEAKPROOF, row security switched off, PUBLIC may run it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls.analysis import tree
from tests.rls.analysis.model import Model, act
from tests.rls.analysis.reading import IDENTITY
from tests.rls.catalog import PUBLIC, Function
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for function in context.catalog.own_functions():
        if function.kind in "fp":
            for name, what, evidence in _flaws(model, function):
                call = f"select {function.sql}({', '.join(f'null::{a.type}' for a in function.arguments)});"
                yield Finding(name, function.label, "execute", "anonymous" if name == "public-execute" else "any", f"function {function.label}: {what}", evidence,
                              act(model.roles[0] if name == "public-execute" and model.roles else "authenticated", call))


def _flaws(model: Model, function: Function) -> Iterator[tuple[str, str, str]]:
    body = model.reading.body(function)
    settings = dict(one.partition("=")[::2] for one in function.config)
    if function.definer:
        yield from _search_path(model, function)
    if function.leakproof:
        yield ("function-leakproof", "marked LEAKPROOF, so the planner may run it on rows before the policy has hidden them", "proleakproof")
    if settings.get("row_security", "").lower() in ("off", "false", "0", "no"):
        yield ("function-row-security-off", "sets row_security = off for itself", str(function.config))
    if "role" in settings:
        yield ("function-sets-role", f"sets role = {settings['role']} for itself, so it runs as that role", str(function.config))
    if function.volatility == "immutable" and (model.reading.function_sources(function) & (IDENTITY | {"raw"}) or any(model.belongs(t) for n in body.nodes for t in model.reading.read_tables(n) if t.kind in "rp")):
        yield ("function-immutable-identity", "marked IMMUTABLE although its result depends on who asks: it is worked out when the plan is made and kept for the next person", "provolatile = i")
    if _public(model, function):
        yield ("public-execute", "EXECUTE is left with PUBLIC although it was given to named roles: REVOKE … FROM anon does not take away what PUBLIC has, so anon and every role may call it",
               f"acl: {', '.join(f'{g.grantee}={g.privilege}' for g in function.grants)}")


def _search_path(model: Model, function: Function) -> Iterator[tuple[str, str, str]]:
    path = function.search_path
    if path is None:
        yield ("definer-search-path", "SECURITY DEFINER without a pinned search_path: its names are looked up where the caller says", "no search_path in proconfig")
        return
    schemas = [part.strip().strip('"') for part in path.split(",") if part.strip().strip('"')]
    creators = [s for s in schemas if s in model.catalog.schemas and any("CREATE" in model.catalog.privileges(role, model.catalog.schemas[s]) for role in model.roles)]
    if creators:
        yield ("definer-search-path", f"SECURITY DEFINER with search_path {path}, and clients may create objects in {', '.join(creators)}", f"search_path={path}")
    elif schemas and "pg_temp" not in schemas and model.callers(function) and _unqualified(model, function) and _temporary(model):
        yield ("definer-search-path", f"SECURITY DEFINER with search_path {path}, which leaves pg_temp first: a temporary table of the caller's takes the place of "
               f"{', '.join(_unqualified(model, function))}", f"search_path={path}")


def _unqualified(model: Model, function: Function) -> list[str]:
    """Return the tables a body names without a schema."""
    nodes = model.reading.body(function).nodes
    ctes = {one.get("ctename") for key, one in tree.walk(nodes) if key == "common_table_expr"}
    return sorted({name[0] for name, _ in tree.relations(nodes) if len(name) == 1 and name[0] not in ctes and model.reading.relation(name) is not None})


def _temporary(model: Model) -> bool:
    """Return whether a client may make temporary tables."""
    held = set().union(*(model.catalog.acting_as(role) for role in model.roles)) if model.roles else set()
    return any(g.privilege == "TEMPORARY" and g.grantee in held for g in model.catalog.database_grants)


def _public(model: Model, function: Function) -> bool:
    """Return whether PUBLIC kept EXECUTE on a function somebody meant for some roles only."""
    anonymous = model.catalog.anon_role
    if function.is_trigger or PUBLIC not in {g.grantee for g in function.grants if g.privilege == "EXECUTE"}:
        return False
    if anonymous not in model.roles or not model.catalog.may_use(anonymous, function.schema):
        return False
    named = {g.grantee for g in function.grants} - {PUBLIC, function.owner}
    tables = [t for n in model.reading.body(function).nodes for t in model.reading.read_tables(n)]
    siblings = [f for f in model.catalog.own_functions() if f.schema == function.schema and f.oid != function.oid and not f.is_trigger]
    closed = [f for f in siblings if PUBLIC not in {g.grantee for g in f.grants}]
    if not (function.definer or tables):
        return False
    return bool(named) and anonymous not in named and function.definer or len(closed) > len(siblings) / 2
