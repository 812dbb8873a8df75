"""What a condition binds a row to: for each of its alternatives, the facts that hold in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.rls.analysis import tree
from tests.rls.analysis.alternatives import Atom, alternatives
from tests.rls.analysis.reading import IDENTITY, Reading
from tests.rls.analysis.subselect import Outside, Subselects
from tests.rls.analysis.tree import Node
from tests.rls.catalog import Function, Relation, Table

TRUSTED = frozenset({"uid", "email"})
SHARING = re.compile(r"(^|_)(is_)?(public|shared|published|template|global|demo|listed|open|visib\w*|everyone)(_|$)", re.I)
SHARED_VALUES = frozenset({"public", "shared", "everyone", "global", "template"})
PATTERNS = frozenset({"~~", "~~*", "~", "~*", "^@"})
ORDERING = frozenset({"<", ">", "<=", ">="})
# What gives different values for different tenants.
FAITHFUL = frozenset({"lower", "upper", "btrim", "ltrim", "rtrim", "md5", "sha256", "sha512", "digest", "encode", "decode", "convert_to", "to_jsonb", "to_json", "concat", "concat_ws", "format", "jsonb_build_object",
                      "jsonb_build_array", "quote_literal", "array_append", "unnest", "uid", "jwt"})
PATTERN_FUNCTIONS = frozenset({"starts_with", "strpos", "position", "regexp_like", "regexp_match", "similarity"})


@dataclass(frozen=True)
class Target:
    """The rows a condition is about."""

    table: Table
    binding: frozenset[str]
    """Columns that tie a row to a tenant, a user or a parent row."""
    tenant: frozenset[str]
    """Those of them that tie it to a tenant, itself or through a parent."""
    membership: int | None
    protected: frozenset[int]
    """Oids of relations with row security of their own that shows the caller only what is theirs."""
    own: frozenset[str] = frozenset()
    """The columns that are the tenant's id themselves."""
    users: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fact:
    """What one atom says. Kinds: bound; identity (says who asks, names no row); membership (a member of something, which is not said);
    email (the domain of an address nobody confirmed); half-key (a parent found by less than its key); uncorrelated (rows that are neither this one nor the caller's); request (its method or path); signed-in; anonymous; captured; tautology; tenant-null; null-pass; deny-list; unasking (a definer helper that does not know the caller); aal; row;
    shared; time; service; other."""

    kind: str
    columns: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    flaw: str = ""
    """pattern, ordering, lossy or null-matches-null for a binding by something else than equality."""
    functions: tuple[Function, ...] = ()


Alternative = tuple[Fact, ...]


