"""Retrieval under the policies: fused in one statement, the same set on every way, filtered in the scan, undisturbed by other tenants (F25 to F29, R104)."""

from __future__ import annotations

import json
import math
import re
from typing import Any
from uuid import UUID

import pytest

from tests.db.matrix import become, planted
from tests.db.session import Request
from tests.db.world import World, embedding

FAR, NEAR = 5, 20


def near(closeness: float) -> list[float]:
    """A unit vector at this cosine from axis NEAR."""
    return [closeness if i == NEAR else math.sqrt(1 - closeness**2) if i == 300 else 0.0 for i in range(384)]


def load(db: Request, world: World, passages: list[tuple[str, list[float]]], name: str = "probe", **more: Any) -> UUID:
    """Load one document of acme in its first knowledge base."""
    document = UUID(db.rpc("begin_document", org_id=world.acme.id, knowledge_base_id=world.acme.ids["knowledge_base"], title=name, uri=f"test:{name}",
                           sha256="2" * 64, **more)["document_id"])
    db.rpc("add_chunks", org_id=world.acme.id, document_id=document, chunks=[
        {"position": i, "content": text, "start_char": i, "end_char": i + 1, "embedding": vector} for i, (text, vector) in enumerate(passages)])
    db.rpc("finish_document", org_id=world.acme.id, document_id=document)
    return document


def search(db: Request, world: World, query: str, direction: list[float] | None = None, **more: Any) -> list[dict[str, Any]]:
    vector = {} if direction is None else {"query_embedding": json.dumps(direction)}
    return list(db.rpc("search_documents", org_id=world.acme.id, query=query, max_rows=50, **vector, **more))


def test_words_and_meaning_are_fused_by_rank_with_the_exact_score_F25(world: World) -> None:
    """55 passages stand between the question and the far one, so that it is found by its word alone; the nearest has no word of it."""
    fillers = [(f"filler number {i}", near(0.9 - i / 1000)) for i in range(55)]
    with world.as_(world.acme.people["owner"]) as db:
        document = load(db, world, [("nothing alike", embedding(NEAR)), ("the quokka sleeps", embedding(FAR)), *fillers])
        ids = dict(db.all("select position, id from app.chunk where document_id = %s", document))
        found = search(db, world, "quokka", embedding(NEAR))
        only_words = search(db, world, "quokka")
        both = search(db, world, "quokka", embedding(FAR))
        again = search(db, world, "quokka", embedding(NEAR))
    scores = {r["chunk_id"]: r["score"] for r in found}
    expected = {ids[0]: 1 / 61, ids[1]: 1 / 61} | {ids[i]: 1 / (60 + i) for i in range(2, 50)}  # 50 of 51
    assert scores == pytest.approx(expected, rel=1e-12)
    assert [r["chunk_id"] for r in found[:2]] == sorted([ids[0], ids[1]])  # a tie is broken by id
    assert found[0]["similarity"] == pytest.approx(1.0 if found[0]["chunk_id"] == ids[0] else 0.0, abs=1e-6)
    assert [r["score"] for r in found] == sorted(scores.values(), reverse=True)
    assert again == found
    assert [(r["chunk_id"], r["score"], r["similarity"]) for r in only_words] == [(ids[1], pytest.approx(1 / 61), None)]
    assert (both[0]["chunk_id"], both[0]["score"]) == (ids[1], pytest.approx(2 / 61))


