"""Ways around a closed secret column: a function that returns the row, a generated column that copies it, the vault read by an owner for whoever asks."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls.analysis import tree
from tests.rls.analysis.model import Model, act, persona
from tests.rls.analysis.reading import IDENTITY
from tests.rls.analysis.tree import Node
from tests.rls.catalog import Column, Function, Table, View
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.rules.grants import NOT_SECRET, SECRET

VAULT = {"vault", "pgsodium"}
OF_VAULT = {"decrypted_secret", "secret", "raw_key"}
DIGESTS = {"sha256", "sha512", "sha384", "sha224", "md5", "digest", "hmac", "crypt", "length", "octet_length", "char_length"}
CUTS = {"left", "right", "substr", "substring"}
SHORT = 6
"""As many characters of a secret may be shown, so that people know which one it is."""


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for view in context.catalog.own_views():
        readers = model.reachers(view, "SELECT")
        if readers and (view.kind == "m" or not view.security_invoker) and any(_gives_vault(node) for node in tree.statements(view.definition) or ()):
            yield _vault("view", view, readers[-1], view.definition, f"select * from {view.sql};")
    for function in context.catalog.own_functions():
        callers = model.callers(function)
        if function.definer and callers and not function.is_trigger:
            yield from _returned(model, function, callers)
    # The catalog keeps no expression of a generated column: it is no default.
    made = {(oid, name): text for oid, name, text in context.conn.execute(
        "select d.adrelid::int8, a.attname, pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where a.attgenerated <> ''")}
    for table in model.tables:
        for role in model.roles:
            yield from _copied(model, table, role, {name: text for (oid, name), text in made.items() if oid == table.oid})


def _secret(name: str) -> bool:
    return bool(SECRET.search(name)) and not NOT_SECRET.search(name)


def _gives_vault(node: Node | None, variables: frozenset[str] = frozenset()) -> bool:
    """Return whether a statement's columns hold what the vault keeps."""
    for key, select in tree.walk({"top": node} if node else {}):
        targets = [one["res_target"].get("val", {}) for one in select.get("target_list", []) if "res_target" in one] if key == "select_stmt" else []
        named = {name[-1] for target in targets for name in tree.columns(target)}
        every = any(one == "a_star" for target in targets for one, _ in tree.walk(target))
        if (named & OF_VAULT or every) and any(name[0] in VAULT for name, _ in tree.relations(select.get("from_clause"))):
            return True
    return bool(variables & {name[0] for name in tree.columns(node)}) if node and variables else False


def _returned(model: Model, function: Function, callers: list[str]) -> Iterator[Finding]:
    body = model.reading.body(function)
    held = frozenset(target for line in body.lines for target in line.step.targets if _gives_vault(line.node))
    answers = [line for line in body.lines if line.step.kind in ("return", "return query", "return next")] if function.language == "plpgsql" else body.lines[-1:]
    if function.returns != "void" and any(_gives_vault(line.node, held) for line in answers) and not model.reading.function_sources(function) & (IDENTITY | {"raw"}):
        yield _vault("function", function, callers[-1], function.source, f"select {function.sql}({', '.join(f'<a name>::{a.type}' for a in function.arguments)});")
    named = {name[-1] for node in body.nodes for name in tree.columns(node)}
    every = any(key == "a_star" for node in body.nodes for key, _ in tree.walk(node))
    for table in model.tables:
        closed = [c.name for c in table.columns if _secret(c.name) and not any(c.name in model.catalog.columns_with(r, table, "SELECT") for r in callers)]
        shown = [c for c in closed if c in named or every] if function.returns == table.label else []
        shown += [c for c in closed if c in function.outputs and c in named and table in [r for n in body.nodes for r in model.reading.read_tables(n)]]
        if shown and not any(key in ("insert_stmt", "update_stmt") for node in body.nodes for key, _ in tree.walk({"top": node})):
            yield Finding("secret-column-in-function", function.label, "execute", "member", f"definer function {function.label} returns secret column {', '.join(shown)} of {table.label}, which clients may not read in the table itself",
                          " ".join(function.source.split())[:600], act(callers[-1], f"select * from {function.sql}({', '.join(f'<of the own tenant>::{a.type}' for a in function.arguments)});", sub="<a member>"))


def _copied(model: Model, table: Table, role: str, made: dict[str, str]) -> Iterator[Finding]:
    readable = model.catalog.columns_with(role, table, "SELECT") if model.reaches(role, table, "SELECT") else set()
    for column in table.columns:
        node = tree.expression(made.get(column.name)) if column.name in readable and not _secret(column.name) else None
        sources = [c for c in table.columns if _secret(c.name) and c.name not in readable]
        for source in sources if node is not None else ():
            if _legible(node, source):
                yield Finding("secret-copied", table.label, "select", persona(role), f"table {table.label}: generated column {column.name} copies secret column {source.name}, which clients may not read",
                              f"generated always as ({made[column.name]})", act(role, f'select "{column.name}" from {table.sql};'))


def _legible(node: Node, source: Column) -> bool:
    """Return whether more than a hint of a column can be read in a value made of it."""
    if "null_test" in node or "func_call" in node and tree.strings(node["func_call"].get("funcname"))[-1:] and tree.strings(node["func_call"]["funcname"])[-1] in DIGESTS:
        return False
    if "func_call" in node and tree.strings(node["func_call"].get("funcname"))[-1] in CUTS:
        numbers = [one.get("ival", {}).get("ival", 0) for key, one in tree.walk(node) if key == "a_const" and "ival" in one]
        if numbers and abs(numbers[-1]) <= SHORT:
            return False
    if "column_ref" in node:
        return tree.strings(node["column_ref"].get("fields"))[-1:] == (source.name,)
    parts = [part for value in tree.body(node).values() for part in (value if isinstance(value, list) else [value]) if isinstance(part, dict)]
    return any(_legible(part, source) for part in parts)


def _vault(word: str, thing: View | Function, role: str, text: str, statement: str) -> Finding:
    return Finding(f"platform-secret-in-{word}", thing.label, "select" if word == "view" else "execute", persona(role),
                   f"{word} {thing.label} shows decrypted secrets of the vault as its owner {thing.owner} to whoever asks", " ".join(text.split())[:500], act(role, statement))
