"""How fast files become searchable documents, through the edge as a person, and where the time goes."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from agent.cli.client import EdgeClient
from agent.cli.embedding import configured_embedder
from agent.documents.sandbox import Sandbox
from agent.embedding import Embedder, Vector
from agent.ingest import Place, ingest_file
from agent.rpc import Json, Rpc

T = TypeVar("T")
DOCUMENTS = 30
LINES = {"a.md": 40, "a.html": 40, "a.csv": 60}
WORDS = "parcel refund invoice warehouse customer delivery licence station archive member harbour garden engine window letter".split()


class _Watch:
    """Adds up the time that passes inside of each kind of work."""

    def __init__(self) -> None:
        self.seconds = {"embedding": 0.0, "reading the file": 0.0, "the database, through the edge": 0.0}

    async def during(self, what: str, work: Awaitable[T]) -> T:
        began = time.perf_counter()
        try:
            return await work
        finally:
            self.seconds[what] += time.perf_counter() - began


class _Embedder:
    def __init__(self, inner: Embedder, watch: _Watch) -> None:
        self.remote, self._inner, self._watch = inner.remote, inner, watch

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        return await self._watch.during("embedding", self._inner.embed(texts))

    async def close(self) -> None:
        await self._inner.close()


class _Rpc:
    def __init__(self, inner: Rpc, watch: _Watch) -> None:
        self._inner, self._watch = inner, watch

    async def call(self, name: str, arguments: dict[str, Json] | None = None) -> Json:
        return await self._watch.during("the database, through the edge", self._inner.call(name, arguments))


async def measure(stack: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (what, value) lines: 30 new documents of three kinds and one to four passages each, then the same again unchanged."""
    owner = next(user for user in stack["users"] if user["email"] == "owner@acme.test")
    org_id = next(org["id"] for org in owner["orgs"] if org["slug"] == "acme")
    watch, sandbox = _Watch(), Sandbox()
    read = sandbox.read
    sandbox.read = lambda file, kind, person="": watch.during("reading the file", read(file, kind, person))  # type: ignore[method-assign]
    files = [(f"{number}{name[1:]}", _content(name, number)) for number in range(DOCUMENTS // len(LINES)) for name in LINES]
    async with configured_embedder() as embedder, EdgeClient(stack["url"], stack["publishable_key"]) as client:
        rpc: Any = _Rpc(client.as_person(await client.sign_in(owner["email"], owner["password"])), watch)
        slug = f"bench-{secrets.token_hex(4)}"
        base = await rpc.call("create_knowledge_base", {"org_id": org_id, "slug": slug, "name": "Ingestion"})
        await embedder.embed(["the model is loaded before the clock starts"])
        watch.seconds = dict.fromkeys(watch.seconds, 0.0)

        async def add_all() -> tuple[float, int]:
            began, passages = time.perf_counter(), 0
            for name, content in files:
                with tempfile.TemporaryFile() as file:
                    file.write(content)
                    file.flush()
                    place = Place(org_id, base["id"], name, f"bench:{slug}/{name}")
                    passages += (await ingest_file(rpc, _Embedder(embedder, watch), sandbox, place, file, name)).chunks
            return time.perf_counter() - began, passages

        seconds, passages = await add_all()
        shares = dict(watch.seconds)
        again, none = await add_all()
    assert none == 0, "an unchanged document was stored again"
    return [
        ("ingestion", f"{len(files) / seconds:.1f} documents/s, {passages / seconds:.1f} passages/s ({passages} passages of {len(files)} files, one after another)"),
        *((f"ingestion: {what}", f"{share / seconds:.0%}") for what, share in shares.items()),
        ("ingestion of unchanged files", f"{len(files) / again:.1f} documents/s"),
    ]


def _content(name: str, number: int) -> bytes:
    """Return a file of its own for each number, always the same."""
    def words(line: int, count: int) -> list[str]:
        return [WORDS[(number * 7 + line * 3 + place * place) % len(WORDS)] for place in range(count)]

    lines = range(LINES[name])
    if name.endswith(".csv"):
        return "\n".join(["number,first,second", *(f"{number}-{line},{','.join(words(line, 2))}" for line in lines)]).encode()
    sentences = [" ".join(words(line, 9)).capitalize() + f" {number}." for line in lines]
    if name.endswith(".html"):
        return f"<h1>Document {number}</h1>{''.join(f'<p>{one}</p>' for one in sentences)}".encode()
    return (f"# Document {number}\n\n" + "\n\n".join(sentences)).encode()