def test_equal_passages_come_in_the_order_of_their_ids_F25(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        load(db, world, [("twin quokka", embedding(NEAR))] * 20)
        for direction in (None, embedding(NEAR)):
            found = [r["chunk_id"] for r in search(db, world, "quokka", direction) if r["content"] == "twin quokka"]
            assert len(found) == 20 and found == sorted(found)


@pytest.mark.parametrize(("who", "count"), [("owner", 7), ("builder", 5), ("customer", 5), ("auditor", 0)])
def test_table_function_and_bot_give_one_person_the_same_set_F26(world: World, who: str, count: int) -> None:
    with planted(world) as db:
        become(db, world.acme.people["owner"])
        db.rpc("bind_bot", org_id=world.acme.id, bot_id=world.acme.ids["bot"], knowledge_base_id=world.acme.ids["other_base"])
        become(db, world.acme.people[who])
        table = {i for (i,) in db.all("select id from app.chunk")}
        direct = {r["chunk_id"] for r in search(db, world, "delivery", embedding(0))}
        words = {r["chunk_id"] for r in search(db, world, "delivery")}
        run = db.rpc("start_run", bot="acme/helpdesk", question="?")["run_id"]
        inside = {r["chunk_id"] for r in search(db, world, "delivery", embedding(0), run_id=run)}
        bot = {UUID(r["chunk_id"]) for r in db.rpc("call_tool", run_id=run, tool="search_documents", arguments={"query": "delivery", "max_rows": 50},
                                                   query_embedding=json.dumps(embedding(0)))["rows"]}
        listed = sum(k["chunks"] for k in db.rpc("list_knowledge_bases", org_id=world.acme.id))
        documents = {d["id"] for b in ("knowledge_base", "other_base")
                     for d in db.rpc("list_documents", org_id=world.acme.id, knowledge_base_id=world.acme.ids[b]) if d["state"] == "ready"}
        of_chunks = {i for (i,) in db.all("select document_id from app.chunk")}
    assert table == direct == words == inside == bot
    assert len(table) == listed == count
    assert documents == of_chunks


def test_a_private_document_is_its_owners_in_every_way_F26(world: World) -> None:
    private = world.acme.ids["private_document"]
    assert world.rows("chunk", f"document_id = '{private}'") == 2
    with world.as_(world.acme.people["owner"]) as db:
        assert len([r for r in search(db, world, "private", embedding(0)) if r["document_id"] == private]) == 2
    for who in ("admin", "builder", "customer"):
        with world.as_(world.acme.people[who]) as db:
            assert [r for r in search(db, world, "private acme passage", embedding(0)) if r["document_id"] == private] == []
            assert db.one("select count(*) from app.document where id = %s", private) == 0
            assert not any(d["id"] == private for d in db.rpc("list_documents", org_id=world.acme.id, knowledge_base_id=world.acme.ids["knowledge_base"]))
            assert db.run("delete from app.document where state = 'ready'") == {"admin": 4, "builder": 2, "customer": 0}[who]
    with world.as_(world.acme.people["builder"]) as db:  # nor does its place in the knowledge base tell
        same = load(db, world, [("mine", embedding(0))], "private-acme", visibility="private")
        assert same != private
        assert db.rpc_error("add_chunks", org_id=world.acme.id, document_id=private, chunks=[
            {"position": 9, "content": "x", "start_char": 0, "end_char": 1, "embedding": embedding(0)}]).sqlstate == "PT404"
        assert db.rpc_error("finish_document", org_id=world.acme.id, document_id=private).sqlstate == "PT404"
    assert world.rows("document", f"id = '{private}'") == 1


def test_a_document_being_loaded_is_not_found_yet_F26(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        document = db.rpc("begin_document", org_id=world.acme.id, knowledge_base_id=world.acme.ids["knowledge_base"], title="t", uri="test:half",
                          sha256="3" * 64)["document_id"]
        db.rpc("add_chunks", org_id=world.acme.id, document_id=document,
               chunks=[{"position": 0, "content": "half a quokka", "start_char": 0, "end_char": 1, "embedding": embedding(NEAR)}])
        assert search(db, world, "quokka") == []
        db.rpc("finish_document", org_id=world.acme.id, document_id=document)
        assert len(search(db, world, "quokka")) == 1


def crowd(db: Request, world: World, chunks: int) -> None:
    """As the superuser: passages of the other organization that answer the question better than anything of acme's."""
    document = db.one("insert into app.document (org_id, knowledge_base_id, title, uri, sha256, owner_id, state) values (%s, %s, 'Crowd', 'test:crowd',"
                      " repeat('4', 64), %s, 'ready') returning id", world.globex.id, world.globex.ids["knowledge_base"], world.globex.people["owner"].user_id)
    db.run("insert into app.chunk (org_id, document_id, knowledge_base_id, visibility, owner_id, position, content, start_char, end_char, embedding)"
           " select %s, %s, %s, 'organization', %s, n, 'delivery delivery delivery', 0, 1, (array_fill(0::real, array[n %% 7]) || 1::real"
           " || array_fill(0::real, array[383 - n %% 7]))::extensions.vector from generate_series(1, %s) n",
           world.globex.id, document, world.globex.ids["knowledge_base"], world.globex.people["owner"].user_id, chunks)
    db.run("analyze app.chunk")


def test_five_thousand_passages_of_another_organization_change_no_result_F29(world: World) -> None:
    """acme's readable passages are 0.1 % of the table: as many rows as there are, exactly in the order of an exact search, as before."""
    questions = [("delivery", embedding(d)) for d in (0, 1, 2, 40)] + [("delivery", None), ("passage days", embedding(1))]
    with planted(world) as db:
        become(db, world.acme.people["customer"])
        before = [search(db, world, *q) for q in questions]
        db.run("reset role")
        crowd(db, world, 5000)
        become(db, world.acme.people["customer"])
        after = [search(db, world, *q) for q in questions]
        exact = [i for (i,) in db.all("select id from app.chunk order by embedding operator(extensions.<=>) %s::extensions.vector, id", json.dumps(embedding(1)))]
        by_meaning = [r["chunk_id"] for r in search(db, world, "zzz", embedding(1))]
        assert db.one("select count(*) from app.chunk") == 5
        become(db, world.globex.people["customer"])
        assert db.one("select count(*) from app.chunk") == 5005
    assert [[r["chunk_id"] for r in rows] for rows in after] == [[r["chunk_id"] for r in rows] for rows in before]
    assert after == before
    assert [len(rows) for rows in after] == [5] * len(questions)
    assert by_meaning == exact


def chunk_scans(db: Request, world: World) -> list[str]:
    """The scans of chunk inside search_documents as PostgreSQL itself explains what it ran; `db` is the superuser's, acting as somebody."""
    notices: list[str] = []
    claims = db.one("select current_setting('request.jwt.claims')")
    db.run("reset role")
    db.run("load 'auto_explain'")
    for name, value in (("log_min_duration", "0"), ("log_nested_statements", "on"), ("log_level", "notice"), ("log_timing", "off")):
        db.run("select set_config(%s, %s, true)", f"auto_explain.{name}", value)
    db.run("select set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)", claims)
    db.connection.add_notice_handler(lambda diagnostic: notices.append(diagnostic.message_primary or ""))
    assert search(db, world, "delivery", embedding(0))
    db.run("select set_config('client_min_messages', 'warning', true)")
    nodes = [n for notice in notices for n in re.split(r"\n(?=[^\n]*\(cost=)", notice)]
    # The heap below "Bitmap Heap Scan" and the index above it are one scan.
    return [n for n in nodes if re.search(r"Scan [^\n]*on (app\.)?chunk c", n)]


def carries_the_policy(scan: str) -> bool:
    return all(condition in scan for condition in ("org_id = ", "visibility = 'organization'", "owner_id = "))


BY_INDEX = "create or replace function authz.exact_search_limit() returns integer language sql immutable parallel safe" \
           " set search_path = pg_catalog, pg_temp return -1"


@pytest.mark.parametrize("by_index", [False, True])
@pytest.mark.parametrize("crowded", [False, True])
def test_the_policy_stands_in_every_scan_of_the_chunks_F27(world: World, crowded: bool, by_index: bool) -> None:
    with planted(world, *([BY_INDEX] if by_index else [])) as db:
        if crowded:
            crowd(db, world, 2000)
        become(db, world.acme.people["customer"])
        scans = chunk_scans(db, world)
    # Once for both lists, or once each, and once more because they are fewer than asked for.
    assert len(scans) == (3 if by_index else 1)
    assert all(carries_the_policy(s) for s in scans), scans


@pytest.mark.parametrize("by_index", [False, True])
def test_reading_the_plan_notices_that_the_policy_is_gone_F27(world: World, by_index: bool) -> None:
    """The negative control: without row security no scan has the conditions, and foreign passages come through."""
    with planted(world, "alter table app.chunk disable row level security", "alter table app.document disable row level security",
                 *([BY_INDEX] if by_index else [])) as db:
        become(db, world.nobody)
        scans = chunk_scans(db, world)
        assert len(search(db, world, "delivery", embedding(0))) >= 7
    assert scans and not any(carries_the_policy(s) for s in scans)
