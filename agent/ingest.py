"""Put one document into a knowledge base: cut, embed, store; of an unchanged one only who reads it changes, where that is asked for."""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, BinaryIO, Literal

from agent.chunking import Chunk, chunk
from agent.documents.errors import DocumentTooLarge, EmptyDocument
from agent.documents.kinds import HEAD_BYTES, Kind, kind_of
from agent.documents.sandbox import Sandbox
from agent.embedding import Embedder
from agent.errors import AgentError, BadDocument
from agent.model_calls import EmbedderFor
from agent.rpc import Rpc
from agent.schema import storable
from agent.standing import same, settle

# The edge takes request bodies of up to 256 kB; the rest is room for the envelope.
MAX_BATCH_BYTES = 240_000
PART_BYTES = 180_000
"""Of a file in one request: a third more as base64."""
# Also the most in one request; the database takes 64.
AT_ONCE = 32

Progress = Callable[[int, int], None]
"""Called with (passages done, passages in all)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document goes and how it is kept; what is None is left to the database."""

    org_id: str
    knowledge_base_id: str
    title: str
    uri: str
    """Names its place: the next document with it, if it differs, replaces this one."""
    visibility: Literal["organization", "knowledge_base", "private"] | None = None
    """None: private where one's own earlier version is, else as the knowledge base is."""
    classification: int | None = None
    tags: tuple[str, ...] = ()
    source: str = "upload"


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of the document."""

    document_id: str
    state: Literal["stored", "unchanged", "changed"]
    """`changed`: the same bytes, and something else of what was asked for."""
    chunks: int
    replaced: str | None = None
    """The document that had the same uri before."""
    changed: dict[str, Any] = field(default_factory=dict)
    """What became different of what was there: visibility, classification, tags."""


async def ingest(rpc: Rpc, embedder: Embedder, *, org_id: str, knowledge_base_id: str, title: str, uri: str, text: str,
                 visibility: Literal["organization", "private"] | None = None,
                 progress: Progress = lambda done, total: None) -> Ingested:
    """Store `text` and return what became of it. Raises: BadDocument, DatabaseError, ModelError, ProviderRefused, BudgetSpent."""
    pieces = chunk(text)
    if not pieces:
        raise EmptyDocument
    if not storable(text):
        raise BadDocument
    data = text.encode()
    place = Place(org_id, knowledge_base_id, title, uri, visibility)
    about = {"sha256": hashlib.sha256(data).hexdigest(), "byte_size": len(data)}
    known, loading = await _begin(rpc, place, about)
    if known is not None:
        return known
    parts = (pieces[start:start + AT_ONCE] for start in range(0, len(pieces), AT_ONCE))
    return await _store(rpc, embedder, loading, parts, len(pieces), progress)


async def ingest_file(rpc: Rpc, embedder: Embedder, sandbox: Sandbox, place: Place, file: BinaryIO, name: str, *,
                      person: str = "", progress: Progress = lambda done, total: None) -> Ingested:
    """Store `file`, a real file called `name`: its bytes, and the passages of its text. `person`: the id of whose it is; their files wait for each other.

    Raises: BadDocument, DatabaseError, ModelError, ProviderRefused, BudgetSpent; then nothing of it is left, and an earlier version stays.
    """
    file.seek(0)
    kind = kind_of(name, file.read(HEAD_BYTES))
    size = os.fstat(file.fileno()).st_size
    if size > sandbox.limits.file_bytes:
        raise DocumentTooLarge
    file.seek(0)
    digest = (await asyncio.to_thread(hashlib.file_digest, file, "sha256")).hexdigest()
    settled = await settle(rpc, place, person or str((await rpc.call("whoami"))["user_id"]), digest)
    known, loading = await _begin(rpc, settled.place, {"sha256": digest, "byte_size": size, "media_type": kind.media_type})
    if known is not None:
        changed = await same(rpc, settled, known.document_id)
        done = replace(known, state="changed", changed=changed) if changed else known
    else:
        loaded = await _load(rpc, embedder, sandbox, loading, file, kind, person, progress)
        done = replace(loaded, changed=settled.changed, replaced=loaded.replaced or next(iter(settled.over), None))
    for document in settled.over:
        await rpc.call("delete_document", {"org_id": place.org_id, "document_id": document})
    return done


async def _load(rpc: Rpc, embedder: Embedder, sandbox: Sandbox, loading: dict[str, str], file: BinaryIO, kind: Kind, person: str,
                progress: Progress) -> Ingested:
    try:
        with await sandbox.read(file, kind, person) as extracted:
            await _keep(rpc, loading, file)
            return await _store(rpc, embedder, loading, extracted.batches(AT_ONCE), extracted.passages, progress)
    except Exception:
        # What is half loaded nobody sees, but it takes room until the same person comes again with the same uri.
        with contextlib.suppress(AgentError):
            await rpc.call("delete_document", loading)
        raise


async def _begin(rpc: Rpc, place: Place, about: dict[str, Any]) -> tuple[Ingested | None, dict[str, str]]:
    """Return what is there unchanged, or None, and the arguments that name the document from now on."""
    given = {name: value for name, value in asdict(place).items() if value is not None}
    begun = await rpc.call("begin_document", given | about)
    loading = {"org_id": place.org_id, "document_id": str(begun["document_id"])}
    known = Ingested(loading["document_id"], "unchanged", 0) if begun["state"] == "unchanged" else None
    return known, loading


async def _keep(rpc: Rpc, loading: dict[str, str], file: BinaryIO) -> None:
    """Store the bytes of the file."""
    file.seek(0)
    position = 0
    while part := await asyncio.to_thread(file.read, PART_BYTES):
        content = base64.b64encode(part).decode()
        await rpc.call("add_file_part", loading | {"position": position, "content": content})
        position += 1


async def _store(rpc: Rpc, embedder: Embedder, loading: dict[str, str], parts: Iterable[list[Chunk]], total: int,
                 progress: Progress) -> Ingested:
    done = 0
    progress(done, total)
    allowed = EmbedderFor(embedder, rpc, loading["org_id"], document_id=loading["document_id"])
    for part in parts:
        vectors = await allowed.embed([piece.content for piece in part])
        # Six digits: the database keeps single precision, and the body stays a third of the size.
        rows = [asdict(piece) | {"embedding": [round(x, 6) for x in vector]}
                for piece, vector in zip(part, vectors, strict=True)]
        for batch in _batches(rows):
            await rpc.call("add_chunks", loading | {"chunks": batch})
        done += len(part)
        progress(done, total)
    finished = await rpc.call("finish_document", loading)
    return Ingested(loading["document_id"], "stored", int(finished["chunks"]), finished["replaced"])


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
