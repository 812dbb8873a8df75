"""Put one document into a knowledge base: cut, embed, store; an unchanged document is left alone."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Literal

from agent.chunking import Chunk, chunk
from agent.documents.errors import EmptyDocument
from agent.documents.kinds import HEAD_BYTES, kind_of
from agent.documents.sandbox import Sandbox
from agent.embedding import Embedder
from agent.errors import BadDocument
from agent.rpc import Rpc
from agent.schema import storable

# The edge takes request bodies of up to 256 kB; the rest is room for the envelope.
MAX_BATCH_BYTES = 240_000
# Also the most in one request; the database takes 64.
AT_ONCE = 32

Progress = Callable[[int, int], None]
"""Called with (passages done, passages in all)."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of the document."""

    document_id: str
    state: Literal["stored", "unchanged"]
    chunks: int
    replaced: str | None = None
    """The document that had the same uri before."""


async def ingest(rpc: Rpc, embedder: Embedder, *, org_id: str, knowledge_base_id: str, title: str, uri: str, text: str,
                 visibility: Literal["organization", "private"] = "organization",
                 progress: Progress = lambda done, total: None) -> Ingested:
    """Store `text` and return what became of it. Raises: BadDocument, DatabaseError, ModelError."""
    pieces = chunk(text)
    if not pieces:
        raise EmptyDocument
    if not storable(text):
        raise BadDocument
    digest = hashlib.sha256(text.encode()).hexdigest()
    document = {"org_id": org_id, "knowledge_base_id": knowledge_base_id, "title": title, "uri": uri, "sha256": digest,
                "visibility": visibility}
    parts = (pieces[start:start + AT_ONCE] for start in range(0, len(pieces), AT_ONCE))
    return await _store(rpc, embedder, document, parts, len(pieces), progress)


async def ingest_file(rpc: Rpc, embedder: Embedder, sandbox: Sandbox, *, org_id: str, knowledge_base_id: str, title: str,
                      uri: str, file: BinaryIO, name: str, visibility: Literal["organization", "private"] = "organization",
                      progress: Progress = lambda done, total: None) -> Ingested:
    """Store the text of `file`, a real file called `name`. Raises: BadDocument, DatabaseError, ModelError."""
    file.seek(0)
    kind = kind_of(name, file.read(HEAD_BYTES))
    file.seek(0)
    digest = (await asyncio.to_thread(hashlib.file_digest, file, "sha256")).hexdigest()
    document = {"org_id": org_id, "knowledge_base_id": knowledge_base_id, "title": title, "uri": uri, "sha256": digest,
                "visibility": visibility}
    with await sandbox.read(file, kind) as extracted:
        return await _store(rpc, embedder, document, extracted.batches(AT_ONCE), extracted.passages, progress)


async def _store(rpc: Rpc, embedder: Embedder, document: dict[str, Any], parts: Iterable[list[Chunk]], total: int,
                 progress: Progress) -> Ingested:
    begun = await rpc.call("begin_document", document)
    place = {"org_id": document["org_id"], "document_id": str(begun["document_id"])}
    if begun["state"] == "unchanged":
        return Ingested(place["document_id"], "unchanged", 0)
    done = 0
    progress(done, total)
    for part in parts:
        vectors = await embedder.embed([piece.content for piece in part])
        # Six digits: the database keeps single precision, and the body stays a third of the size.
        rows = [asdict(piece) | {"embedding": [round(x, 6) for x in vector]}
                for piece, vector in zip(part, vectors, strict=True)]
        for batch in _batches(rows):
            await rpc.call("add_chunks", place | {"chunks": batch})
        done += len(part)
        progress(done, total)
    finished = await rpc.call("finish_document", place)
    return Ingested(place["document_id"], "stored", int(finished["chunks"]), finished["replaced"])


def _batches(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows in order, as many at once as fit one request."""
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        row_size = len(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()) + 1
        if batch and size + row_size > MAX_BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += row_size
    if batch:
        yield batch
