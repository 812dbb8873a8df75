"""Put one document into a knowledge base: cut, embed, store; an unchanged document is left alone."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from agent.chunking import chunk
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
        raise BadDocument("The document holds no text.")
    if not storable(text):
        raise BadDocument
    digest = hashlib.sha256(text.encode()).hexdigest()
    begun = await rpc.call("begin_document", {
        "org_id": org_id, "knowledge_base_id": knowledge_base_id, "title": title, "uri": uri, "sha256": digest,
        "visibility": visibility})
    document_id = str(begun["document_id"])
    if begun["state"] == "unchanged":
        return Ingested(document_id, "unchanged", 0)
    progress(0, len(pieces))
    for start in range(0, len(pieces), AT_ONCE):
        part = pieces[start:start + AT_ONCE]
        vectors = await embedder.embed([piece.content for piece in part])
        # Six digits: the database keeps single precision, and the body stays a third of the size.
        rows = [asdict(piece) | {"embedding": [round(x, 6) for x in vector]}
                for piece, vector in zip(part, vectors, strict=True)]
        for batch in _batches(rows):
            await rpc.call("add_chunks", {"org_id": org_id, "document_id": document_id, "chunks": batch})
        progress(start + len(part), len(pieces))
    finished = await rpc.call("finish_document", {"org_id": org_id, "document_id": document_id})
    return Ingested(document_id, "stored", int(finished["chunks"]), finished["replaced"])


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
