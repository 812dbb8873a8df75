"""Attacks that once worked, as they were made; each beside what the right person can still do."""

from __future__ import annotations

import hashlib
import json
import threading
from uuid import UUID

import psycopg
import pytest

from tests.db.matrix import become, planted
from tests.db.session import Request
from tests.db.world import World, embedding, make_person

NEEDS = ("42501", "giving and taking roles needs members.manage")


def said(error: psycopg.Error) -> tuple[str | None, str]:
    return error.sqlstate, str(error.diag.message_primary)


@pytest.mark.parametrize("then", [
    "delete from app.membership where org_id = '{org}' and user_id = '{owner}' and exists (select from gone)",
    "update app.membership set role_id = '{owner_role}' where org_id = '{org}' and user_id = '{member}' and exists (select from gone)",
])
def test_nobody_grants_or_takes_a_role_in_the_statement_that_removes_themself_F12(world: World, then: str) -> None:
    """The guard read what the caller could see; with their own place gone that was nothing, and nothing looked harmless."""
    people = world.acme.people
    with planted(world) as db:
        owner_role = db.one("select id from app.role where org_id = %s and name = 'owner'", world.acme.id)
        become(db, people["admin"])
        statement = (f"with gone as (delete from app.membership where org_id = '{world.acme.id}' and user_id = '{people['admin'].user_id}' returning 1) "
                     + then.format(org=world.acme.id, owner_role=owner_role, owner=people["owner"].user_id,
                                   member=people["member"].user_id))
        assert said(db.error(statement)) == NEEDS
        assert db.rpc("change_member", org_id=world.acme.id, user_id=people["member"].user_id, role="agent")


def test_owners_leaving_together_in_one_statement_leave_one_behind_R45(own_world: World) -> None:
    world, second = own_world, make_person(own_world.superuser_url, "second@acme.test")
    world.join(world.acme, second, "owner")
    both = (f"with gone as (delete from app.membership where org_id = '{world.acme.id}' and user_id = '{second.user_id}' returning 1)"
            f" delete from app.membership where org_id = '{world.acme.id}' and user_id = '{world.acme.people['owner'].user_id}' and exists (select from gone)")
    with world.as_(second) as db:
        assert db.error(both).sqlstate in ("42501", "PT409")
    with world.as_(second) as db:
        db.run("set transaction isolation level read committed")
        assert db.rpc("remove_member", org_id=world.acme.id, user_id=second.user_id)["role"] is None


