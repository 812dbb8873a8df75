"""Which arguments and variables of a function were checked against its caller before they are used.

Order does not matter much: a check that raises undoes what came before it. So trust is spread until nothing new is learned.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from tests.rls.analysis import tree
from tests.rls.analysis.alternatives import alternatives
from tests.rls.analysis.model import Model
from tests.rls.analysis.reading import Line
from tests.rls.analysis.tree import Node
from tests.rls.catalog import Function, Relation

NO_STOP = re.compile(r"^\s*(notice|warning|info|log|debug)", re.I)

Branch = tuple[tuple[int, int], ...]
"""The blocks around a line: the number of each block, and of its branch."""


def branches(lines: tuple[Line, ...]) -> list[Branch]:
    """Return where each line stands. A condition stands outside the block it opens."""
    found: list[Branch] = []
    around: list[tuple[int, int]] = []
    for place, line in enumerate(lines):
        kind, depth = line.step.kind, line.step.depth
        if kind.startswith("end "):
            found.append(tuple(around))
            around = around[:depth - 1]
        elif len(around) < depth:
            found.append(tuple(around))
            around += [(place, 0)] * (depth - len(around))
        elif kind in ("if", "when", "else") and around:
            found.append(tuple(around[:-1]))
            around[-1] = (around[-1][0], around[-1][1] + 1)
        else:
            found.append(tuple(around))
    return found


def _together(one: Branch, other: Branch) -> bool:
    """Return whether no block holds the two in different branches."""
    return all(a == b or a[0] != b[0] for a, b in zip(one, other, strict=False))


class Trust(ABC):
    """One function's body, and which of its arguments and variables were checked against the caller."""

    def __init__(self, model: Model, function: Function) -> None:
        self.model, self.function, self.reading = model, function, model.reading
        self.body = self.reading.body(function)
        self.variables = {t for line in self.body.lines for t in line.step.targets}
        self.arguments = {a for a in self.body.arguments if a}
        self.trusted: set[str] = set()
        self.setters: dict[str, list[Line]] = {}
        self._branches = branches(self.body.lines)
        self._learned: dict[str, set[Branch]] = {}
        self._follow()

    def names(self, node: object, tables: list[Relation] | None = None) -> set[str]:
        """Return the arguments and variables a tree mentions. In a SQL function a column wins over an argument of its name."""
        taken = {c.name for t in tables or () for c in t.columns} if self.function.language == "sql" else set()
        found: set[str] = set()
        for name in tree.columns(node):
            if len(name) == 1 and name[0] in self.arguments | self.variables and name[0] not in taken:
                found.add(name[0])
            elif len(name) > 1 and (name[0] in self.variables or name[0] == self.function.name):
                found.add(name[0] if name[0] in self.variables else name[1])
        for key, one in tree.walk(node):
            if key == "param_ref" and 0 < int(one.get("number", 0)) <= len(self.body.arguments):
                found.add(self.body.arguments[int(one["number"]) - 1] or f"${one['number']}")
        return found

    def _follow(self) -> None:
        for line in self.body.lines:
            for target in line.step.targets:
                self.setters.setdefault(target, []).append(line)
        for _ in range(3):
            known = {name: set(places) for name, places in self._learned.items()}
            for place, line in enumerate(self.body.lines):
                self.trusted = self.trusted_at(place)
                before = set(self.trusted)
                self._learn(place, line)
                for name in self.trusted - before:
                    self._learned.setdefault(name, set()).add(self._branches[place])
            if self._learned == known:
                break
        self.trusted = self.given | {*self._learned}

    @property
    def given(self) -> set[str]:
        """What is trusted before the first statement."""
        return set()

    def trusted_at(self, place: int) -> set[str]:
        """Return what was checked for a line: not what only another branch of the same IF checked."""
        return self.given | {name for name, places in self._learned.items() if any(_together(one, self._branches[place]) for one in places)}

    def _learn(self, place: int, line: Line) -> None:
        step, node = line.step, line.node
        if node is None:
            return
        if step.kind in ("assign", "declare") or (step.kind == "sql" and step.targets):
            if self._derives(node):
                self.trusted |= {*step.targets}
            if step.kind != "sql" and not self.names(node) and not tree.relations(node):
                self.trusted |= {*step.targets}
        if step.kind in ("if", "assert") and (step.kind == "assert" or self.stops(place)):
            self._guard(node, place)
        if step.kind in ("perform", "sql", "assign") and any(self._asserts(f) for f in self.reading.called(node)):
            for name, arguments in tree.calls(node):
                if any(self._asserts(f) for f in self.reading.functions(name, len(arguments))):
                    self.trusted |= self.names(arguments)

    @abstractmethod
    def loose(self, node: Node) -> bool:
        """Return whether a statement reaches rows the caller was not checked for."""

    @abstractmethod
    def fresh(self, node: Node) -> bool:
        """Return whether a statement finds its row by a secret that is still good."""

    def _derives(self, node: Node) -> bool:
        """Return whether a value comes from the caller's identity, or from rows that do."""
        if tree.relations(node):
            return not self.loose(node) and (self.reading.identifies(node) or bool(self.names(node) & self.trusted) or "insert_stmt" in node or self.fresh(node))
        inner = tree.strip(node)
        if "coalesce_expr" in inner and any(self.names(one) - self.trusted for one in inner["coalesce_expr"]["args"][:-1]):
            return False
        names = self.names(node)
        return self.reading.identifies(node) or bool(names) and names <= self.trusted

    def _asserts(self, function: Function) -> bool:
        """Return whether a function asks who the caller is and raises otherwise."""
        closure = self.reading.closure([function])
        return any(line.step.kind == "raise" for f in closure for line in self.reading.body(f).lines) and bool(
            {"uid", "email"} & set().union(*(self.reading.function_sources(f) for f in closure)))

    def stops(self, place: int) -> bool:
        """Return whether the branch that begins at a line ends the function."""
        depth = self.body.lines[place].step.depth
        for line in self.body.lines[place + 1:]:
            if line.step.depth <= depth and line.step.kind in ("if", "else", "end if", "when"):
                return False
            if line.step.kind == "raise" and not NO_STOP.match(line.step.text) or line.step.kind == "return" and not tree.relations(line.node):
                return True
        return False

    def _guard(self, node: Node, place: int) -> None:
        for alternative in alternatives(node) or ():
            for atom in alternative:
                names = self.names(atom.node)
                node = tree.strip(atom.node)
                if atom.state == "plain" and tree.operator(node) == "=" and not tree.relations(node) and "a_const" not in {tree.kind(tree.strip(node["a_expr"].get(s, {}))) for s in ("lexpr", "rexpr")}:
                    continue  # `if person = auth.uid() then raise`: what goes on is somebody else
                if self.reading.identifies(atom.node) or names & self.trusted:
                    self.trusted |= names
                    self._trust_setters(names, "null_test" not in tree.strip(atom.node) and self.reading.identifies(atom.node))
            if [tree.columns(atom.node) for atom in alternative] == [[("found",)]]:
                before = next((one for one in reversed(self.body.lines[:place]) if one.step.kind in ("sql", "perform")), None)
                if before is not None and before.node is not None and self.reading.identifies(before.node):
                    self.trusted |= self.names(before.node)

    def _trust_setters(self, names: set[str], checked: bool) -> None:
        """What selected a variable that was then checked is checked with it."""
        for name in names:
            for line in self.setters.get(name, ()):
                if line.node is not None and (self.reading.identifies(line.node) or checked and "select_stmt" in line.node):
                    self.trusted |= self.names(line.node)
