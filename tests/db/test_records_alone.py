"""What a message and a step of a run must be to be written past the functions, one condition at a time (F28, F39)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.world import World

CITED, ELSEWHERE = '[{{"document_id": "{document}", "chunk_id": "{chunk}"}}]', '[{{"document_id": "{document}", "chunk_id": "{other_chunk}"}}]'
MESSAGES: dict[str, tuple[str, str, str, str, str, str, bool]] = {
    # what is so besides; who asks; of which run; role, text and citations; and whether it may be
    "the question": ("", "customer", "run", "user", "What of the {canary}?", "[]", True), "another question": ("", "customer", "run", "user", "What else?", "[]", False),
    "a question that cites": ("", "customer", "run", "user", "What of the {canary}?", CITED, False),
    "the question of somebody else": ("", "owner", "run", "user", "What of the {canary}?", "[]", False),
    "the question of another run": ("", "customer", "silent_run", "user", "What of the {canary}?", "[]", False),
    "its own question": ("", "customer", "silent_run", "user", "Never mind.", "[]", True),
    "the answer": ("", "customer", "run", "assistant", "The {canary}.", CITED, True), "another answer": ("", "customer", "run", "assistant", "Not the {canary}.", CITED, False),
    "an answer before the end": ("update app.run set status = 'running' where id = '{run}'", "customer", "run", "assistant", "The {canary}.", CITED, False),
    "an answer whose citations are no list": ("", "customer", "run", "assistant", "The {canary}.", "{{}}", False),
    "an answer without citations": ("", "customer", "run", "assistant", "The {canary}.", "[]", True),
    "an answer that cites what was not found": ("", "customer", "run", "assistant", "The {canary}.", ELSEWHERE, False),
    "an answer that cites what another run found": ("update app.run_step set run_id = '{silent_run}' where run_id = '{run}'", "customer", "run", "assistant", "The {canary}.", CITED, False),
    "an answer that cites what a run of the same id found elsewhere": (
        "update app.run_step set org_id = '{globex}' where run_id = '{run}'", "customer", "run", "assistant", "The {canary}.", CITED, False),
    "the question of a run elsewhere": ("update app.run set org_id = '{globex}' where id = '{run}'", "customer", "run", "user", "What of the {canary}?", "[]", False),
    "the question of a run in another conversation": ("update app.run set conversation_id = gen_random_uuid() where id = '{run}'", "customer", "run", "user", "What of the {canary}?", "[]", False),
}
NONE = "null, null"
SHA = "repeat('0', 64)"
STEPS: dict[str, tuple[str, bool]] = {
    # kind, name, provider, digest of the arguments, sources, rows, tokens in and out, outcome
    "a model's": ("'model', 'none', 'offline', null, '[]', null, 1, 1, 'ok'", True),
    "a model's with sources": (f"'model', 'none', 'offline', null, '{CITED}', null, 1, 1, 'ok'", False),
    "a model's with arguments": (f"'model', 'none', 'offline', {SHA}, '[]', null, 1, 1, 'ok'", False),
    "a model's with rows": ("'model', 'none', 'offline', null, '[]', 1, 1, 1, 'ok'", False),
    "a tool's": (f"'tool', 'my_orders', null, {SHA}, '[]', 1, {NONE}, 'ok'", True),
    "another tool's": (f"'tool', 'ask_data', null, {SHA}, '[]', 1, {NONE}, 'ok'", False),
    "a tool's with tokens": (f"'tool', 'my_orders', null, {SHA}, '[]', 1, 1, 1, 'ok'", False),
    "a tool's without arguments": (f"'tool', 'my_orders', null, null, '[]', 1, {NONE}, 'ok'", False),
    "a tool's without a list of sources": (f"'tool', 'my_orders', null, {SHA}, '{{{{}}}}', 1, {NONE}, 'ok'", False),
    "a failed tool's": (f"'tool', 'my_orders', null, {SHA}, '[]', 0, {NONE}, 'error'", True),
    "a failed tool's with sources": (f"'tool', 'search_documents', null, {SHA}, '{CITED}', 0, {NONE}, 'error'", False),
    "a failed tool's with rows": (f"'tool', 'my_orders', null, {SHA}, '[]', 1, {NONE}, 'error'", False),
    "a search's": (f"'tool', 'search_documents', null, {SHA}, '{CITED}', 1, {NONE}, 'ok'", True),
    "a search's with a passage of another document": (f"'tool', 'search_documents', null, {SHA}, '{ELSEWHERE}', 1, {NONE}, 'ok'", False),
    "a search's with no passage": ("'tool', 'search_documents', null, " + SHA + ", '[{{\"document_id\": \"{document}\", \"chunk_id\": \"nothing\"}}]', 1, " + NONE + ", 'ok'", False),
    "a reading's, of a document": ("'tool', 'search_documents', null, " + SHA + ", '[{{\"document_id\": \"{document}\"}}]', 1, " + NONE + ", 'ok'", True),
}


def names(world: World) -> dict[str, Any]:
    with world.operator() as db:
        document = db.one("select document_id from app.chunk where id = %s and org_id = %s", world.acme.ids["chunk"], world.acme.id)
        other = db.one("select id from app.chunk where org_id = %s and document_id <> %s limit 1", world.acme.id, document)
    return world.acme.ids | {"document": document, "other_chunk": other, "canary": world.acme.canary, "globex": world.globex.id}


# In the name of the person; the superuser asks where no policy of the tables looked at shall say anything.
ROLES = ("authenticated", "none")


@pytest.mark.parametrize("what", MESSAGES)
@pytest.mark.parametrize("asks", ROLES)
def test_a_message_is_what_its_run_was_asked_or_answered_F28(world: World, asks: str, what: str) -> None:
    change, who, run, role, text, citations, may = MESSAGES[what]
    ids = names(world)
    with planted(world, REPLICA, *([change.format(**ids)] if change else [])) as db:
        become(db, world.acme.people[who], role=asks)
        assert db.one("select authz.may_be_message(%s, %s, %s, %s, %s, %s::text::jsonb)", world.acme.id, ids["conversation"], ids[run], role,
                      text.format(**ids), json.dumps(json.loads(citations.format(**ids)))) is may


@pytest.mark.parametrize("what", STEPS)
@pytest.mark.parametrize("asks", ROLES)
def test_a_step_is_what_a_model_or_a_tool_of_the_bot_can_have_done_F39(world: World, asks: str, what: str) -> None:
    row, may = STEPS[what]
    with planted(world) as db:
        become(db, world.acme.people["customer"], role=asks)
        assert db.one(f"select authz.may_be_step(%s, %s, {row.format(**names(world))})", world.acme.id, world.acme.ids["running_run"]) is may


@pytest.mark.parametrize(("step", "table", "key"), [("a tool's", "run", "running_run"), ("a search's", "chunk", "chunk")])
@pytest.mark.parametrize("asks", ROLES)
def test_a_step_is_of_a_run_and_of_passages_of_its_organization_F39(world: World, asks: str, step: str, table: str, key: str) -> None:
    ids = names(world)
    with planted(world, REPLICA) as db:
        for may in (True, False):
            become(db, world.acme.people["customer"], role=asks)
            assert db.one(f"select authz.may_be_step(%s, %s, {STEPS[step][0].format(**ids)})", world.acme.id, ids["running_run"]) is may
            db.run("select set_config('role', 'none', true)")
            db.run(f"update app.{table} set org_id = %s where id = %s", world.globex.id, ids[key])
