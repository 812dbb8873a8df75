"""A condition rewritten as alternatives: an OR of ANDs.

A row is visible when one alternative holds, so every alternative must tie the row to the caller; one that does not is the hole, whatever the
others say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from tests.rls.analysis import tree
from tests.rls.analysis.tree import Node

MOST = 200


@dataclass(frozen=True)
class Atom:
    """One condition without AND, OR and NOT in it. `state`: plain, negated, or null (holds where the condition is neither true nor false)."""

    node: Node
    state: str = "plain"


def alternatives(node: Node, negated: bool = False) -> list[tuple[Atom, ...]] | None:
    """Return the alternatives of a condition: [] never holds, [()] always does. None where there are too many to look at."""
    try:
        return _or(node, negated)
    except OverflowError:
        return None


def _all(parts: Iterable[list[tuple[Atom, ...]]]) -> list[tuple[Atom, ...]]:
    found: list[tuple[Atom, ...]] = [()]
    for part in parts:
        found = [(*left, *right) for left, right in product(found, part)]
        if len(found) > MOST:
            raise OverflowError
    return found


def _any(parts: Iterable[list[tuple[Atom, ...]]]) -> list[tuple[Atom, ...]]:
    return [one for part in parts for one in part]


def _or(node: Node, negated: bool) -> list[tuple[Atom, ...]]:
    if (truth := tree.boolean(node)) is not None:
        return [()] if truth != negated else []
    if tree.is_null(node):
        return []
    if (inner := tree.bare_select(node)) is not None:
        return _or(inner, negated)
    what, parts = tree.kind(node), tree.body(node)
    if what == "type_cast" and tree.strings(parts["type_name"].get("names"))[-1:] == ("bool",) and "coalesce_expr" in parts.get("arg", {}):
        return _or(parts["arg"], negated)
    if what == "bool_expr":
        if parts["boolop"] == "NOT_EXPR":
            return _or(parts["args"][0], not negated)
        branches = [_or(one, negated) for one in parts["args"]]
        return _all(branches) if (parts["boolop"] == "AND_EXPR") != negated else _any(branches)
    if what == "coalesce_expr":
        *first, last = parts["args"]
        found = _any(_or(one, negated) for one in first)
        if tree.boolean(last) is not None:
            return found + ([(Atom(first[0], "null"),)] if tree.boolean(last) != negated else [])
        return found + _or(last, negated)
    if what == "boolean_test":
        test = parts["booltesttype"]
        flip = test in ("IS_FALSE", "IS_NOT_TRUE")
        lax = (test in ("IS_NOT_FALSE", "IS_NOT_TRUE")) != negated
        return _or(parts["arg"], flip != negated) + ([(Atom(parts["arg"], "null"),)] if lax and test.startswith("IS_") and "UNKNOWN" not in test else [])
    if what == "case_expr" and "arg" not in parts:
        found, before = [], []
        for when in parts["args"]:
            condition = when["case_when"]
            found.append(_all([*before, _or(condition["expr"], False), _or(condition["result"], negated)]))
            before.append(_or(condition["expr"], True))
        if "defresult" in parts:
            found.append(_all([*before, _or(parts["defresult"], negated)]))
        return _any(found)
    if what == "a_expr" and _constant_truth(node) is not None:
        return [()] if _constant_truth(node) != negated else []
    return [(Atom(node, "negated" if negated else "plain"),)]


def _constant_truth(node: Node) -> bool | None:
    """Return the truth of `1 = 1`; None where a value is not constant."""
    left, right = (tree.strip(node["a_expr"].get(side, {})) for side in ("lexpr", "rexpr"))
    if tree.kind(left) == tree.kind(right) == "a_const" and node["a_expr"]["kind"] == "AEXPR_OP" and tree.operator(node) in ("=", "<>"):
        return tree.same(left, right) == (tree.operator(node) == "=")
    return None