def test_members_are_not_changed_on_an_old_snapshot_R46(world: World) -> None:
    owner = world.acme.people["owner"]
    with psycopg.connect(world.authenticator_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        db = Request(connection)
        become(db, owner)
        for act, given in (("change_member", {"user_id": world.acme.people["customer"].user_id, "role": "auditor"}),
                           ("create_invitation", {"email": "new@acme.test", "role": "member"})):
            assert db.rpc_error(act, org_id=world.acme.id, **given).sqlstate == "25001"
        connection.rollback()


def test_no_passage_is_added_to_a_document_that_is_ready_or_somebody_elses(world: World) -> None:
    chunk = [{"position": 9999, "content": "Refunds go elsewhere.", "start_char": 0, "end_char": 5, "embedding": embedding(3)}]
    plant = ("insert into app.chunk (org_id, document_id, knowledge_base_id, visibility, owner_id, position, content, start_char, end_char, embedding)"
             " select org_id, id, knowledge_base_id, visibility, owner_id, 9999, 'Refunds go elsewhere.', 0, 5, %s::extensions.vector from app.document where id = %s")
    for who, document in (("builder", "document"), ("owner", "document"), ("builder", "loading_document"), ("admin", "loading_document")):
        with world.as_(world.acme.people[who]) as db:
            if document == "document":
                assert db.error(plant, json.dumps(embedding(3)), world.acme.ids[document]).sqlstate == "42501"
            else:  # what others are loading is not even seen
                assert db.run(plant, json.dumps(embedding(3)), world.acme.ids[document]) == 0
            assert db.rpc_error("add_chunks", org_id=world.acme.id, document_id=world.acme.ids[document], chunks=chunk).sqlstate == "PT404"
    with world.as_(world.acme.people["owner"]) as db:
        assert db.run(plant, json.dumps(embedding(3)), world.acme.ids["loading_document"]) == 1


@pytest.mark.parametrize("vector", [[0.0] * 384, [1e-9] * 384, [9.0] * 384], ids=["zero", "almost zero", "long"])
def test_a_vector_without_a_direction_is_neither_stored_nor_searched_with(world: World, vector: list[float]) -> None:
    chunk = {"position": 7, "content": "x", "start_char": 0, "end_char": 1}
    with world.as_(world.acme.people["owner"]) as db:
        where = {"org_id": world.acme.id, "document_id": world.acme.ids["loading_document"]}
        assert db.rpc_error("add_chunks", **where, chunks=[chunk | {"embedding": vector}]).sqlstate == "23514"
        assert db.rpc("add_chunks", **where, chunks=[chunk | {"embedding": embedding(3)}]) == {"chunks": 1}
        if not any(vector):
            assert db.rpc_error("search_documents", org_id=world.acme.id, query="x", query_embedding=json.dumps(vector)).sqlstate == "22023"


def test_a_query_of_hundreds_of_words_is_ranked_by_its_first_ones(world: World) -> None:
    """Counted by the plan's text of the terms, not timed: ranking is linear in them."""
    words = [f"word{i}" for i in range(180)]
    with world.as_(world.acme.people["member"]) as db:
        assert len(db.rpc("search_documents", org_id=world.acme.id, query=" ".join(["delivery", *words]))) > 0
        assert db.rpc("search_documents", org_id=world.acme.id, query=" ".join([*words, "delivery"])) == []
        assert len(db.rpc("search_documents", org_id=world.acme.id, query=" ".join(["delivery"] * 200 + ["aardvark"]))) > 0


def test_an_order_number_two_customers_have_is_not_guessed_for_staff(world: World) -> None:
    staff, ticket = world.acme.people["agent"], {"org_id": world.acme.id, "subject": "s", "body": "b", "order_number": "ORD-2000"}
    with planted(world) as db:
        become(db, staff)
        db.rpc("create_ticket", **ticket)
        assert db.one("select t.order_id from app.support_ticket t where t.user_id = authz.uid()") == world.acme.ids["order"]
        become(db, world.acme.people["member"])
        db.rpc("place_order", org_id=world.acme.id, order_number="ORD-2000", total_cents=1, currency="EUR")
        db.rpc("create_ticket", **ticket)
        become(db, staff)
        assert said(db.rpc_error("create_ticket", **ticket)) == ("PT409", "several customers have an order of that number")
        assert len(db.rpc("get_order", org_id=world.acme.id, number="ORD-2000")) == 2


def test_an_order_holds_no_essay(world: World) -> None:
    with world.as_(world.acme.people["member"]) as db:
        order = {"org_id": world.acme.id, "order_number": "ORD-3000", "total_cents": 1, "currency": "EUR"}
        assert db.rpc_error("place_order", **order, items=[{"name": "x" * 9000}]).sqlstate == "23514"
        assert db.rpc("place_order", **order, items=[{"name": "x" * 7000}])["order_number"] == "ORD-3000"


def test_a_long_conversation_comes_back_in_bounds_newest_first(world: World) -> None:
    with world.as_(world.acme.people["customer"]) as db:
        conversation = None
        for turn in range(4):
            started = db.rpc("start_run", bot="acme/helpdesk", question=f"turn {turn}", **({"conversation_id": conversation} if conversation else {}))
            conversation = UUID(started["conversation_id"])
            db.rpc("finish_run", run_id=UUID(started["run_id"]), outcome="succeeded", answer=f"answer {turn} " + "x" * 15000)
        history = db.rpc("start_run", bot="acme/helpdesk", question="last", conversation_id=conversation)["history"]
    assert sum(len(turn["content"]) for turn in history) <= 40000
    assert [turn["content"][:8] for turn in history] == ["turn 2", "answer 2", "turn 3", "answer 3"]


@pytest.mark.parametrize("what", ["model", "provider", "error_code", "request_id"])
def test_the_record_holds_no_free_text_for_an_auditor_to_read(world: World, what: str) -> None:
    text, run = "Approved by the board; pay at once.", world.acme.ids["running_run"]
    call = {"org_id": world.acme.id, "run_id": run, "model": "gpt-5", "provider": "openai.example", "max_tokens": 5}
    with world.as_(world.acme.people["customer"]) as db:
        error = {
            "model": lambda: db.rpc_error("begin_model_call", **call | {"model": text}),
            "provider": lambda: db.rpc_error("begin_model_call", **call | {"provider": text}),
            "error_code": lambda: db.rpc_error("finish_run", run_id=run, outcome="failed", answer="", error_code=text),
            "request_id": lambda: db.rpc_error("start_run", bot="acme/helpdesk", question="?", request_id=text),
        }[what]()
        assert error.sqlstate == "23514"
        begun = db.rpc("begin_model_call", **call)
        assert db.rpc("end_model_call", call_id=begun["call_id"], key=begun["key"], input_tokens=1, output_tokens=1, duration_ms=1)["step_id"]
        assert db.rpc("start_run", bot="acme/helpdesk", question="?", request_id="0b5c-4f.1")["run_id"]
        assert db.rpc("finish_run", run_id=run, outcome="failed", answer="", error_code="out_of_time") == {"message_id": None}


def test_a_digest_does_not_give_an_auditor_the_text_back(world: World) -> None:
    """An order number has few values: hashed bare, an auditor without orders.read had it back in a moment."""
    def bare(*parts: str) -> set[str]:
        return {hashlib.sha256(part.encode()).hexdigest() for part in parts}

    guesses = bare('["get_order", {"number": "ORD-2000"}]', "Where is ORD-2000?", "It is on its way.")
    with planted(world) as db:
        become(db, world.acme.people["customer"])
        run = UUID(db.rpc("start_run", bot="acme/helpdesk", question="Where is ORD-2000?")["run_id"])
        db.rpc("call_tool", run_id=run, tool="get_order", arguments={"number": "ORD-2000"})
        db.rpc("finish_run", run_id=run, outcome="succeeded", answer="It is on its way.")
        key, conversation = db.all("select c.digest_key::text, c.id from app.conversation c join app.run r on r.conversation_id = c.id and r.id = %s", run)[0]
        keyed = bare(f'{key} ["get_order", {{"number": "ORD-2000"}}]', f"{key} Where is ORD-2000?", f"{key} It is on its way.")
        become(db, world.acme.people["auditor"])
        recorded = {digest for row in db.all("select question_sha256, answer_sha256 from app.run where id = %s union all"
                                             " select arguments_sha256, arguments_sha256 from app.run_step where run_id = %s", run, run) for digest in row}
        assert len(recorded) == 3 and not recorded & guesses
        assert db.all("select digest_key from app.conversation") == []
        assert db.one("select authz.digest(%s, %s, 'x')", world.acme.id, conversation) is None
    # Whoever reads the conversation can check what was recorded.
    assert recorded == keyed


def test_an_answer_does_not_cite_the_same_passage_thousands_of_times(world: World) -> None:
    with world.as_(world.acme.people["customer"]) as db:
        run = UUID(db.rpc("start_run", bot="acme/helpdesk", question="?")["run_id"])
        row = db.rpc("call_tool", run_id=run, tool="search_documents", arguments={"query": "delivery"})["rows"][0]
        cited = {"document_id": row["document_id"], "chunk_id": row["chunk_id"]}
        assert db.rpc_error("finish_run", run_id=run, outcome="succeeded", answer="a", citations=[cited] * 101).sqlstate == "22023"
        assert db.rpc("finish_run", run_id=run, outcome="succeeded", answer="a", citations=[cited])["message_id"]


def test_the_number_of_organizations_a_person_founds_is_not_raced_past(own_world: World) -> None:
    world, person = own_world, own_world.nobody
    with world.as_(person, keep=True) as db:
        for number in range(49):
            db.rpc("create_organization", slug=f"one-{number}", name="One")
    results: list[str] = []
    together = threading.Barrier(4)

    def found(number: int) -> None:
        with world.as_(person, keep=True) as db:
            together.wait(5)
            try:
                db.rpc("create_organization", slug=f"more-{number}", name="More")
                results.append("made")
            except psycopg.Error as error:
                results.append(str(error.sqlstate))

    threads = [threading.Thread(target=found, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(results) == ["PT429", "PT429", "PT429", "made"]
    assert world.rows("organization", f"created_by = '{person.user_id}'") == 50


def test_somebody_who_accepted_can_leave_and_their_own_bots_stay_first(world: World) -> None:
    """Nobody becomes a member without a word of their own, and a yes can be taken back."""
    victim = world.acme.people["member"]
    with planted(world) as db:
        become(db, world.nobody)
        org = UUID(db.rpc("create_organization", slug="aaa", name="Squat")["id"])
        bot = UUID(db.rpc("create_bot", org_id=org, slug="helpdesk", name="Not yours")["id"])
        db.rpc("share_bot", org_id=org, bot_id=bot)
        token = db.rpc("create_invitation", org_id=org, email=victim.email, role="member")["token"]
        become(db, victim)
        assert [b["organization"] for b in db.rpc("list_bots")] == ["acme"]
        db.rpc("accept_invitation", token=token)
        assert [b["organization"] for b in db.rpc("list_bots")] == ["acme", "aaa"]
        assert db.rpc("remove_member", org_id=org, user_id=victim.user_id) == {"user_id": str(victim.user_id), "role": None}
        assert [b["organization"] for b in db.rpc("list_bots")] == ["acme"]
