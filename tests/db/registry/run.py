"""Conversations, runs, their steps and messages."""

from __future__ import annotations

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe, embedding

_VECTOR = str(embedding(0))
_RUNS, _RECORD = frozenset({"bots.run"}), frozenset({"bots.run", "runs.read"})

TABLES: dict[str, Decision] = {
    "conversation": Decision(
        "t.user_id = :me", insert="can(bots.run)", new={"org_id": ":org", "bot_id": ":bot", "title": "'Probe'"}, scope=_RUNS),
    "run": Decision(
        "t.user_id = :me or can(runs.read)", insert="can(bots.run)", update="t.user_id = :me and t.status = 'running'",
        change="error_code = 'Probe'", own_parent=True,
        new={"org_id": ":org", "bot_id": ":bot", "bot_version": "1", "conversation_id": ":conversation", "question_sha256": "repeat('0', 64)"}, scope=_RECORD),
    "run_step": Decision(
        "t.user_id = :me or can(runs.read)", insert=":me = :customer",
        new={"org_id": ":org", "run_id": ":running_run", "position": "99", "kind": "'model'", "name": "'probe'", "outcome": "'ok'"}, scope=_RECORD),
    "message": Decision(
        "t.user_id = :me", insert=":me = :customer",  # what its run says was asked and answered, and nothing else
        new={"org_id": ":org", "conversation_id": ":conversation", "run_id": ":silent_run", "role": "'assistant'", "content": "''"}, scope=_RUNS),
}

RECIPES: dict[str, Recipe] = {
    "start_run": ("customer", {"bot": ":org/:bot", "question": "Probe?", "conversation_id": ":conversation", "request_id": "probe"}),
    "call_tool": ("customer", {"run_id": ":running_run", "tool": "search_documents", "arguments": {"query": "delivery"}, "query_embedding": _VECTOR}),
    "finish_run": ("customer", {"run_id": ":running_run", "outcome": "succeeded", "answer": "Yes.", "citations": [], "error_code": None}),
    "list_bot_tools": ("customer", {"bot": ":org/:bot"}),
    "use_tool": ("customer", {"bot": ":org/:bot", "tool": "search_documents", "arguments": {"query": "delivery"}, "query_embedding": _VECTOR,
                              "request_id": "probe"}),
    "list_runs": ("customer", {"org_id": ":org", "max_rows": 100}),
    "list_run_steps": ("customer", {"org_id": ":org", "run_id": ":run"}),
    "list_conversations": ("customer", {"org_id": ":org"}),
    "list_messages": ("customer", {"org_id": ":org", "conversation_id": ":conversation"}),
}

EVENTS: dict[str, list[str]] = {
    "start_run": ["run.insert"],
    "finish_run": ["run.update", "approval.update"],  # something waited in it
    "use_tool": ["run.insert", "run.update", "tool.call", "run.update"],  # what it read, and its end
    "call_tool": ["tool.call"],
}
