"""One call of every function of api that succeeds, for tests that change one thing about it."""

from __future__ import annotations

import json
from typing import Any

from tests.db.world import World, embedding


def calls(world: World) -> dict[str, dict[str, Any]]:
    """Return for every function of api a call by acme's owner that succeeds."""
    acme, ids = world.acme, world.acme.ids
    org = {"org_id": acme.id}
    return {
        "add_chunks": org | {"document_id": ids["loading"], "chunks": [
            {"position": 7, "content": "x", "start_char": 0, "end_char": 1, "embedding": embedding(3)}]},
        "add_member": org | {"user_id": world.nobody.user_id, "role": "member"},
        "begin_document": org | {"knowledge_base_id": ids["knowledge_base"], "title": "t", "uri": "u", "sha256": "0" * 64},
        "bind_bot": org | {"bot_id": ids["hidden_bot"], "tool": "get_order"},
        "call_tool": {"run_id": ids["own_run"], "tool": "search_documents", "arguments": {"query": "passage delivery"},
                      "query_embedding": json.dumps(embedding(1))},
        "change_member": org | {"user_id": acme.people["member"].user_id, "role": "builder"},
        "create_bot": org | {"slug": "shadow", "name": "Shadow"},
        "create_knowledge_base": org | {"slug": "shadow", "name": "Shadow"},
        "create_organization": {"slug": "shadow", "name": "Shadow"},
        "create_ticket": org | {"subject": "s", "body": "b", "order_number": "ORD-1000"},
        "finish_document": org | {"document_id": ids["loading"]},
        "finish_run": {"run_id": ids["own_run"], "outcome": "succeeded", "answer": "done"},
        "get_order": org | {"number": "ORD-2000"},
        "list_bots": {},
        "list_conversations": org,
        "list_documents": org | {"knowledge_base_id": ids["knowledge_base"]},
        "list_knowledge_bases": org,
        "list_members": org,
        "list_messages": org | {"conversation_id": ids["own_conversation"]},
        "list_run_steps": org | {"run_id": ids["run"]},
        "my_orders": org,
        "place_order": org | {"order_number": "ORD-3000", "total_cents": 1, "currency": "EUR"},
        "record_step": {"run_id": ids["own_run"], "model": "m", "provider": "p", "input_tokens": 1, "output_tokens": 1, "duration_ms": 1},
        "remove_member": org | {"user_id": acme.people["auditor"].user_id},
        "search_documents": org | {"query": "passage delivery", "query_embedding": json.dumps(embedding(2))},
        "set_mfa_policy": org | {"required": True},
        "share_bot": org | {"bot_id": ids["hidden_bot"]},
        "start_run": {"bot": "acme/helpdesk", "question": "what?"},
        "tool_catalog": {},
        "whoami": {},
    }


def prepare(world: World) -> None:
    """Begin a run and a document of acme's owner, for the calls that go on with one."""
    with world.as_(world.acme.people["owner"], keep=True) as db:
        run = db.rpc("start_run", bot="acme/helpdesk", question="first?")
        world.acme.ids |= {"own_run": run["run_id"], "own_conversation": run["conversation_id"]}
        world.acme.ids["loading"] = db.rpc(
            "begin_document", org_id=world.acme.id, knowledge_base_id=world.acme.ids["knowledge_base"], title="l", uri="l", sha256="1" * 64)["document_id"]
        db.rpc("add_chunks", org_id=world.acme.id, document_id=world.acme.ids["loading"], chunks=[
            {"position": 0, "content": "x", "start_char": 0, "end_char": 1, "embedding": embedding(3)}])
