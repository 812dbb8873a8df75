"""The functions of a database read: what each body runs, what it calls, and where the caller's identity comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from tests.rls.analysis import plpgsql, tree
from tests.rls.analysis.plpgsql import Step
from tests.rls.analysis.tree import Name, Node
from tests.rls.catalog import Catalog, Function, Policy, Relation

# Where identity comes from. `uid`: the verified subject of the token. `raw`: the whole claims, for the caller to pick from.
IDENTITY = frozenset({"uid", "email", "claim", "app_metadata", "user_metadata", "header", "cookie", "legacy", "setting"})
SESSION_KEYS = frozenset({"session_id", "amr", "client_id", "is_anonymous", "exp", "iat", "aud", "iss"})
METADATA_COLUMNS = {"raw_user_meta_data": "user_metadata", "raw_app_meta_data": "app_metadata"}


@dataclass(frozen=True)
class Line:
    """One step of a body with its parsed SQL. `node` is None where it is not SQL or could not be parsed."""

    step: Step
    node: Node | None


class Body:
    """One function body."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.arguments = tuple(argument.name for argument in function.arguments)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        if self.function.language == "sql":
            parsed = tree.statements(self.text)
            return tuple(Line(Step("sql", self.text), node) for node in parsed) if parsed is not None else (Line(Step("sql", self.text), None),)
        if self.function.language == "plpgsql":
            return tuple(Line(step, _node(step)) for step in plpgsql.steps(self.text))
        return ()

    @property
    def text(self) -> str:
        """The source; of a body in the SQL standard's form, what stands between BEGIN ATOMIC and END."""
        if self.function.source or self.function.language != "sql":
            return self.function.source
        definition = self.function.definition
        lowered = definition.lower()
        if (place := lowered.find("begin atomic")) >= 0:
            return definition[place + len("begin atomic"):lowered.rfind("end")]
        place = lowered.rfind("\nreturn ")
        return "select " + definition[place + len("\nreturn "):] if place >= 0 else ""

    @cached_property
    def nodes(self) -> list[Node]:
        return [line.node for line in self.lines if line.node is not None]

    @property
    def unreadable(self) -> bool:
        """Whether the body could not be understood at all."""
        return self.function.language not in ("sql", "plpgsql") or not self.lines or all(line.node is None and line.step.text for line in self.lines)


def _node(step: Step) -> Node | None:
    if not step.text or step.kind in ("raise", "end if", "end loop", "end case", "else"):
        return None
    if step.kind in ("sql", "perform", "return query") and (parsed := tree.statements(step.text)):
        return parsed[0]
    return tree.expression(step.text.split(" using ")[0] if step.kind == "execute" else step.text)


