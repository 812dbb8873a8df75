"""Documents as files, in the wire format of OpenAI's files.

    POST   /v1/files                          multipart: file, knowledge_base ("org/base", each by slug or id), title?, visibility?, tags?, classification?
    GET    /v1/files?knowledge_base=org/base  those one may read: by place, `limit` (1..999) at a time, `after` the id that came last
    GET    /v1/files/{org_id}/{document_id}   what is known about it
    GET    /v1/files/{org_id}/{document_id}/content   the bytes as they were uploaded, to be saved
    DELETE /v1/files/{org_id}/{document_id}   the document, its passages and its bytes; answers with the receipt

The id of a file is `{org_id}/{document_id}`. Every step is an RPC as the signed-in person: what they may not read through a
search they cannot download (F33). A file of the same name in the same knowledge base takes the place of the earlier one.
"""

import asyncio
import base64
import binascii
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from agent.asgi import Receive, Reply, Scope, while_connected
from agent.documents.classification import classification
from agent.documents.sandbox import Sandbox
from agent.embedding import Embedder, RemoteEmbedder, Vector
from agent.errors import BadRequest, NotVisible, UpstreamFailed
from agent.ingest import Ingested, Place, ingest_file
from agent.naming import knowledge_base_ids
from agent.rpc import Json, Rpc
from agent.upload import Arriving, Upload

FILES = "/v1/files"
_CONTENT = "/content"
_FIELDS = frozenset({"knowledge_base", "title", "visibility", "tags", "tags[]", "classification", "purpose"})
_VISIBILITIES = ("organization", "knowledge_base", "private")
_TITLE_CHARACTERS = 300
_MOST_LISTED = 999
"""And one more is asked for, to know whether there is more; the database gives 1000 at once."""
_UPLOADED = "upload:"
_NO_BASE = "no such knowledge base, or not yours to see"


class Files:
    """The routes under /v1/files; keeps nothing between requests."""

    def __init__(self, embedder: Embedder, sandbox: Sandbox | None = None) -> None:
        self._embedder, self._sandbox = _InTurn(embedder), sandbox or Sandbox()

    async def answer(self, rpc: Rpc, user_id: str, scope: Scope, receive: Receive, reply: Reply) -> None:
        """Answer one request. Raises: AgentError, ClientGone."""
        method, path = scope["method"], scope["path"].removeprefix(FILES).removeprefix("/")
        if (method, path) == ("POST", ""):
            async with Arriving(scope, receive, self._sandbox.limits.file_bytes) as upload:
                await reply.json(200, await while_connected(self._add(rpc, user_id, upload), receive))
        elif (method, path) == ("GET", ""):
            await reply.json(200, await listed(rpc, scope.get("query_string", b"")))
        elif method == "GET" and path.endswith(_CONTENT):
            await while_connected(_download(rpc, _named(path.removesuffix(_CONTENT)), reply), receive)
        elif method == "GET" and path:
            known = _named(path)
            await reply.json(200, _file(known["org_id"], await rpc.call("get_document", known)))
        elif method == "DELETE" and path:
            known = _named(path)
            receipt = await rpc.call("delete_document", known)
            await reply.json(200, {"id": _id(known), "object": "file", "deleted": True, "ringfence": receipt})
        else:
            raise NotVisible("There is no such route.")

    async def _add(self, rpc: Rpc, user_id: str, upload: Upload) -> Json:
        base = upload.one("knowledge_base")
        if not base:
            raise BadRequest('knowledge_base is missing: say which one the file is for, as "organization/base"; with an OpenAI client in extra_body.')
        if unknown := sorted(upload.fields.keys() - _FIELDS):
            raise BadRequest(f"{unknown[0][:60]}: no such field. The fields are file, knowledge_base and, if you like, "
                             f"{', '.join(sorted(_FIELDS - {'knowledge_base'}))}.")
        org_id, base_id = await _knowledge_base(rpc, base)
        place = Place(
            org_id, base_id, _title(upload), f"{_UPLOADED}{upload.filename}", _visibility(upload),
            _classification(upload), _tags(upload), source="api")
        done = await ingest_file(rpc, self._embedder, self._sandbox, place, upload.file, upload.filename, person=user_id)
        known = {"org_id": org_id, "document_id": done.document_id}
        return _file(org_id, await rpc.call("get_document", known), done)


class _InTurn:
    """Embeds one batch at a time, first come first served: a long document leaves the threads to the questions of others."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder, self._place = embedder, asyncio.Semaphore(1)

    @property
    def remote(self) -> RemoteEmbedder | None:
        return self._embedder.remote

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order."""
        async with self._place:
            return await self._embedder.embed(texts)

    async def close(self) -> None:
        """The embedder is closed by whom it belongs to."""


