"""Parse trees of SQL text, by PostgreSQL's own parser, and the few ways rules look at them.

A node is a dict with one key, its type: `{"a_expr": {...}}`. What cannot be parsed is None, and a rule must not call that safe or unsafe.
"""

from __future__ import annotations

from collections.abc import Iterator
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


def walk(node: Any) -> Iterator[tuple[str, Node]]:
    """Yield every (type, body) of a tree, the outer first."""
    if isinstance(node, list | tuple):
        for one in node:
            yield from walk(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, dict):
                yield key, value
            yield from walk(value)


def strings(items: list[Node] | None) -> Name:
    return tuple(one["string"].get("sval", "") for one in items or () if "string" in one)


def columns(node: Any) -> list[Name]:
    """Return every column reference: ('org_id',), ('m', 'org_id')."""
    return [strings(found.get("fields")) for key, found in walk(node) if key == "column_ref" and strings(found.get("fields"))]


def calls(node: Any) -> list[tuple[Name, list[Node]]]:
    """Return every function call with its arguments."""
    return [(strings(found.get("funcname")), found.get("args", [])) for key, found in walk(node) if key == "func_call"]


def relations(node: Any) -> list[tuple[Name, str]]:
    """Return every relation that is named, with its alias (or its own name)."""
    found = []
    for key, one in walk(node):
        if key in ("range_var", "relation") and "relname" in one:
            name = (one["schemaname"], one["relname"]) if one.get("schemaname") else (one["relname"],)
            found.append((name, one.get("alias", {}).get("aliasname", one["relname"])))
    return found


def constants(node: Any) -> list[str]:
    """Return every text constant."""
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