class Reading:
    """Every function of a catalog, read when first asked for."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._bodies: dict[int, Body] = {}
        self._called: dict[int, list[Function]] = {}
        self._sources: dict[int, frozenset[str]] = {}
        self._by_name: dict[str, list[Function]] = defaultdict(list)
        for function in catalog.functions.values():
            self._by_name[function.name].append(function)
        self._relations: dict[str, list[Relation]] = defaultdict(list)
        for relation in (*catalog.tables.values(), *catalog.views.values()):
            self._relations[relation.name].append(relation)

    def body(self, function: Function) -> Body:
        return self._bodies.setdefault(function.oid, Body(function))

    def functions(self, name: Name, arguments: int | None = None) -> list[Function]:
        """Return the functions a call may mean: by schema if it is named, by the number of arguments if any fits."""
        found = [f for f in self._by_name.get(name[-1] if name else "", ()) if len(name) < 2 or f.schema == name[-2]]
        fitting = [f for f in found if arguments is None or sum(not a.has_default for a in f.arguments) <= arguments <= len(f.arguments)]
        return fitting or found

    def relation(self, name: Name) -> Relation | None:
        """Return the relation of a name; without a schema, the only one of that name or the one in `public`."""
        found = [r for r in self._relations.get(name[-1], ()) if len(name) < 2 or r.schema == name[-2]]
        found = found if len(found) < 2 else [r for r in found if r.schema == "public"] or [r for r in found if not r.managed]
        return found[0] if found else None

    def called(self, node: object) -> Iterator[Function]:
        """Yield the functions of the database that a tree calls; platform functions too."""
        for name, arguments in tree.calls(node):
            yield from self.functions(name, len(arguments))

    def closure(self, functions: Iterable[Function]) -> list[Function]:
        """Return the functions and all that their bodies call, without the platform's."""
        found: dict[int, Function] = {}
        todo = list(functions)
        while todo:
            function = todo.pop()
            if function.oid not in found and not function.managed:
                found[function.oid] = function
                if function.oid not in self._called:
                    self._called[function.oid] = list({f.oid: f for f in self.called(self.body(function).nodes)}.values())
                todo += self._called[function.oid]
        return list(found.values())

    def policy_functions(self, policies: Iterable[Policy]) -> list[Function]:
        """Return every function the policies lead to."""
        return self.closure(f for policy in policies for oid in policy.functions if (f := self.catalog.functions.get(oid)))

    def read_tables(self, node: object) -> list[Relation]:
        """Return the relations a tree names."""
        return [relation for name, _ in tree.relations(node) if (relation := self.relation(name)) is not None]

    def sources(self, node: object) -> frozenset[str]:
        """Return where identity in a tree comes from: members of IDENTITY, and aal, role, session, request, raw."""
        found: set[str] = set()
        raw = False
        for name, arguments in tree.calls(node):
            if name[-1:] == ("current_setting",) and arguments:
                of_setting, is_raw = _setting(next(iter(tree.constants(arguments[0])), ""))
                found |= of_setting
                raw |= is_raw
                continue
            for function in self.functions(name, len(arguments)):
                answered = self.function_sources(function)
                raw |= "raw" in answered
                found |= answered - {"raw"}
        found |= {METADATA_COLUMNS[name[-1]] for name in tree.columns(node) if name[-1] in METADATA_COLUMNS}
        if raw:
            picked = _picked(tree.constants(node))
            found |= picked or {"raw"}
        return frozenset(found)

    def sources_of(self, text: str | None) -> frozenset[str]:
        """Return the sources of an expression's text; of several expressions, one after the other, of all."""
        node = tree.expression(text)
        return frozenset() if node is None else self.sources(node)

    def function_sources(self, function: Function) -> frozenset[str]:
        """Return the same of everything a function's body does."""
        if function.schema == "auth":
            return {"uid": frozenset({"uid"}), "jwt": frozenset({"raw"}), "email": frozenset({"email"}), "role": frozenset({"role"})}.get(function.name, frozenset())
        if function.managed or function.extension:
            return frozenset()
        if function.oid not in self._sources:
            self._sources[function.oid] = frozenset()
            found = {source for node in self.body(function).nodes for source in self.sources(node)}
            self._sources[function.oid] = frozenset(found - {"raw"} if found & IDENTITY else found)
        return self._sources[function.oid]

    def identifies(self, node: object) -> bool:
        """Return whether a tree knows who is asking."""
        return bool(self.sources(node) & (IDENTITY | {"raw"}))


def _setting(name: str) -> tuple[set[str], bool]:
    """Return the sources behind current_setting(name), and whether it is the raw claims."""
    name = name.lower()
    if name == "request.jwt.claims":
        return set(), True
    if name.startswith("request.jwt.claim."):
        return {"role" if name.endswith(".role") else "legacy"}, False
    if name in ("request.method", "request.path"):
        return {"request"}, False
    for prefix, source in (("request.header", "header"), ("request.cookie", "cookie")):
        if name.startswith(prefix):
            return {source}, False
    if "." not in name or name.startswith(("request.", "response.", "pgrst.", "app.settings.", "realtime.", "storage.", "plpgsql.", "pg_", "hnsw.", "ivfflat.")):
        return set(), False
    return {"setting"}, False


def _picked(keys: Iterable[str]) -> set[str]:
    """Return which claims a tree with the raw claims picks."""
    known = [part.strip("{}\"' ") for key in keys for part in key.split(",")]
    found = set()
    for key in known:
        if key in ("user_metadata", "app_metadata", "aal", "email", "role"):
            found.add(key)
        elif key == "sub":
            found.add("uid")
        elif key in SESSION_KEYS:
            found.add("session")
    if not found and any(key.isidentifier() for key in known):
        found.add("claim")
    return found
