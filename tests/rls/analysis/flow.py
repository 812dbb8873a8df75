"""Whether a definer's body ties what it touches to its caller.

A definer runs past the policies, so each statement must say itself whose rows it means: by the caller's id, or by an argument that was checked
against the caller before. `problems` lists the statements that do neither, and what they rely on instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.rls.analysis import tree
from tests.rls.analysis.alternatives import Atom, alternatives
from tests.rls.analysis.tree import Node
from tests.rls.analysis.trust import Trust
from tests.rls.catalog import Relation, Table, View

TOKEN = re.compile(r"token|secret|nonce|signature|(^|_)otp$|(api|access|invite|invitation|share|join|link|magic)_?(key|code|hash|id)$|^(code|key_hash|code_hash)$", re.I)
SPENT = re.compile(r"expire|valid_until|accepted|used_at|redeemed|revoked|consumed|claimed", re.I)
QUERIES = {"sql", "perform", "return query", "return", "return next", "assign", "declare"}


@dataclass(frozen=True)
class Problem:
    """One statement that reaches rows the caller was not checked for. Kinds: none, optional, tenant, user, id, signed-in, write, token."""

    kind: str
    relation: Relation
    argument: str = ""
    command: str = "select"


class Flow(Trust):
    """A function's statements, judged by what was checked."""

    def problems(self) -> list[Problem]:
        found: list[Problem] = []
        blocks: list[tuple[int, set[str]]] = []
        for place, line in enumerate(self.body.lines):
            step = line.step
            while blocks and (step.depth < blocks[-1][0] or step.depth == blocks[-1][0] and step.kind in ("if", "else", "end if", "when")):
                blocks.pop()
            self.trusted = self.trusted_at(place).union(*(extra for _, extra in blocks))
            if step.kind in ("if", "when") and line.node is not None:
                blocks.append((step.depth, {n for alternative in alternatives(line.node) or () for atom in alternative if atom.state == "plain" and self.vouches(atom.node) for n in self.names(atom.node)}))
            elif step.kind in QUERIES and line.node is not None:
                if not (step.targets and {*step.targets} <= self.trusted):
                    found += self._node_problems(line.node)
        return list(dict.fromkeys(found))

    def vouches(self, node: Node) -> bool:
        """Return whether a condition that holds says that what it names is the caller's."""
        return self.reading.identifies(node)

    def loose(self, node: Node) -> bool:
        return bool(list(self._node_problems(node)))

    def _node_problems(self, node: Node) -> Iterator[Problem]:
        what, parts = tree.kind(node), tree.body(node)
        if what in ("select_stmt", "update_stmt", "delete_stmt", "insert_stmt", "merge_stmt"):
            yield from self._statement(what, parts, set())
        else:
            for key, link in tree.walk({"top": node}):
                if key == "sub_link" and "select_stmt" in link.get("subselect", {}):
                    yield from self._statement("select_stmt", link["subselect"]["select_stmt"], set())

    def _statement(self, what: str, parts: Node, sound: set[str]) -> Iterator[Problem]:
        """Judge one statement. `sound`: names of WITH queries that tie their rows to the caller."""
        sound = set(sound)
        for one in parts.get("with_clause", {}).get("ctes", ()):
            inner = one["common_table_expr"]
            query = inner.get("ctequery", {})
            bad = list(self._statement(tree.kind(query), tree.body(query), sound)) if query else []
            yield from bad
            if not bad and self._speaks(query):
                sound.add(inner.get("ctename", ""))
        if what == "select_stmt" and "larg" in parts:
            yield from self._statement("select_stmt", parts["larg"], sound)
            yield from self._statement("select_stmt", parts["rarg"], sound)
        elif what == "insert_stmt":
            yield from self._insert(parts, sound)
        elif what in ("select_stmt", "update_stmt", "delete_stmt"):
            yield from self._query(what, parts, sound)

    def _speaks(self, node: object) -> bool:
        return self.reading.identifies(node) or bool(self.names(node) & self.trusted)

    def _query(self, what: str, parts: Node, sound: set[str]) -> Iterator[Problem]:
        clauses = [*parts.get("from_clause", []), *parts.get("using_clause", [])]
        tables, conditions = [], [parts["where_clause"]] if "where_clause" in parts else []
        if what != "select_stmt":
            tables += self._touched([{"relation": parts["relation"]}])
        joined_sound = False
        for clause in clauses:
            for key, one in tree.walk({"top": clause}):
                if key == "join_expr" and "quals" in one:
                    conditions.append(one["quals"])
                if key == "range_subselect":
                    inner = one["subquery"]
                    bad = list(self._statement(tree.kind(inner), tree.body(inner), sound))
                    yield from bad
                    joined_sound |= not bad and self._speaks(inner)
                if key == "range_function" and self._speaks(one):
                    joined_sound = True
            joined_sound |= any(name[-1] in sound for name, _ in tree.relations(_without_selects(clause)))
            tables += self._touched(_without_selects(clause))
        for target in parts.get("target_list", []):
            for key, link in tree.walk(target):
                if key == "sub_link" and not joined_sound and link.get("sub_link_type") in ("EXPR_SUBLINK", "ARRAY_SUBLINK", "EXISTS_SUBLINK") and not tables:
                    yield from self._statement("select_stmt", link["subselect"]["select_stmt"], sound)
        hidden = [t for t in tables if self._matters(t)]
        if not hidden or joined_sound and what == "select_stmt":
            return
        whole: Node = {"bool_expr": {"boolop": "AND_EXPR", "args": conditions}} if conditions else {"a_const": {"boolval": {"boolval": True}}}
        for alternative in alternatives(whole) or ():
            if not self._ties(alternative, tables, joined_sound):
                yield self._problem(alternative, hidden, {"update_stmt": "update", "delete_stmt": "delete"}.get(what, "select"))
                return

    def _touched(self, node: object) -> list[Relation]:
        return self.reading.read_tables(node)

    def _matters(self, relation: Relation) -> bool:
        """Return whether the function sees rows of a relation that its caller would not."""
        if isinstance(relation, View):
            return any(self._matters(t) for oid in relation.depends_on if (t := self.model.catalog.relation(oid)) is not None)
        return isinstance(relation, Table) and self.model.belongs(relation) and self.model.bypasses(self.function.owner, relation)

    def _ties(self, alternative: tuple[Atom, ...], tables: list[Relation], joined_sound: bool) -> bool:
        trusted = set(self.trusted)
        for atom in alternative:
            if self.reading.identifies(atom.node) and "null_test" not in tree.strip(atom.node):
                trusted |= self.names(atom.node, tables)
        for atom in alternative:
            node = tree.strip(atom.node)
            names, columns = self.names(node, tables), [n for n in tree.columns(node) if n[-1] in {c.name for t in tables for c in t.columns}]
            if "null_test" in node or atom.state == "null":
                continue
            if atom.state == "negated" or tree.operator(node) == "<>" or self._overridable(node):
                continue
            if self.reading.identifies(node) and (columns or names or not self._membership_only(node)):
                return True
            if columns and (names & trusted or joined_sound):
                return True
            sign = tree.operator(node)
            if sign == "=" and names and self._token_columns(node, tables):
                return True
        return False

    def _overridable(self, node: Node) -> bool:
        """Return whether an argument goes before what would tie the row: coalesce(argument, auth.uid()), coalesce(argument, column)."""
        for key, one in tree.walk({"top": node}):
            if key == "coalesce_expr" and any(self.names(part) & self.arguments - self.trusted for part in one["args"][:-1]):
                if self.reading.identifies(one["args"][-1]) or "column_ref" in tree.strip(one["args"][-1]) and not self.names(one["args"][-1]):
                    return not tree.calls(node) or "a_expr" in node
        return False

    def _token_columns(self, node: object, tables: list[Relation]) -> bool:
        """Return whether a column that holds a secret is named: to know its value is the permission."""
        own = [n for n in tree.columns(node) if n[0] != self.function.name and (len(n) > 1 or n[0] not in self.arguments or self.function.language == "sql")]
        return any(TOKEN.search(n[-1]) and n[-1] in {c.name for t in tables for c in t.columns} for n in own)

    def fresh(self, node: Node) -> bool:
        """Return whether a row found by its token is also asked whether it is still good."""
        tables = self._touched(node)
        named = {n[-1] for n in tree.columns(node)} | {n[-1] for line in self.body.lines if line.step.kind == "if" for n in tree.columns(line.node)}
        ends = [c.name for t in tables for c in t.columns if SPENT.search(c.name)]
        return self._token_columns(node, tables) and (not ends or any(name in named for name in ends))

    def _membership_only(self, node: Node) -> bool:
        """Return whether a condition without row and argument asks only to be signed in, or to be a member of something."""
        membership = self.model.membership
        called = self.reading.closure(self.reading.called(node))
        read = {r.oid for f in called for r in self.reading.read_tables(self.reading.body(f).nodes)} | {r.oid for r in self.reading.read_tables(node)}
        return not called and not read or membership is not None and membership.oid in read

    def _problem(self, alternative: tuple[Atom, ...], hidden: list[Relation], command: str) -> Problem:
        of = [self.model.tenancy.of(t.oid) for t in hidden]
        tenants = {o.tenant_column for o in of} | {c for t, o in zip(hidden, of, strict=True) if o.kind == "tenant" and isinstance(t, Table) for c in t.primary_key}
        users = {c for o in of for c in o.user_columns}
        kind, argument = "none", ""
        for atom in alternative:
            node = tree.strip(atom.node)
            loose = self.names(node, hidden) - self.trusted
            if "null_test" in node and loose & self.arguments:
                return Problem("optional", hidden[0], min(loose & self.arguments), command)
            named = {n[-1] for n in tree.columns(node)} - loose
            if loose and tree.operator(node) in ("=", ""):
                kind, argument = "tenant" if named & tenants else "user" if named & users else "id", min(loose)
                if kind == "tenant":
                    break
            elif self.reading.identifies(node) and kind == "none":
                kind = "signed-in"
        return Problem(kind, hidden[0], argument, command)

    def _insert(self, parts: Node, sound: set[str]) -> Iterator[Problem]:
        table = self.reading.relation(((parts["relation"]["schemaname"],) if parts["relation"].get("schemaname") else ()) + (parts["relation"]["relname"],))
        source = parts.get("select_stmt", {}).get("select_stmt", {})
        if "from_clause" in source:
            yield from self._query("select_stmt", source, sound)
        if not isinstance(table, Table) or not self._matters(table) or self.model.tenancy.of(table).kind == "tenant":
            return
        columns = [one["res_target"]["name"] for one in parts.get("cols", [])] or [c.name for c in table.columns]
        rows = [tree.body(one).get("items", []) for one in source.get("values_lists", [])] or [[one["res_target"].get("val", {}) for one in source.get("target_list", [])]]
        wanted = self.model.target(table).tenant or frozenset(self.model.tenancy.of(table).user_columns)
        tied = any(self._ties(one, [], False) for one in alternatives(source["where_clause"]) or ()) if "where_clause" in source else False
        for row in rows:
            for column, value in zip(columns, row, strict=False):
                loose = self.names(value) - self.trusted
                if column in wanted and loose and not tied and not self._checked_by_key(table, columns, row):
                    by_token = any(self._token_columns(one.node, self._touched(one.node)) for name in loose for one in self.setters.get(name, ()) if one.node is not None)
                    yield Problem("token" if by_token else "write", table, min(loose), "insert")
                    return

    def _checked_by_key(self, table: Table, columns: list[str], row: list[Node]) -> bool:
        """Return whether a composite key ties an unchecked value to a checked one of the same row."""
        sure = {c for c, v in zip(columns, row, strict=False) if self.names(v) and not self.names(v) - self.trusted}
        loose = {c for c, v in zip(columns, row, strict=False) if self.names(v) - self.trusted}
        return any(sure & {*k.columns} and loose <= {*k.columns} for k in table.foreign_keys)


def _without_selects(node: object) -> object:
    """Return a tree without its sub-selects."""
    if isinstance(node, dict):
        return {key: _without_selects(value) for key, value in node.items() if key not in ("select_stmt", "subquery", "subselect", "range_subselect")}
    return [_without_selects(one) for one in node] if isinstance(node, list) else node
