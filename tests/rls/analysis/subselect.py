"""How a sub-select is tied to the row around it: by a whole key, by the tenant, or by less than that.

`exists (select 1 from document d where d.id = line.document_id)` says nothing where the key of a document is its tenant and its id, and clients choose
ids: a document of one's own with the same id opens the line. Nor does one alternative of several that compares the row with constants only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.rls.analysis import tree
from tests.rls.analysis.alternatives import Atom, alternatives
from tests.rls.analysis.reading import Reading
from tests.rls.analysis.tree import Name, Node
from tests.rls.catalog import Table

Pair = tuple[Table | None, str, str]
"""The table inside (None where it is no table), its column, and the column of the row outside."""


@dataclass(frozen=True)
class Outside:
    """The row around a sub-select."""

    table: Table
    tenant: frozenset[str]
    """The columns that are the tenant's id themselves."""
    users: frozenset[str]
    protected: frozenset[int]


class Subselects:
    """The sub-selects of an atom, judged."""

    def __init__(self, reading: Reading, outside: Outside, row_columns: Callable[[object, frozenset[str], bool], set[str]]) -> None:
        self.reading, self.outside, self.row_columns = reading, outside, row_columns

    def gap(self, node: Node) -> str:
        """Return what the sub-select an atom consists of leaves open: half-key, row (an alternative that compares no row inside), or nothing."""
        for link, test in _links(node):
            select = link.get("subselect", {}).get("select_stmt", {})
            if "from_clause" not in select or "larg" in select:
                continue
            inner = {alias: self._table(name) for name, alias in tree.relations(select["from_clause"])}
            inner |= {alias: None for alias in _aliases(select["from_clause"])}
            targets = [one["res_target"].get("val", {}) for one in select.get("target_list", [])]
            tested = [pair for outer, target in zip(test, targets, strict=False) if (pair := self._pair(target, outer, inner, tested=True)) is not None]
            conditions = [select["where_clause"]] if "where_clause" in select else []
            conditions += [one["quals"] for key, one in tree.walk({"top": {"from": select["from_clause"]}}) if key == "join_expr" and "quals" in one]
            whole: Node = {"bool_expr": {"boolop": "AND_EXPR", "args": conditions}}
            for alternative in (alternatives(whole) if conditions else [()]) or ():
                if found := self._judged(alternative, tested, inner, bool(test)):
                    return found
        return ""

    def _judged(self, alternative: tuple[Atom, ...], tested: list[Pair], inner: dict[str, Table | None], test: bool) -> str:
        pairs = tested + [pair for atom in alternative for pair in self._pairs(atom, inner)]
        touched = {c for atom in alternative for c in self.row_columns(atom.node, frozenset(inner), True)}
        if self.outside.tenant & (touched | {outer for _, _, outer in pairs}):
            return ""
        if pairs:
            return "" if self.outside.table.managed or any(self._sure(pair, pairs) for pair in pairs) else "half-key"
        if test or not touched:
            return ""
        tied = any(self.row_columns(a.node, frozenset(inner), True) and (self._inside(a.node, inner) or self._asks(a.node)) for a in alternative)
        return "" if tied or any(self._asks(a.node) for a in alternative) else "row"

    def _asks(self, node: Node) -> bool:
        return self.reading.identifies(node) or any(not f.managed and f.extension is None for f in self.reading.called(node))

    def _sure(self, pair: Pair, pairs: list[Pair]) -> bool:
        """Return whether a pair finds one row that a client cannot make a twin of."""
        table, column, outer = pair
        if table is None or table.oid not in self.outside.protected or outer in self.outside.users:
            return True
        paired = {c for one, c, _ in pairs if one is table}
        if any(i.unique and i.predicate is None and {*i.columns} <= paired for i in table.indexes) or any(k.columns == (column,) for k in table.foreign_keys):
            return True
        catalog = self.reading.catalog
        return not any(column in catalog.columns_with(role, table, privilege) for role in catalog.api_roles for privilege in ("INSERT", "UPDATE"))

    def _pairs(self, atom: Atom, inner: dict[str, Table | None]) -> Iterator[Pair]:
        node = tree.strip(atom.node)
        if atom.state != "plain" or tree.operator(node) != "=" or node["a_expr"]["kind"] != "AEXPR_OP":
            return
        left, right = (_items(node["a_expr"].get(side, {})) for side in ("lexpr", "rexpr"))
        for one, other in zip(left, right, strict=False):
            for inside, outer in ((one, other), (other, one)):
                if (pair := self._pair(inside, outer, inner)) is not None:
                    yield pair

    def _pair(self, inside: Node, outer: Node, inner: dict[str, Table | None], tested: bool = False) -> Pair | None:
        """Return the pair two sides make, if one is a column inside and the other a column of the row. `tested`: the other stands before IN."""
        a, b = (tree.strings(tree.strip(side).get("column_ref", {}).get("fields")) for side in (inside, outer))
        if not a or not b or not self._is_inner(a, inner) or not tested and self._is_inner(b, inner):
            return None
        if self.outside.table.column(b[-1]) is None or len(b) > 1 and b[-2] != self.outside.table.name:
            return None
        table = inner.get(a[-2]) if len(a) > 1 else next((t for t in inner.values() if t is not None and t.column(a[0]) is not None), None)
        return table, a[-1], b[-1]

    def _is_inner(self, name: Name, inner: dict[str, Table | None]) -> bool:
        return name[-2] in inner if len(name) > 1 else name[0] in inner or any(t is not None and t.column(name[0]) is not None for t in inner.values())

    def _inside(self, node: Node, inner: dict[str, Table | None]) -> bool:
        return any(self._is_inner(name, inner) for name in tree.columns(node))

    def _table(self, name: Name) -> Table | None:
        found = self.reading.relation(name)
        return found if isinstance(found, Table) else None


def _links(node: Node) -> Iterator[tuple[Node, list[Node]]]:
    """Yield the sub-select an atom is, with what is compared with its columns."""
    if "sub_link" in node:
        if node["sub_link"].get("sub_link_type") in ("EXISTS_SUBLINK", "ANY_SUBLINK"):
            yield node["sub_link"], _items(node["sub_link"].get("testexpr", {}))
        return
    whole = node.get("a_expr", {})
    if tree.operator(node) == "=":
        for one, other in (("lexpr", "rexpr"), ("rexpr", "lexpr")):
            link = tree.strip(whole.get(one, {})).get("sub_link", {})
            if link.get("sub_link_type") in ("EXPR_SUBLINK", "ARRAY_SUBLINK"):
                yield link, _items(whole.get(other, {}))


def _items(node: Node) -> list[Node]:
    return node["row_expr"].get("args", []) if "row_expr" in node else [node] if node else []


def _aliases(clause: object) -> set[str]:
    """Return the names of functions and sub-selects in a FROM clause."""
    return {one["alias"]["aliasname"] for key, one in tree.walk({"top": {"from": clause}}) if key in ("range_function", "range_subselect") and "alias" in one}
