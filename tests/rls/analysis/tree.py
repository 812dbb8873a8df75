"""Parse trees of SQL text, by PostgreSQL's own parser, and the few ways rules look at them.

A node is a dict with one key, its type: `{"a_expr": {...}}`. What cannot be parsed is None, and a rule must not call that safe or unsafe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import postgast
from google.protobuf.json_format import MessageToDict

Node = dict[str, Any]
Name = tuple[str, ...]


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[Node, ...] | None:
    try:
        found = MessageToDict(postgast.parse(text), preserving_proto_field_name=True)
    except (postgast.PgQueryError, UnicodeError, RecursionError):
        return None
    return tuple(one["stmt"] for one in found.get("stmts", ()) if "stmt" in one)


def statements(text: str) -> tuple[Node, ...] | None:
    """Return the statements of a text, or None where it is not SQL."""
    return _parsed(text)


def expression(text: str | None) -> Node | None:
    """Return one expression, or None."""
    if not text:
        return None
    parsed = _parsed(f"select ({text})")
    if not parsed or "select_stmt" not in parsed[0]:
        return None
    targets = parsed[0]["select_stmt"].get("target_list", [])
    return targets[0]["res_target"]["val"] if len(targets) == 1 else None


def kind(node: Node) -> str:
    return next(iter(node), "")


def body(node: Node) -> Node:
    return next(iter(node.values()), {})


def walk(node: Any) -> Sequence[tuple[str, Node]]:
    """Return every (type, body) of a tree, the outer first."""
    if isinstance(node, dict):
        return _remembered("walk", node, _walked)
    return [one for part in node for one in walk(part)] if isinstance(node, list | tuple) else ()


def _walked(node: Node) -> tuple[tuple[str, Node], ...]:
    found: list[tuple[str, Node]] = []
    todo: list[Any] = [node]
    while todo:
        one = todo.pop()
        if isinstance(one, tuple):
            found.append(one)
            one = one[1]
        todo += reversed([(key, value) if isinstance(value, dict) else value for key, value in one.items() if isinstance(value, dict | list)] if isinstance(one, dict)
                         else [part for part in one if isinstance(part, dict | list)])
    return tuple(found)


# Rules ask the same trees again and again. An entry keeps its tree, so that an id is never another tree's.
_known: dict[tuple[str, int], tuple[Any, Any]] = {}
MOST_KNOWN = 300_000


def _remembered(question: str, node: Node, answer: Callable[[Any], Any]) -> Any:
    known = _known.get((question, id(node)))
    if known is None:
        if len(_known) > MOST_KNOWN:
            _known.clear()
        known = _known[question, id(node)] = (node, answer(node))
    return known[1]


def strings(items: list[Node] | None) -> Name:
    return tuple(one["string"].get("sval", "") for one in items or () if "string" in one)


def columns(node: Any) -> list[Name]:
    """Return every column reference: ('org_id',), ('m', 'org_id')."""
    return _remembered("columns", node, _columns) if isinstance(node, dict) else _columns(node)


def _columns(node: Any) -> list[Name]:
    return [strings(found.get("fields")) for key, found in walk(node) if key == "column_ref" and strings(found.get("fields"))]


def calls(node: Any) -> list[tuple[Name, list[Node]]]:
    """Return every function call with its arguments."""
    return _remembered("calls", node, _calls) if isinstance(node, dict) else _calls(node)


def _calls(node: Any) -> list[tuple[Name, list[Node]]]:
    return [(strings(found.get("funcname")), found.get("args", [])) for key, found in walk(node) if key == "func_call"]


def relations(node: Any) -> list[tuple[Name, str]]:
    """Return every relation that is named, with its alias (or its own name)."""
    return _remembered("relations", node, _relations) if isinstance(node, dict) else _relations(node)


def _relations(node: Any) -> list[tuple[Name, str]]:
    found = []
    for key, one in walk(node):
        if key in ("range_var", "relation") and "relname" in one:
            name = (one["schemaname"], one["relname"]) if one.get("schemaname") else (one["relname"],)
            found.append((name, one.get("alias", {}).get("aliasname", one["relname"])))
    return found


def constants(node: Any) -> list[str]:
    """Return every text constant."""
    return _remembered("constants", node, _constants) if isinstance(node, dict) else _constants(node)


def _constants(node: Any) -> list[str]:
    return [found["sval"].get("sval", "") for key, found in walk(node) if key == "a_const" and "sval" in found]


def is_null(node: Node) -> bool:
    return bool(strip(node).get("a_const", {}).get("isnull"))


def boolean(node: Node) -> bool | None:
    """Return the truth of a boolean constant, None for anything else."""
    const = strip(node).get("a_const", {})
    if "boolval" in const:
        return bool(const["boolval"].get("boolval", False))
    cast = node.get("type_cast")
    if cast and strings(cast["type_name"].get("names"))[-1:] == ("bool",):
        return {"true": True, "t": True, "false": False, "f": False}.get(const.get("sval", {}).get("sval", ""))
    return None


def strip(node: Node) -> Node:
    """Return what is inside casts, and inside a bare `(select x)`, which PostgreSQL evaluates once."""
    while True:
        if "type_cast" in node:
            node = node["type_cast"].get("arg", {})
        elif "sub_link" in node and (inner := bare_select(node)) is not None:
            node = inner
        else:
            return node


def bare_select(node: Node) -> Node | None:
    """Return x of `(select x)` without FROM or WHERE, else None."""
    link = node.get("sub_link", {})
    if link.get("sub_link_type") != "EXPR_SUBLINK":
        return None
    select = link.get("subselect", {}).get("select_stmt", {})
    targets = select.get("target_list", [])
    if len(targets) != 1 or any(key in select for key in ("from_clause", "where_clause", "larg", "values_lists", "with_clause")):
        return None
    return targets[0].get("res_target", {}).get("val")


def operator(node: Node) -> str:
    """Return the operator of an `a_expr`: '=', '<>', '~~', ..."""
    names = strings(node.get("a_expr", {}).get("name"))
    return names[-1] if names else ""


def same(left: Any, right: Any) -> bool:
    """Return whether two trees say the same, wherever they stand in the text."""
    return bool(_bare(left) == _bare(right))


def _bare(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _bare(value) for key, value in node.items() if key not in ("location", "stmt_len", "stmt_location")}
    return [_bare(one) for one in node] if isinstance(node, list) else node