class Predicate:
    """The conditions on the rows of one table, read."""

    def __init__(self, reading: Reading, target: Target) -> None:
        self.reading, self.target = reading, target
        self.subselects = Subselects(reading, Outside(target.table, target.own, target.users, target.protected), self.row_columns)

    def alternatives(self, text: str | None) -> list[Alternative] | None:
        """Return the alternatives as facts, or None where the text cannot be read. No text always holds."""
        if text is None:
            return [()]
        node = tree.expression(text)
        found = alternatives(node) if node is not None else None
        return None if found is None else [tuple(self.fact(atom) for atom in one) for one in found]

    def row_columns(self, node: object, inner: frozenset[str] = frozenset(), inside: bool = False) -> set[str]:
        """Return the columns of the row itself that a tree names, not those of tables inside sub-selects."""
        if isinstance(node, list):
            return {column for one in node for column in self.row_columns(one, inner, inside)}
        if not isinstance(node, dict):
            return set()
        found: set[str] = set()
        for key, value in node.items():
            if key == "column_ref":
                name = tree.strings(value.get("fields"))
                if (len(name) == 1 and not inside) or (len(name) > 1 and name[-2] == self.target.table.name and name[-2] not in inner):
                    found.add(name[-1])
            elif key == "select_stmt" and isinstance(value, dict) and "from_clause" in value:
                found |= self.row_columns(value, inner | {alias for _, alias in tree.relations(value["from_clause"])}, True)
            else:
                found |= self.row_columns(value, inner, inside)
            if key == "func_call" and tree.strings(value.get("funcname"))[-2:] == ("realtime", "topic"):
                found.add("topic")
        return found

    def fact(self, atom: Atom) -> Fact:
        """Return what an atom says about a row."""
        node = tree.strip(atom.node)
        columns, sources = frozenset(self.row_columns(node)), self.reading.sources(node)
        functions = tuple(self.reading.called(node))
        inner = self.reading.read_tables([one for key, one in tree.walk(node) if key == "select_stmt"])
        knows = bool(sources & IDENTITY)

        def told(kind: str, flaw: str = "") -> Fact:
            return Fact(kind, columns, sources, flaw, functions)

        if _captured(node):
            return told("captured")
        if atom.state == "null":
            return told("null-pass" if knows or columns & self.target.binding else "row" if columns else "other")
        if sources & {"aal", "session"} and not columns and not knows and not inner:
            return told("aal")
        if "null_test" in node:
            return told(self._null_test(node, columns, knows, missing=(node["null_test"]["nulltesttype"] == "IS_NULL") != (atom.state == "negated")))
        if _tautology(node, self.row_columns):
            return told("tautology")
        negative = (atom.state == "negated") != (tree.operator(node) in ("<>", "!~~", "!~~*") or "AEXPR_DISTINCT" == node.get("a_expr", {}).get("kind"))
        if columns and ("uid" in sources or _own_address(node, sources)) or columns & self.target.binding and (knows or any(one.oid in self.target.protected for one in inner)):
            return told("deny-list") if negative else told(self.subselects.gap(node) or "bound", self._flaw(node, columns))
        if not columns and knows:
            return told(self._caller(node, functions, [one.oid for one in inner]))
        if sources & {"role"} and not columns:
            return told("service" if "service_role" in tree.constants(node) else "signed-in")
        own = [f for f in functions if not f.managed and f.extension is None]
        if columns & self.target.binding and own and not inner:
            return told(self._asked(own))
        if columns:
            shared = columns and all(SHARING.search(c) for c in columns) or {*tree.constants(node)} & SHARED_VALUES
            return told("other" if own and not inner else "shared" if shared and not negative else "row")
        if not functions and "sub_link" in node and self.target.membership not in {one.oid for one in inner} and inner and all(self._shows_others(one) for one in inner):
            return told("uncorrelated")
        if "request" in sources:
            return told("request")
        timed = any(key == "sqlvalue_function" for key, _ in tree.walk(node)) or any(name[-1] in ("now", "clock_timestamp", "statement_timestamp") for name, _ in tree.calls(node))
        return told("membership" if self.target.membership in {one.oid for one in inner} else "time" if timed and not functions else "other")

    def _shows_others(self, relation: Relation) -> bool:
        """Return whether a table with row security shows the caller rows of other people: a policy of it asks a helper or another table."""
        policies = [p for p in relation.policies if p.permissive and p.covers("select")] if isinstance(relation, Table) and relation.oid in self.target.protected else []
        nodes = [node for p in policies if (node := tree.expression(p.using)) is not None]
        return any(self.reading.read_tables(node) or any(not f.managed for f in self.reading.called(node)) for node in nodes)

    def _null_test(self, node: Node, columns: frozenset[str], knows: bool, missing: bool) -> str:
        if knows and not columns:
            return "anonymous" if missing else "signed-in"
        return "tenant-null" if missing and columns & self.target.tenant else "row" if columns else "other"

    def _asked(self, functions: list[Function]) -> str:
        """Return what a helper says that does not know who asks: bound when it reads as the caller, under the policies of what it reads."""
        for function in self.reading.closure(functions):
            tables = [t for node in self.reading.body(function).nodes for t in self.reading.read_tables(node) if isinstance(t, Table)]
            if tables and not function.definer and any(t.oid in self.target.protected for t in tables):
                return "bound"
            if tables:
                return "unasking"
        return "other"

    def _caller(self, node: Node, functions: tuple[Function, ...], inner: list[int]) -> str:
        """Return what is said about the caller alone: a member of something, or something else about the person."""
        tables = {relation.oid for f in self.reading.closure(functions) for relation in self.reading.read_tables(self.reading.body(f).nodes)}
        if self.target.membership is not None and self.target.membership in {*inner, *tables} or {*inner} & {k.references for k in self.target.table.foreign_keys} & self.target.protected:
            return "membership"
        if any(name[-1] in ("jsonb_array_length", "json_array_length", "array_length", "cardinality") for name, _ in tree.calls(node)) and tree.operator(node) in ("=", "<", "<="):
            return "null-pass"
        if self.reading.sources(node) == {"email"} and (node.get("a_expr", {}).get("kind") in ("AEXPR_LIKE", "AEXPR_ILIKE") or tree.operator(node) in PATTERNS or any(
                name[-1] in ("split_part", "substring", "right") for name, _ in tree.calls(node))):
            return "email"
        compared = "a_expr" in node and node["a_expr"]["kind"] == "AEXPR_OP" and tree.operator(node) == "<>" and not inner and not self.reading.sources(node) - {"uid"}
        return "signed-in" if compared else "identity"

    def _flaw(self, node: Node, columns: frozenset[str]) -> str:
        whole = node.get("a_expr", {})
        sign = tree.operator(node)
        if "name" in columns and self.target.table.label == "storage.objects":
            return ""
        if whole.get("kind") in ("AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_SIMILAR") or sign in PATTERNS:
            return "pattern"
        if any(name[-1] in PATTERN_FUNCTIONS and len(name) < 3 for name, _ in tree.calls([node.get("func_call") and node, whole.get("lexpr")])) and not whole.get("kind") == "AEXPR_OP_ANY":
            return "pattern"
        if whole.get("kind") == "AEXPR_OP" and sign in ORDERING:
            return "ordering"
        if not self.target.table.managed and self._lossy(node):
            return "lossy"
        nullable = any((column := self.target.table.column(name)) is not None and not column.not_null for name in columns)
        return "null-matches-null" if whole.get("kind") == "AEXPR_NOT_DISTINCT" and nullable else ""

    def _lossy(self, node: Node) -> bool:
        """Return whether the tenant is compared by a part or a digest of it: many tenants have the same."""
        for key, one in tree.walk({"top": node}):
            if key == "a_expr" and one.get("kind") in ("AEXPR_OP", "AEXPR_IN", "AEXPR_OP_ANY") and tree.strings(one.get("name"))[-1:] == ("=",) or key == "sub_link" and "testexpr" in one:
                for side in (one.get("lexpr", {}), one.get("rexpr", {}), one.get("testexpr", {})):
                    inner = tree.strip(side)
                    whole = [name for name, _ in tree.calls(inner) if name[-1] not in FAITHFUL]
                    if not {"func_call", "a_expr"} & {*inner} or not whole or any(not f.managed and f.extension is None for f in self.reading.called(inner)):
                        continue
                    if {name[-1] for name in tree.columns(inner)} & self.target.own:
                        return True
        return False


