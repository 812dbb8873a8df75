"""What the edge and the agent remember, place by place: nothing of one tenant that another could get, and no permission (F17, F22).

Every container that outlives a statement is found in the code and must be described here, so a new cache without a thought
about its key fails.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# The local stack is nobody's service, and a command ends with its process.
MODULES = sorted(f for room in ("edge_proxy", "agent") for f in (ROOT / room).rglob("*.py")
                 if not {"local", "cli"} & set(f.relative_to(ROOT).parts))
MAKERS = {"dict", "list", "set", "OrderedDict", "Counter", "defaultdict", "deque", "WeakValueDictionary", "WeakKeyDictionary"}
CACHING = {"cache", "lru_cache", "cached_property"}

# For the life of the process. By what each is kept, and why nobody gets another's.
PROCESS = {
    "edge_proxy.tokens.Verifier._verdicts": "by the hash of the whole access token: who has the token has the identity in it; no right is in it",
    "edge_proxy.token_exchange.TokenExchange._held": "by the hash of the whole API token; the access token of that token's own session, which SQL narrows",
    "edge_proxy.token_exchange.TokenExchange._flights": "by the hash of the whole API token; an exchange on its way",
    "edge_proxy.catalog.Allowlist._names": "names of functions, the same for everybody",
    "edge_proxy.jwks.KeyCache._keys": "public keys of the issuer",
    "edge_proxy.buckets.MemoryBuckets.kinds": "by kind of limit and by person, organization, address or digest of an account: numbers",
    "edge_proxy.redis_limiter.RedisBuckets._failures": "kinds of exceptions, the same for everybody",
    "edge_proxy.admission.Owed._bytes": "by kind of limit and by person or organization: numbers",
    "edge_proxy.memberships.Memberships._known": "by session, for seconds: whose counters a call moves; the database decides what the call may do",
    "edge_proxy.memberships.Memberships._flights": "by session: the question for that, on its way",
    "edge_proxy.watch.Watch._sessions": "by the whole access token: whether its right still lasts, asked as its person while an answer is open",
    "edge_proxy.watch._Session.open": "the open answers of one token",
    "edge_proxy.upstream._Origin._idle": "by server: connections that wait for work; of the last answer nothing stays on them",
    "edge_proxy.upstream.Upstream._connections": "the same and those at work, to be closed at the end",
    "edge_proxy.log.fingerprint": "by the id of a person or session: the start of its hash, as it stands in the log",
    "edge_proxy.app.Edge._serving": "the requests being served, to be told when the process stops",
    "agent.places.Places._waiting": "who waits to have a file read, in order of arrival: nothing of any file",
    "agent.places.Places._impatient": "those of them who may take the place kept free",
    "edge_proxy.places.Places._taken": "by person or address: numbers",
    "edge_proxy.places.Lines._present": "by person: numbers",
    "edge_proxy.places.Lines._free": "by person: a semaphore",
    "agent.turns.Turns._lines": "by person: a place in line",
    "edge_proxy.metrics.Metrics._requests": "by route, status and code: numbers",
    "edge_proxy.metrics.Metrics._children": "by route, status and code: counters made once",
    "edge_proxy.metrics.Metrics._org_children": "by organization and outcome: counters made once",
    "edge_proxy.metrics.Metrics._of_organizations": "by organization and outcome: numbers, read on the port of the operator alone",
    "edge_proxy.metrics.Metrics._organization_seconds": "by organization: numbers, read on the port of the operator alone",
    "edge_proxy.metrics.Metrics._organization_bytes": "by organization: numbers, read on the port of the operator alone",
    "edge_proxy.metrics.Metrics._tokens": "by organization: numbers, read on the port of the operator alone",
    "edge_proxy.metrics.Metrics._tools": "by organization, tool and outcome: numbers, read on the port of the operator alone",
    "edge_proxy.metrics.Metrics._unrecorded": "one number for everybody",
    "edge_proxy.denials.Denials._going": "refusals on their way into the trail, each with the token of whom it was refused to, until it is there",
    "agent.analytics.guard._trusted": "by the text of a relation's own definition: that it is one SELECT, and nothing else",
    "agent.analytics.rewriting._is_plain": "by a name: whether it needs quotes",
    "agent.analytics.rewriting._settled": "by a name: as PostgreSQL keeps it, and whether it needs quotes",
    "edge_proxy.metrics.Metrics._strangers": "one number for everybody",
    "edge_proxy.metrics.Metrics._ended": "by error code: numbers",
    "edge_proxy.metrics.Metrics._fetches": "by outcome: numbers",
    "agent.providers.offline_choice.Chooser._vectors": "by the text of a function's comment, public to every signed-in person",
    "agent.providers.names._vocabulary": "the words of a packaged vocabulary, the same for everybody",
    "agent.embedding.LocalEmbedder._loaded": "the model, the same for everybody",
    "agent.redaction.names.finder": "the model that finds names, the same for everybody",
    "agent.analytics.vega_schema._validator": "the schema of Vega-Lite, the same for everybody",
    "agent.tokens._encoding": "by the name of an encoding: token ranks, the same for everybody",
}
# For one request, one run or one answer, made anew for each.
REQUEST = {
    "edge_proxy.asgi.Request._headers", "edge_proxy.asgi.Request.facts", "edge_proxy.asgi.Request.log", "edge_proxy.asgi.Request.members", "edge_proxy.asgi.Request.payers",
    "edge_proxy.outgoing.Outgoing._headers", "edge_proxy.upstream_connection.Connection._headers", "edge_proxy.upstream_connection.Connection._chunks", "agent.run._Run.tools", "agent.citations.Citations._passages",
    "agent.redaction.pseudonyms.Pseudonyms._back", "agent.redaction.pseudonyms.Pseudonyms._of",
    "agent.redaction.request.Redacted._hidden", "agent.analytics.names.Frame.sources", "agent.analytics.opinion.Reading.form",
    "agent.analytics.opinion.Reading.functions", "agent.analytics.rewriting.Rewriting.forms", "agent.analytics.rewriting.Rewriting.functions",
    "agent.analytics.rewriting.Rewriting.relations", "agent.analytics.scopes.Scopes.ctes", "agent.analytics.scopes.Scopes.relations",
    "agent.analytics.scopes.Scopes.unqualified", "agent.analytics.expressions.Expressions.frames", "agent.analytics.expressions.Expressions.rows",
    "agent.analytics.row_counts.Item._by_name", "agent.analytics.sources.Sources.ctes", "agent.analytics.sources.Sources.equalities", "agent.analytics.weighing.Weighing.ctes",
    "agent.ingest.Ingested.changed", "agent.standing.Settled.changed",
    "agent.run._Run.data", "agent.question.Answer.data",
    "agent.limits.Budget._seen", "agent.chat_response.Chunks._head", "agent.providers.grounding._Words._words",
    "agent.providers.openai_compatible._CallParts._parts",
}
# A file is read in a process of its own, which ends with it.
ONE_FILE = "agent.documents."


def found(file: Path) -> Iterator[str]:
    """Yield the containers a module keeps: on objects, at module level, and behind caching decorators."""
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for node in ast.parse(file.read_text()).body:
        yield from _module_level(module, node)
        for owner in ast.walk(node):
            if isinstance(owner, ast.ClassDef):
                yield from (f"{module}.{owner.name}.{name}" for name in _attributes(owner))
            if isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef) and any(_name(d) in CACHING for d in owner.decorator_list):
                yield f"{module}.{owner.name}"


def _module_level(module: str, node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    for target in targets:
        # A name in capitals is a constant by the rules of the house; a table that grows is not.
        if isinstance(target, ast.Name) and not target.id.isupper() and target.id != "__all__" and _is_container(node.value):  # type: ignore[attr-defined]
            yield f"{module}.{target.id}"


def _attributes(owner: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(owner):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                mine = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
                if mine and (_is_container(node.value) or _is_set_later(node)):
                    yield target.attr  # type: ignore[union-attr]
                elif isinstance(target, ast.Name) and node in owner.body and _made_by_field(node.value):
                    yield target.id


def _is_container(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Dict | ast.List | ast.Set):
        return True
    return isinstance(value, ast.Call) and _name(value.func) in MAKERS


def _is_set_later(node: ast.Assign | ast.AnnAssign) -> bool:
    """An attribute that holds a collection or nothing yet: the usual form of a cache of one thing."""
    return isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).startswith(("frozenset", "dict", "list", "tuple"))


def _made_by_field(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and _name(value.func) == "field" and any(
        k.arg == "default_factory" and _name(k.value) in MAKERS for k in value.keywords)


def _name(node: ast.expr) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else node.value.id if (
        isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)) else ""


def test_every_container_that_outlives_a_statement_is_described_F22() -> None:
    kept = {name for file in MODULES for name in found(file) if not name.startswith(ONE_FILE)}
    assert kept == set(PROCESS) | REQUEST
    assert all(len(why) > 10 for why in PROCESS.values())


def test_nothing_that_is_kept_is_a_permission_and_an_identity_holds_none_F17() -> None:
    from edge_proxy.tokens import Identity

    words = ("permission", "role", "member", "grant", "allowed", "scope", "org")
    # Of organizations there are numbers, which no one asks for a right.
    kept = [name for name in PROCESS if not name.startswith("edge_proxy.metrics.")]
    assert [name for name in kept for word in words if word in name.rsplit(".", 1)[1]] == []
    assert {f.name for f in dataclasses.fields(Identity)} == {"token", "user_id", "session_id", "kid", "expires_at", "org_id"}, (
        "org_id narrows: it is the one organization an API token reaches, and counts its bytes")


@pytest.mark.parametrize(("code", "name"), [
    ("class A:\n    def __init__(self):\n        self._answers = {}\n", "A._answers"),
    ("class A:\n    def __init__(self):\n        self._answers: dict[str, str] = dict()\n", "A._answers"),
    ("class A:\n    def f(self):\n        self._names: frozenset[str] | None = None\n", "A._names"),
    ("from functools import lru_cache\n@lru_cache(maxsize=9)\ndef role_of(person): ...\n", "role_of"),
    ("_answers: dict[str, str] = {}\n", "_answers"),
    ("@dataclass\nclass A:\n    kept: list[str] = field(default_factory=list)\n", "A.kept"),
])
def test_a_planted_cache_is_found_F22(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, name: str) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    planted = tmp_path / "planted.py"
    planted.write_text(code)
    assert list(found(planted)) == [f"planted.{name}"]
