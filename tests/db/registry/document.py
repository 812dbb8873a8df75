"""Knowledge bases, documents, passages and their search."""

from __future__ import annotations

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe, embedding

_CHUNK = {"position": 0, "content": "probe", "start_char": 0, "end_char": 5, "embedding": embedding(0)}
_VECTOR = str(embedding(0))
_SHARED_OR_OWN = "(t.visibility = 'organization' or t.owner_id = :me)"

TABLES: dict[str, Decision] = {
    "knowledge_base": Decision(
        "can(documents.read)", insert="can(documents.manage)", update="can(documents.manage)",
        change="name = 'Probe'", new={"org_id": ":org", "slug": "'probe'", "name": "'Probe'"}),
    "document": Decision(
        f"can(documents.read) and {_SHARED_OR_OWN}", insert="can(documents.manage)", update=f"can(documents.manage) and {_SHARED_OR_OWN}",
        delete=f"can(documents.manage) and {_SHARED_OR_OWN}", change="title = 'Probe'",
        new={"org_id": ":org", "knowledge_base_id": ":knowledge_base", "title": "'Probe'", "uri": "'test:probe'", "sha256": "repeat('0', 64)"}),
    "chunk": Decision(
        f"can(documents.read) and {_SHARED_OR_OWN}", insert="can(documents.manage) and :me = :owner",
        new={"org_id": ":org", "document_id": ":loading_document", "knowledge_base_id": ":knowledge_base", "visibility": "'organization'",
             "owner_id": ":owner", "position": "99", "content": "'probe'", "start_char": "0", "end_char": "5",
             "embedding": "array_fill(0.05, array[384])::extensions.vector"}),
}

RECIPES: dict[str, Recipe] = {
    "create_knowledge_base": ("owner", {"org_id": ":org", "slug": "probe", "name": "Probe"}),
    "list_knowledge_bases": ("owner", {"org_id": ":org"}),
    "list_documents": ("owner", {"org_id": ":org", "knowledge_base_id": ":knowledge_base"}),
    "begin_document": ("owner", {"org_id": ":org", "knowledge_base_id": ":knowledge_base", "title": "Probe", "uri": "test:probe",
                                 "sha256": "0" * 64, "visibility": "organization"}),
    "add_chunks": ("owner", {"org_id": ":org", "document_id": ":loading_document", "chunks": [_CHUNK]}),
    "finish_document": ("owner", {"org_id": ":org", "document_id": ":loaded_document"}),
    "search_documents": ("customer", {"org_id": ":org", "query": "delivery", "query_embedding": _VECTOR, "max_rows": 50, "run_id": ":running_run"}),
}

EVENTS: dict[str, list[str]] = {
    "create_knowledge_base": ["knowledge_base.insert"],
    "begin_document": ["document.insert"],
    "finish_document": ["document.insert", "document.update"],
}

# Chunks belong to a document whose begin and end are recorded.
OWN_RECORD = {"add_chunks"}