def _own_address(node: Node, sources: frozenset[str]) -> bool:
    """Return whether a column is compared with the caller's whole e-mail address: an invitation for the person who asks."""
    cut = any(name[-1] in ("split_part", "substring", "right", "regexp_replace", "substr") for name, _ in tree.calls(node))
    return sources == {"email"} and tree.operator(node) == "=" and not cut


def _captured(node: Node) -> bool:
    """Return whether a sub-select compares a column with itself: a name that was meant for the outer row was taken for its own."""
    for key, link in tree.walk({"top": node}):
        if key == "sub_link":
            for inner, compared in tree.walk(link.get("subselect")):
                if inner == "a_expr" and compared.get("kind") == "AEXPR_OP" and tree.strings(compared.get("name"))[-1:] == ("=",):
                    left, right = tree.strip(compared.get("lexpr", {})), tree.strip(compared.get("rexpr", {}))
                    if "column_ref" in left and tree.same(left, right):
                        return True
    return False


def _tautology(node: Node, row_columns: object) -> bool:
    """Return whether a column is compared with something that falls back to the column itself."""
    whole = node.get("a_expr")
    if not whole or whole.get("kind") not in ("AEXPR_OP", "AEXPR_NOT_DISTINCT", "AEXPR_OP_ANY") or tree.operator(node) != "=":
        return False
    for one, other in ((whole.get("lexpr", {}), whole.get("rexpr", {})), (whole.get("rexpr", {}), whole.get("lexpr", {}))):
        if "column_ref" in tree.strip(one) and row_columns(other) & row_columns(one):  # type: ignore[operator]
            return True
    return False


def binds(alternative: Alternative, columns: frozenset[str] | None = None) -> bool:
    """Return whether an alternative ties the row to the caller, by one of the columns if they are named."""
    return any(fact.kind == "bound" and fact.flaw != "ordering" and (columns is None or fact.columns & columns) for fact in alternative)


def quiet(alternative: Alternative) -> bool:
    """Return whether an alternative says something that cannot be judged from here, or that is plainly meant: a platform's staff, a public flag."""
    return any(fact.kind in ("identity", "service", "shared", "other") for fact in alternative)