async def _download(rpc: Rpc, known: dict[str, str], reply: Reply) -> None:
    document = await rpc.call("get_document", known)
    if not document["parts"] or not document["byte_size"]:
        raise NotVisible("The document has no file.")
    left = int(document["byte_size"])
    for position in range(document["parts"]):
        answer = await rpc.call("read_file_part", known | {"position": position})
        try:
            part = base64.b64decode(answer["content"], validate=True)
        except (binascii.Error, KeyError, TypeError) as err:
            raise UpstreamFailed from err
        left -= len(part)
        if left < 0 or (position == document["parts"] - 1 and left):
            raise UpstreamFailed
        if not position:
            # Only now: until the first bytes are there, what goes wrong is an answer with a status of its own.
            await reply.file_begins(_filename(document), int(document["byte_size"]))
        await reply.file_part(part)


async def _knowledge_base(rpc: Rpc, name: str) -> tuple[str, str]:
    """Return the ids of organization and knowledge base; one of others and an absent one are the same. Raises: NotVisible, Conflict."""
    try:
        return await knowledge_base_ids(rpc, name)
    except NotVisible as err:
        raise NotVisible(_NO_BASE) from err


async def listed(rpc: Rpc, query: bytes) -> Json:
    """Return one page of the files of a knowledge base, as OpenAI lists them. Raises: BadRequest, NotVisible, Conflict."""
    given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    if not given.get("knowledge_base"):
        raise BadRequest('knowledge_base is missing: say whose files, as "organization/base"; with an OpenAI client in extra_query.')
    limit = given.get("limit", str(_MOST_LISTED))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= _MOST_LISTED):
        raise BadRequest(f"limit: must be 1 to {_MOST_LISTED}.")
    if given.get("order", "asc") != "asc":
        raise BadRequest("order: files are listed by their place, asc.")
    org_id, base_id = await _knowledge_base(rpc, given["knowledge_base"])
    wanted = {"org_id": org_id, "knowledge_base_id": base_id, "max_rows": int(limit) + 1}
    if after := given.get("after"):
        known = _named(after)
        if known["org_id"] != org_id:
            raise NotVisible("no such document")
        wanted["after_uri"] = (await rpc.call("get_document", known))["uri"]
    rows = await rpc.call("list_documents", wanted)
    data = [_file(org_id, row | {"knowledge_base_id": base_id}) for row in rows[:int(limit)]]
    return {"object": "list", "data": data, "has_more": len(rows) > int(limit),
            "first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}


def _title(upload: Upload) -> str:
    title = (upload.one("title") or upload.filename).strip()
    if not 0 < len(title) <= _TITLE_CHARACTERS:
        raise BadRequest(f"title: must have 1 to {_TITLE_CHARACTERS} characters.")
    return title


def _visibility(upload: Upload) -> Any:
    given = upload.one("visibility")
    if given is not None and given not in _VISIBILITIES:
        raise BadRequest(f"visibility: must be one of {', '.join(_VISIBILITIES)}.")
    return given


def _classification(upload: Upload) -> int | None:
    given = upload.one("classification")
    found = None if given is None else classification(given)
    if given is not None and found is None:
        raise BadRequest("classification: must be public (0), internal (1), confidential (2) or secret (3).")
    return found


def _tags(upload: Upload) -> tuple[str, ...]:
    """Return the tags: one a field, or several in one with commas between them."""
    given = upload.fields.get("tags", []) + upload.fields.get("tags[]", [])
    return tuple(dict.fromkeys(tag.strip() for value in given for tag in value.split(",") if tag.strip()))


def _named(path: str) -> dict[str, str]:
    """Return the arguments that name a document. Raises: NotVisible, the same as for one of others."""
    ids = path.split("/")
    try:
        if len(ids) == 2 and [str(uuid.UUID(one)) for one in ids] == ids:
            return {"org_id": ids[0], "document_id": ids[1]}
    except ValueError:
        pass
    raise NotVisible("no such document")


def _id(known: dict[str, str]) -> str:
    return f"{known['org_id']}/{known['document_id']}"


def _filename(document: Json) -> str:
    uri = str(document["uri"])
    return uri.removeprefix(_UPLOADED) if uri.startswith(_UPLOADED) else unquote(uri.removeprefix("file:").rsplit("/", 1)[-1]) or str(document["title"])


def _file(org_id: str, document: Json, done: Ingested | None = None) -> Json:
    """Return OpenAI's file object; what it has no member for is under `ringfence`."""
    state = done.state if done else document.get("state")
    return {
        "id": f"{org_id}/{document['id']}", "object": "file", "bytes": document["byte_size"] or 0, "filename": _filename(document),
        "created_at": int(datetime.fromisoformat(document["created_at"]).timestamp()), "purpose": "user_data", "status": "processed",
        "state": state,
        "ringfence": {name: value for name, value in document.items() if name != "parts"} | {
            "org_id": org_id, "replaced": done.replaced if done else None},
    } | ({"chunks": document["chunks"]} if "chunks" in document else {})
