"""Every function of the API through the edge and the real PostgREST: another organization's things and things that do not exist
are the same answer, byte for byte, and the right person gets theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.conftest import SignedIn

People = Callable[[str], SignedIn]
VECTOR = [0.05] * 384


@pytest.fixture(scope="module")
def acme(person: People) -> dict[str, str]:
    """Ids of things of acme, found or made by its owner."""
    owner = person("owner@acme.test")
    org = owner.orgs["acme"]
    base = owner.rpc("list_knowledge_bases", org_id=org).json()[0]["id"]
    document = owner.rpc("list_documents", org_id=org, knowledge_base_id=base).json()[0]["id"]
    loading = owner.rpc("begin_document", org_id=org, knowledge_base_id=base, title="t", uri=f"test:{uuid4()}", sha256="0" * 64).json()["document_id"]
    bot = next(b for b in owner.rpc("list_bots").json() if b["organization"] == "acme")["id"]
    run = owner.rpc("start_run", bot=f"{org}/{bot}", question="Who may read this?").json()
    return {"org_id": org, "knowledge_base_id": base, "document_id": loading, "ready_document": document, "bot_id": bot,
            "run_id": run["run_id"], "conversation_id": run["conversation_id"], "user_id": owner.user_id}


def recipes(ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Arguments for every function that names something of an organization; ids are acme's or random."""
    org = ids["org_id"]
    chunk = {"position": 0, "content": "x", "start_char": 0, "end_char": 1, "embedding": VECTOR}
    return {
        "list_members": {"org_id": org},
        "add_member": {"org_id": org, "user_id": ids["user_id"], "role": "member"},
        "change_member": {"org_id": org, "user_id": ids["user_id"], "role": "member"},
        "remove_member": {"org_id": org, "user_id": ids["user_id"]},
        "set_mfa_policy": {"org_id": org, "required": True},
        "create_knowledge_base": {"org_id": org, "slug": "stolen", "name": "Stolen"},
        "list_knowledge_bases": {"org_id": org},
        "list_documents": {"org_id": org, "knowledge_base_id": ids["knowledge_base_id"]},
        "begin_document": {"org_id": org, "knowledge_base_id": ids["knowledge_base_id"], "title": "t", "uri": "u", "sha256": "0" * 64},
        "add_chunks": {"org_id": org, "document_id": ids["document_id"], "chunks": [chunk]},
        "finish_document": {"org_id": org, "document_id": ids["document_id"]},
        "search_documents": {"org_id": org, "query": "license", "query_embedding": VECTOR},
        "create_bot": {"org_id": org, "slug": "stolen", "name": "Stolen"},
        "share_bot": {"org_id": org, "bot_id": ids["bot_id"]},
        "bind_bot": {"org_id": org, "bot_id": ids["bot_id"], "tool": "my_orders"},
        "start_run": {"bot": f"{org}/{ids['bot_id']}", "question": "Hello?"},
        "call_tool": {"run_id": ids["run_id"], "tool": "search_documents", "arguments": {"query": "license"}},
        "record_step": {"run_id": ids["run_id"], "model": "m", "provider": "p", "input_tokens": 1, "output_tokens": 1, "duration_ms": 1},
        "finish_run": {"run_id": ids["run_id"], "outcome": "cancelled", "answer": ""},
        "list_run_steps": {"org_id": org, "run_id": ids["run_id"]},
        "list_conversations": {"org_id": org},
        "list_messages": {"org_id": org, "conversation_id": ids["conversation_id"]},
        "my_orders": {"org_id": org},
        "get_order": {"org_id": org, "number": "ORD-1000"},
        "create_ticket": {"org_id": org, "subject": "s", "body": "b"},
        "place_order": {"org_id": org, "order_number": "ORD-9999", "total_cents": 1, "currency": "EUR"},
    }


# These name no organization: they speak of the caller only.
OWN = {"tool_catalog", "whoami", "list_bots", "create_organization"}
FUNCTIONS = sorted(recipes(dict.fromkeys(("org_id", "knowledge_base_id", "document_id", "bot_id", "run_id", "conversation_id", "user_id"), "")))


def test_every_function_of_the_catalog_is_in_this_sweep(person: People) -> None:
    names = {f["name"] for f in person("member@globex.test").rpc("tool_catalog").json()}
    assert names == set(FUNCTIONS) | OWN


@pytest.mark.parametrize("intruder", ["owner@globex.test", "member@globex.test", "nobody@example.test"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_anothers_and_absent_are_the_same_answer_through_the_edge_F21_R10_R52_R53(
    person: People, acme: dict[str, str], name: str, intruder: str
) -> None:
    absent = {key: str(uuid4()) for key in acme}
    foreign = person(intruder).rpc(name, **recipes(acme)[name])
    random = person(intruder).rpc(name, **recipes(absent)[name])
    assert foreign.anonymised() == random.anonymised()
    assert foreign.json() == [] or foreign.json().get("code") in ("not_found", "denied", "aal_required"), foreign.body


@pytest.mark.parametrize("name", ["list_members", "list_knowledge_bases", "list_documents", "search_documents", "list_conversations",
                                  "list_messages", "call_tool", "list_bots"])
def test_the_right_person_gets_rows_from_the_same_call_R10(person: People, acme: dict[str, str], name: str) -> None:
    answer = person("owner@acme.test").rpc(name, **recipes(acme).get(name, {}))
    assert answer.status == 200
    assert answer.json()


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if "org_id" in recipes(dict.fromkeys(
    ("org_id", "knowledge_base_id", "document_id", "bot_id", "run_id", "conversation_id", "user_id"), ""))[n]])
@pytest.mark.parametrize("missing", ["left out", "null"])
def test_no_organization_named_is_an_error_and_never_all_of_them_F20(person: People, acme: dict[str, str], name: str, missing: str) -> None:
    arguments = recipes(acme)[name]
    if missing == "null":
        arguments["org_id"] = None
    else:
        del arguments["org_id"]
    answer = person("owner@acme.test").rpc(name, **arguments)
    assert (answer.status, answer.json()["code"]) == (400, "invalid_argument")


@pytest.mark.parametrize("value", [None, "", [], "*", {}, "' or true --", 1e30, ["*"], "\u0000", "a" * 5000], ids=repr)
def test_hostile_values_never_widen_a_search_F09(person: People, acme: dict[str, str], value: Any) -> None:
    stranger = person("owner@globex.test")
    for argument in ("org_id", "query", "query_embedding", "max_rows", "run_id"):
        answer = stranger.rpc("search_documents", **{"org_id": acme["org_id"], "query": "license", argument: value})
        assert answer.status in (200, 400, 404), (argument, answer.body)
        assert answer.status != 200 or answer.json() == [], (argument, answer.body[:200])


def test_two_organizations_get_their_own_passages_for_the_same_question_F26(person: People) -> None:
    found: dict[str, set[str]] = {}
    for slug in ("acme", "globex"):
        owner = person(f"owner@{slug}.test")
        rows = owner.rpc("search_documents", org_id=owner.orgs[slug], query="license", max_rows=50).json()
        assert rows
        for row in rows:
            assert hashlib.sha256(row["content"].encode()).hexdigest() == row["chunk_sha256"]
        found[slug] = {row["chunk_id"] for row in rows}
    assert not found["acme"] & found["globex"]
    both = person("both@example.test")
    for slug in ("acme", "globex"):
        rows = both.rpc("search_documents", org_id=both.orgs[slug], query="license", max_rows=50).json()
        assert {row["chunk_id"] for row in rows} == found[slug]
