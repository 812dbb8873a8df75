"""What stands at a place already when a document is added there, and who reads the new version.

For the database an open and a private document of one place are two (`begin_document`). Who adds a file means one: what it replaces leaves no
copy that others read, nothing private is published because an option was left out, and what is asked for is not passed over because the bytes
are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from agent.errors import Conflict, Denied, NotVisible
from agent.rpc import Json, Rpc

if TYPE_CHECKING:
    from agent.ingest import Place

_FEW, _MOST = 20, 1000
_FOR_OWNERS = ("a document is there already, and who reads it (its class, whether it is private) is for its owner or documents.manage to change; "
               "nobody gives a class that they may not read")


@dataclass(frozen=True, slots=True)
class Settled:
    """Where the document goes, and what the person changed by adding it."""

    place: "Place"
    there: Sequence[Json] = ()
    changed: dict[str, Any] = field(default_factory=dict)
    """Done already: the version that is there is what is asked for."""
    over: tuple[str, ...] = ()
    """Ids of documents of the person's own that the new version takes the place of, beside the one that the database replaces."""


async def settle(rpc: Rpc, place: "Place", person: str, sha256: str) -> Settled:
    """Return how the document is kept, by what is asked for and what stands there. Raises: Conflict, Denied, DatabaseError."""
    there = await _standing(rpc, place)
    mine = next((one for one in there if one["visibility"] == "private" and one["owner_id"] == person), None)
    shared = [one for one in there if one["visibility"] != "private"]
    if place.visibility is None:
        return Settled(replace(place, visibility="private") if mine and not shared else place, there)
    private = place.visibility == "private"
    if private and any(one["owner_id"] != person for one in shared):
        raise Conflict("somebody else added it, and others read it: it is for its owner to make private, or for them or documents.manage to delete. "
                       "Yours can be private under another name")
    if not (shared if private else mine):
        return Settled(place, there)
    if private and mine is None and len(shared) == 1 or not private and mine and not shared and mine["sha256"] == sha256:
        # First, so that what is to be private is no longer read when the rest fails.
        await change(rpc, place.org_id, (mine or shared[0])["id"], visibility=place.visibility)
        return Settled(place, there, {"visibility": place.visibility})
    # Of what is replaced the most confidential counts, unless somebody says so.
    told = place.classification if place.classification is not None else max(one["classification"] for one in (*shared, *([mine] if mine else [])))
    over = tuple(str(one["id"]) for one in (shared if private else [mine]) if one)
    return Settled(replace(place, classification=told), there, {"visibility": place.visibility}, over)


async def same(rpc: Rpc, settled: Settled, document_id: str) -> dict[str, Any]:
    """Return what is different now of the unchanged document: what was asked for and was not so. Raises: Denied, DatabaseError."""
    place, key = settled.place, {"org_id": settled.place.org_id, "document_id": document_id}
    known = next((one for one in settled.there if one["id"] == document_id), None) or await rpc.call("get_document", key)
    wanted: dict[str, Any] = {}
    if place.classification not in (None, known["classification"]):
        wanted["classification"] = place.classification
    if place.tags and set(place.tags) != set(known["tags"]):
        wanted["tags"] = place.tags
    if wanted:
        await change(rpc, place.org_id, document_id, **wanted)
    return settled.changed | wanted


async def change(rpc: Rpc, org_id: str, document_id: str, **wanted: Any) -> None:
    """Change who reads a document. Raises: Denied with who may, DatabaseError."""
    try:
        await rpc.call("update_document", {"org_id": org_id, "document_id": document_id, **wanted})
    except (Denied, NotVisible) as err:
        raise Denied(_FOR_OWNERS) from err


async def _standing(rpc: Rpc, place: "Place") -> list[Json]:
    """Return the documents at the place that the person sees. The order is the database's, so where the place would be, it says."""
    base = {"org_id": place.org_id, "knowledge_base_id": place.knowledge_base_id}
    after, most, beyond = place.uri[:-1], _FEW, None
    while True:
        rows = await rpc.call("list_documents", base | {"after_uri": after, "max_rows": most})
        found = [one for one in rows if one["uri"] == place.uri]
        if len(rows) < most or found and (rows[-1]["uri"] != place.uri or most == _MOST):
            return [one for one in found if one["state"] == "ready"]
        if not found:
            if beyond is None:
                beyond = {one["id"] for one in await rpc.call("list_documents", base | {"after_uri": place.uri, "max_rows": 1})}
            if beyond & {one["id"] for one in rows}:
                return []
            after = rows[-1]["uri"]
        most = _MOST
