"""How the cross-tenant sweep calls each function of schema api: a call that works for the caller, argument by argument.

`:name` stands for an id of the caller's own organization. A function that is not here, or whose arguments differ, fails the sweep.
"""

from __future__ import annotations

from typing import Any

from tests.db.world import embedding

_CHUNK = {"position": 0, "content": "probe", "start_char": 0, "end_char": 5, "embedding": embedding(0)}
_VECTOR = str(embedding(0))
# By function: who calls it, and with what.
RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    "tool_catalog": ("customer", {}),
    "whoami": ("customer", {}),
    "create_organization": ("customer", {"slug": "probe", "name": "Probe"}),
    "list_members": ("owner", {"org_id": ":org"}),
    "add_member": ("owner", {"org_id": ":org", "user_id": ":nobody", "role": "member"}),
    "change_member": ("owner", {"org_id": ":org", "user_id": ":member", "role": "agent"}),
    "remove_member": ("owner", {"org_id": ":org", "user_id": ":member"}),
    "set_mfa_policy": ("owner", {"org_id": ":org", "required": True}),
    "create_knowledge_base": ("owner", {"org_id": ":org", "slug": "probe", "name": "Probe"}),
    "list_knowledge_bases": ("owner", {"org_id": ":org"}),
    "list_documents": ("owner", {"org_id": ":org", "knowledge_base_id": ":knowledge_base"}),
    "begin_document": ("owner", {"org_id": ":org", "knowledge_base_id": ":knowledge_base", "title": "Probe", "uri": "test:probe",
                                 "sha256": "0" * 64, "visibility": "organization"}),
    "add_chunks": ("owner", {"org_id": ":org", "document_id": ":loading_document", "chunks": [_CHUNK]}),
    "finish_document": ("owner", {"org_id": ":org", "document_id": ":loaded_document"}),
    "search_documents": ("customer", {"org_id": ":org", "query": "delivery", "query_embedding": _VECTOR, "max_rows": 50, "run_id": ":running_run"}),
    "create_bot": ("owner", {"org_id": ":org", "slug": "probe", "name": "Probe", "instructions": "Probe."}),
    "share_bot": ("owner", {"org_id": ":org", "bot_id": ":hidden_bot", "role": None, "user_id": ":member"}),
    "bind_bot": ("owner", {"org_id": ":org", "bot_id": ":hidden_bot", "knowledge_base_id": ":knowledge_base", "tool": None}),
    "list_bots": ("customer", {}),
    "start_run": ("customer", {"bot": ":org/:bot", "question": "Probe?", "conversation_id": ":conversation", "request_id": "probe"}),
    "call_tool": ("customer", {"run_id": ":running_run", "tool": "search_documents", "arguments": {"query": "delivery"}, "query_embedding": _VECTOR}),
    "record_step": ("customer", {"run_id": ":running_run", "model": "m", "provider": "p", "input_tokens": 1, "output_tokens": 1, "duration_ms": 1,
                                 "outcome": "ok"}),
    "finish_run": ("customer", {"run_id": ":running_run", "outcome": "succeeded", "answer": "Yes.", "citations": [], "error_code": None}),
    "list_run_steps": ("customer", {"org_id": ":org", "run_id": ":run"}),
    "list_conversations": ("customer", {"org_id": ":org"}),
    "list_messages": ("customer", {"org_id": ":org", "conversation_id": ":conversation"}),
    "place_order": ("customer", {"org_id": ":org", "order_number": "PRB-777", "total_cents": 1, "currency": "EUR", "items": []}),
    "my_orders": ("customer", {"org_id": ":org", "max_rows": 20}),
    "get_order": ("customer", {"org_id": ":org", "number": "ORD-2000"}),
    "create_ticket": ("customer", {"org_id": ":org", "subject": "s", "body": "b", "order_number": "ORD-2000",
                                   "idempotency_key": "00000000-0000-4000-8000-000000000001"}),
}
# Arguments in which an id of another organization's person is no secret: a manager adds people by their id, whoever they belong to.
PEOPLE_AT_LARGE = {("add_member", "user_id")}
# Chosen by the caller, names nothing that exists before.
CHOSEN = {("create_ticket", "idempotency_key")}

HOSTILE: list[Any] = [
    None, "", " ", "*", "%", "null", "'; drop table app.bot; --", "\\", "a" * 3000, "ä" * 5000, "a & b | !c", "\u202e\u0001", "../..", "{}", "[]",
    0, -1, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**400, 1.5, float("nan"), float("inf"), True,
    [], {}, [None], [[]], ["*"], [{}], {"a": None}, [1, [2, [3]]], {"query": {"$ne": None}}, [{"embedding": []}], [{"position": "x"}],
    "00000000-0000-0000-0000-000000000000", "{00000000-0000-4000-8000-000000000001}",
]
