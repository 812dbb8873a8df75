"""Documents, their passages, their files and their search."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tests.db.registry.decision import Decision
from tests.db.registry.knowledge_base import ALL, APPLIES, EDIT, OWN, on_base
from tests.db.registry.recipe import Recipe, embedding

if TYPE_CHECKING:
    from tests.db.session import Person, Request
    from tests.db.world import Organization

_CHUNK = {"position": 0, "heading": "Probe", "content": "probe", "start_char": 0, "end_char": 5, "embedding": embedding(0)}
_VECTOR = str(embedding(0))


def _granted(levels: str, document: str) -> str:
    return f"exists (select from app.document_grant g where g.org_id = t.org_id and g.document_id = {document} and g.level in ({levels}) and {APPLIES})"


def _read(document: str) -> str:
    return (f"(t.visibility = 'organization' or t.owner_id = :me or {_granted(ALL, document)}"
            f" or t.visibility = 'knowledge_base' and {on_base(ALL)})")


def _change(levels: str) -> str:
    return (f"can(documents.read) and (t.owner_id = :me and t.owner_left_at is null or {_granted(levels, 't.id')} or t.visibility <> 'private' and {on_base(levels)}"
            f" or can(documents.manage) and (t.visibility = 'organization' or {_granted(ALL, 't.id')}"
            f" or t.visibility = 'knowledge_base' and {on_base(ALL)}))")


_LOADED = "(t.state = 'ready' or t.owner_id = :me)"
_READ_OF = f"exists (select from app.document d where d.org_id = t.org_id and d.id = t.document_id and {_read('d.id').replace('t.', 'd.')})"
_OWN_OF = f"exists (select from app.document d where d.org_id = t.org_id and d.id = t.document_id and {_change(OWN).replace('t.', 'd.')})"
_PASSAGE = {"org_id": ":org", "document_id": ":loading_document", "knowledge_base_id": ":knowledge_base", "visibility": "'organization'", "owner_id": ":owner",
            "position": "99"}

TABLES: dict[str, Decision] = {
    "document": Decision(
        write_scope="documents.manage", read=f"can(documents.read) and {_LOADED} and {_read('t.id')}", insert="can(documents.manage)",
        update=f"{_LOADED} and {_change(EDIT)}", delete=f"{_LOADED} and {_change(EDIT)}", change="title = 'Probe'",
        new={"org_id": ":org", "knowledge_base_id": ":knowledge_base", "title": "'Probe'", "uri": "'test:probe'", "sha256": "repeat('0', 64)"}),
    "chunk": Decision(
        write_scope="documents.manage", read=f"can(documents.read) and {_read('t.document_id')}", insert="can(documents.read) and :me = :owner",
        new=_PASSAGE | {"content": "'probe'", "start_char": "0", "end_char": "5", "embedding": "array_fill(0.05, array[384])::extensions.vector"}),
    "document_part": Decision(
        write_scope="documents.manage", read=f"can(documents.read) and {_read('t.document_id')}", insert="can(documents.read) and :me = :owner", new=_PASSAGE | {"content": r"'\x00'"}),
    "document_grant": Decision(
        write_scope="documents.manage", read=f"can(documents.read) and {_READ_OF} and ({APPLIES.replace('g.', 't.')} or {_OWN_OF})", insert="can(documents.manage)",
        delete=f"can(documents.read) and {_READ_OF} and (t.user_id = :me or {_OWN_OF})",
        new={"org_id": ":org", "document_id": ":document", "user_id": ":auditor"}),
    "deletion_receipt": Decision(
        "t.deleted_by = :me and can(documents.read) or can(audit.read)", insert="can(documents.read)",
        new={"org_id": ":org", "document_id": ":document", "knowledge_base_id": ":knowledge_base", "sha256": "repeat('0', 64)", "chunks": "1", "parts": "1"}),
}

RECIPES: dict[str, Recipe] = {
    "list_documents": ("owner", {"org_id": ":org", "knowledge_base_id": ":knowledge_base", "tagged": [], "since": "2020-01-01", "until": None,
                                 "after_uri": "a", "max_rows": 1000}),
    "begin_document": ("owner", {"org_id": ":org", "knowledge_base_id": ":knowledge_base", "title": "Probe", "uri": "test:probe",
                                 "sha256": "0" * 64, "visibility": "organization", "media_type": "text/plain", "byte_size": 5, "tags": ["probe"],
                                 "classification": 1, "source": "upload", "trust": "untrusted", "modified_at": "2026-01-01"}),
    "add_chunks": ("owner", {"org_id": ":org", "document_id": ":loading_document", "chunks": [_CHUNK]}),
    "add_file_part": ("owner", {"org_id": ":org", "document_id": ":loading_document", "position": 0, "content": "cHJvYmU="}),
    "finish_document": ("owner", {"org_id": ":org", "document_id": ":loaded_document"}),
    "get_document": ("customer", {"org_id": ":org", "document_id": ":document"}),
    "read_file_part": ("agent", {"org_id": ":org", "document_id": ":vault_document", "position": 0}),
    "preview_document": ("customer", {"org_id": ":org", "document_id": ":document", "start_char": 0, "max_chars": 2000}),
    "delete_document": ("owner", {"org_id": ":org", "document_id": ":document"}),
    "update_document": ("owner", {"org_id": ":org", "document_id": ":document", "title": "Probe", "visibility": "organization", "classification": 1,
                                  "tags": ["probe"], "trust": "trusted"}),
    "share_document": ("admin", {"org_id": ":org", "document_id": ":shared_document", "user_id": ":member", "team_id": None, "level": "viewer"}),
    "unshare_document": ("admin", {"org_id": ":org", "document_id": ":shared_document", "user_id": ":analyst", "team_id": None}),
    "list_document_grants": ("admin", {"org_id": ":org", "document_id": ":shared_document"}),
    "sync_document_access": ("admin", {"org_id": ":org", "document_id": ":shared_document", "synced_at": "2026-01-01T00:00:00Z",
                                       "grants": [{"user_id": ":analyst"}, {"team_id": ":team", "level": "editor"}]}),
    "list_left_documents": ("owner", {"org_id": ":org"}),
    "adopt_document": ("owner", {"org_id": ":org", "document_id": ":left_document"}),
    "set_access_max_age": ("owner", {"org_id": ":org", "hours": 24}),
    "search_documents": ("customer", {"org_id": ":org", "query": "delivery", "query_embedding": _VECTOR, "max_rows": 50, "run_id": ":running_run",
                                      "knowledge_bases": None, "tags": None, "since": None, "until": None}),
}

EVENTS: dict[str, list[str]] = {
    "begin_document": ["document.insert"],
    "finish_document": ["document.insert", "document.update"],
    "delete_document": ["document.delete"],
    "update_document": ["document.update"],
    "share_document": ["document_grant.insert"],
    "unshare_document": ["document_grant.delete"],
    "sync_document_access": ["document.update", "document_grant.insert"],
    "adopt_document": ["document.update"],
    "set_access_max_age": ["organization.update"],
    "search_documents": ["documents.search"],
    "read_file_part": ["document.read"],
    "preview_document": ["document.read"],
}

_WITH = [{"user_id", "team_id"}]
EITHER: dict[str, list[set[str]]] = {"share_document": _WITH, "unshare_document": _WITH}

# They belong to a document whose begin and end are recorded.
OWN_RECORD = {"add_chunks", "add_file_part"}


@contextmanager
def speaking_as(db: Request, person: Person) -> Iterator[None]:
    """The same transaction as somebody else."""
    before = db.one("select current_setting('request.jwt.claims')")
    db.run("select set_config('request.jwt.claims', %s, true)", json.dumps(person.claims()))
    yield
    db.run("select set_config('request.jwt.claims', %s, true)", before)


def add_with_file(db: Request, organization: Organization, base: str, name: str, chunks: int, **more: Any) -> UUID:
    """Load a document of `chunks` passages together with the file they are cut from."""
    texts = [f"Passage {i} of {name} is about the {organization.canary}." for i in range(chunks)]
    file = "\n".join(texts).encode()
    begun = db.rpc("begin_document", org_id=organization.id, knowledge_base_id=organization.ids[base], title=f"{name} {organization.canary}",
                   uri=f"test:{name}-{organization.canary}", sha256=hashlib.sha256(file).hexdigest(), byte_size=len(file), **more)
    document = UUID(str(begun["document_id"]))
    starts = [sum(len(t) + 1 for t in texts[:i]) for i in range(chunks)]
    db.rpc("add_chunks", org_id=organization.id, document_id=document, chunks=[
        {"position": i, "heading": f"Of {organization.canary}", "content": text, "start_char": starts[i], "end_char": starts[i] + len(text),
         "embedding": embedding(i)} for i, text in enumerate(texts)])
    half = len(file) // 2
    for position, content in enumerate((file[:half], file[half:])):
        db.rpc("add_file_part", org_id=organization.id, document_id=document, position=position, content=base64.b64encode(content).decode())
    db.rpc("finish_document", org_id=organization.id, document_id=document)
    return document


def fill(db: Request, organization: Organization) -> None:
    """A private document of the admin's, shared with the analyst; and the receipt of one that was deleted."""
    ids, people = organization.ids, organization.people
    with speaking_as(db, people["admin"]):
        ids["shared_document"] = add_with_file(db, organization, "knowledge_base", "shared", 1, visibility="private")
        db.run("insert into app.document_grant (org_id, document_id, user_id) values (%s, %s, %s)",
               organization.id, ids["shared_document"], people["analyst"].user_id)
        gone = add_with_file(db, organization, "knowledge_base", "gone", 1)
        assert db.rpc("delete_document", org_id=organization.id, document_id=gone)["chunks"] == 1
