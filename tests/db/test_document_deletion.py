"""Deleting a document leaves nothing of it: every column of every table is searched for its word afterwards (F32); citations (F28), files (F33), provenance (F31)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.db.matrix import become, planted
from tests.db.registry.document import add_with_file
from tests.db.registry.recipe import embedding
from tests.db.session import Request
from tests.db.world import World

WORD = "xylocarp"
# A direction that no other passage has, and so a vector that can be looked for.
DIRECTION = 333
VECTOR = json.dumps(embedding(DIRECTION))


def where_it_is(db: Request) -> set[str]:
    """As the superuser: `table.column` of every place in our schemas and Supabase Auth's where the word or the vector is left."""
    db.run("reset role")
    found = set()
    columns = db.all("select c.oid::regclass::text, quote_ident(a.attname), format_type(a.atttypid, null) from pg_attribute a join pg_class c on c.oid = a.attrelid"
                     " where c.relnamespace::regnamespace::text in ('app', 'authz', 'api', 'auth', 'public') and c.relkind in ('r', 'p', 'm')"
                     " and a.attnum > 0 and not a.attisdropped")
    assert len(columns) > 100
    for table, column, type_ in columns:
        if type_ == "bytea":
            condition, value = f"position(%s::bytea in {column}) > 0", WORD.encode()
        elif type_.startswith("extensions.vector"):
            condition, value = f"{column} operator(extensions.=) %s::extensions.vector", VECTOR
        else:
            condition, value = f"{column}::text ilike %s", f"%{WORD}%"
        if db.one(f"select count(*) from {table} where {condition}", value):
            found.add(f"{table}.{column}")
    return found


@pytest.fixture
def stage(world: World) -> Iterator[Request]:
    with planted(world) as db:
        yield db


def load(db: Request, world: World, **more: Any) -> tuple[UUID, bytes]:
    """A document whose word stands in title, place, tags, headings, text, terms and file, and whose vector is its own."""
    text, org = f"The {WORD} is delivered on Mondays.", world.acme.id
    file = f"<p>{text}</p>".encode()
    document = UUID(db.rpc("begin_document", org_id=org, knowledge_base_id=world.acme.ids["knowledge_base"], title=f"On the {WORD}", uri=f"test:{WORD}",
                           sha256=hashlib.sha256(file).hexdigest(), media_type="text/html", byte_size=len(file), tags=[WORD], **more)["document_id"])
    db.rpc("add_chunks", org_id=org, document_id=document, chunks=[
        {"position": 0, "heading": f"The {WORD}", "content": text, "start_char": 3, "end_char": 3 + len(text), "embedding": embedding(DIRECTION)}])
    db.rpc("add_file_part", org_id=org, document_id=document, position=0, content=base64.b64encode(file).decode())
    db.rpc("finish_document", org_id=org, document_id=document)
    return document, file


def cite(db: Request, world: World, who: str) -> None:
    """An answer somebody keeps, with the citation the agent makes: title, place and all."""
    become(db, world.acme.people[who])
    run = db.rpc("start_run", bot="acme/helpdesk", question="When?")["run_id"]
    rows = db.rpc("call_tool", run_id=run, tool="search_documents", arguments={"query": "delivered"}, query_embedding=VECTOR)["rows"]
    row = next(r for r in rows if WORD in r["content"])
    other = next(r for r in rows if WORD not in r["content"])
    db.rpc("finish_run", run_id=run, outcome="succeeded", answer="On Mondays [1].", citations=[
        {"n": n} | {k: r[k] for k in ("document_id", "chunk_id", "title", "uri", "chunk_sha256")} for n, r in ((1, row), (2, other))])
    db.run("reset role")


def stored_citations(db: Request, world: World, who: str) -> list[Any]:
    become(db, world.acme.people[who])
    newest = db.rpc("list_conversations", org_id=world.acme.id)[0]["id"]
    shown = next(m["citations"] for m in db.rpc("list_messages", org_id=world.acme.id, conversation_id=newest) if m["role"] == "assistant")
    db.run("reset role")
    return list(shown)


@pytest.mark.parametrize("how", ["function", "table", "replaced"])
def test_after_a_deletion_no_column_of_any_table_has_the_documents_word_or_vector_F32(stage: Request, world: World, how: str) -> None:
    become(stage, world.acme.people["owner"])
    document, _ = load(stage, world)
    cite(stage, world, "customer")
    cite(stage, world, "member")
    assert {"app.document.title", "app.document.uri", "app.document.tags", "app.chunk.content", "app.chunk.heading", "app.chunk.terms", "app.chunk.embedding",
            "app.document_part.content", "app.message.citations"} <= where_it_is(stage)
    become(stage, world.acme.people["builder"])
    if how == "function":
        receipt = stage.rpc("delete_document", org_id=world.acme.id, document_id=document)
        assert {k: receipt[k] for k in ("chunks", "parts", "citations_redacted")} == {"chunks": 1, "parts": 1, "citations_redacted": 2}
    elif how == "table":
        assert stage.run("delete from app.document where id = %s", document) == 1
    else:
        stage.run("update app.document set title = 'Renamed' where id = %s", document)
        begun = stage.rpc("begin_document", org_id=world.acme.id, knowledge_base_id=world.acme.ids["knowledge_base"], title="New", uri=f"test:{WORD}", sha256="9" * 64)
        stage.rpc("add_chunks", org_id=world.acme.id, document_id=begun["document_id"],
                  chunks=[{"position": 0, "content": "New.", "start_char": 0, "end_char": 4, "embedding": embedding(0)}])
        assert stage.rpc("finish_document", org_id=world.acme.id, document_id=begun["document_id"])["replaced"] == str(document)
    left = where_it_is(stage)
    assert left == ({"app.document.uri"} if how == "replaced" else set())
    (proof,) = stage.all("select chunks, parts, citations_redacted, deleted_by from app.deletion_receipt where document_id = %s", document)
    assert proof == (1, 1, 2, world.acme.people["builder"].user_id)
    for who in ("customer", "member"):
        one, two = stored_citations(stage, world, who)
        assert one == {"n": 1, "redacted": True}
        assert two["n"] == 2 and two["title"]


def test_the_search_for_what_is_left_finds_a_copy_somewhere_else_F32(stage: Request, world: World) -> None:
    """The negative control: a table that keeps a copy is named, and so is an answer that is passed by."""
    become(stage, world.acme.people["owner"])
    document, _ = load(stage, world)
    cite(stage, world, "customer")
    stage.run("reset role")
    stage.run("create table app.copy as select convert_to(content, 'UTF8') as bytes, to_jsonb(c) - 'embedding' as words, embedding as numbers from app.chunk c")
    stage.run("alter table app.document disable trigger _510_forget")
    become(stage, world.acme.people["owner"])
    stage.rpc("delete_document", org_id=world.acme.id, document_id=document)
    assert where_it_is(stage) == {"app.copy.bytes", "app.copy.words", "app.copy.numbers", "app.message.citations"}


def test_a_knowledge_base_goes_whole_or_not_at_all_F32(stage: Request, world: World) -> None:
    org, base = world.acme.id, world.acme.ids["knowledge_base"]
    become(stage, world.acme.people["builder"])
    private, _ = load(stage, world, visibility="private")
    become(stage, world.acme.people["admin"])
    before = stage.one("select count(*) from app.document")
    assert stage.rpc_error("delete_knowledge_base", org_id=org, knowledge_base_id=base).sqlstate == "PT409"
    assert stage.one("select count(*) from app.document") == before  # nothing went
    stage.run("reset role")
    stage.run("delete from app.document where knowledge_base_id = %s and visibility = 'private'", base)
    become(stage, world.acme.people["admin"])
    gone = stage.rpc("delete_knowledge_base", org_id=org, knowledge_base_id=base)
    assert gone["documents"] >= 1 and gone["chunks"] >= 3 and gone["citations_redacted"] >= 1
    stage.run("reset role")
    assert stage.one("select count(*) from app.chunk where knowledge_base_id = %s", base) == 0
    assert stage.one("select count(*) from app.bot_binding where knowledge_base_id = %s", base) == 0
    assert stage.one("select count(*) from app.document where id = %s", private) == 0


@pytest.mark.parametrize(("who", "allowed"), [("owner", True), ("builder", True), ("member", False), ("analyst", False), ("auditor", False)])
def test_who_may_delete_F32(stage: Request, world: World, who: str, allowed: bool) -> None:
    become(stage, world.acme.people["owner"])
    document, _ = load(stage, world)
    become(stage, world.acme.people[who])
    if allowed:
        assert stage.rpc("delete_document", org_id=world.acme.id, document_id=document)["chunks"] == 1
    else:
        assert stage.rpc_error("delete_document", org_id=world.acme.id, document_id=document).sqlstate == "PT404"
        assert stage.run("delete from app.document") == 0
    stage.run("reset role")
    assert stage.one("select count(*) from app.document where id = %s", document) == int(not allowed)


def test_a_new_version_has_the_grants_and_the_rules_of_the_old_one_F14_F15(stage: Request, world: World) -> None:
    """Replaced by an editor of the base who sees neither all grants nor any rule."""
    people, org, ids = world.acme.people, world.acme.id, world.acme.ids
    become(stage, people["admin"])
    old = add_with_file(stage, world.acme, "vault_knowledge_base", "versioned", 1, classification=1)
    stage.rpc("update_document", org_id=org, document_id=old, classification=1)
    for who, level in (("customer", "viewer"), ("analyst", "owner")):
        stage.rpc("share_document", org_id=org, document_id=old, user_id=people[who].user_id, level=level)
    stage.run("insert into app.deny_rule (org_id, user_id, document_id, reason) values (%s, %s, %s, 'Probe')", org, people["customer"].user_id, old)
    become(stage, people["agent"])
    begun = stage.rpc("begin_document", org_id=org, knowledge_base_id=ids["vault_knowledge_base"], title="New", uri=f"test:versioned-{world.acme.canary}", sha256="7" * 64)
    new = UUID(begun["document_id"])
    stage.rpc("add_chunks", org_id=org, document_id=new, chunks=[{"position": 0, "content": "New.", "start_char": 0, "end_char": 4, "embedding": embedding(0)}])
    assert stage.rpc("finish_document", org_id=org, document_id=new)["replaced"] == str(old)
    stage.run("reset role")
    assert set(stage.all("select user_id, level from app.document_grant where document_id = %s", new)) == {
        (people["customer"].user_id, "viewer"), (people["analyst"].user_id, "owner")}
    assert stage.all("select user_id, reason from app.deny_rule where document_id = %s", new) == [(people["customer"].user_id, "Probe")]
    for who, sees in (("customer", False), ("analyst", True), ("admin", True)):
        become(stage, people[who])
        assert stage.one("select authz.can_read_document(%s, %s)", org, new) is sees


def test_a_new_version_is_not_less_confidential_by_default_F26(stage: Request, world: World) -> None:
    become(stage, world.acme.people["admin"])
    load(stage, world, classification=2)
    begun = stage.rpc("begin_document", org_id=world.acme.id, knowledge_base_id=world.acme.ids["knowledge_base"], title="New", uri=f"test:{WORD}", sha256="8" * 64)
    assert stage.one("select classification from app.document where id = %s", begun["document_id"]) == 2


def test_a_file_comes_back_byte_for_byte_and_only_if_it_is_the_one_announced_F31_F33(stage: Request, world: World) -> None:
    org, base = world.acme.id, world.acme.ids["knowledge_base"]
    become(stage, world.acme.people["builder"])
    content = bytes(range(256)) * 1000
    begun = UUID(stage.rpc("begin_document", org_id=org, knowledge_base_id=base, title="t", uri="test:file", sha256=hashlib.sha256(content).hexdigest(),
                           media_type="application/pdf", byte_size=len(content), source="api", modified_at="2026-02-03")["document_id"])
    stage.rpc("add_chunks", org_id=org, document_id=begun, chunks=[{"position": 0, "content": "x", "start_char": 0, "end_char": 1, "embedding": embedding(0)}])
    stage.rpc("add_file_part", org_id=org, document_id=begun, position=0, content=base64.b64encode(content[:180000]).decode())
    assert stage.rpc_error("finish_document", org_id=org, document_id=begun).sqlstate == "22023"
    assert stage.rpc("add_file_part", org_id=org, document_id=begun, position=1, content=base64.b64encode(content[180000:]).decode()) == {"parts": 2}
    assert stage.rpc_error("add_file_part", org_id=org, document_id=begun, position=2, content="%%%").sqlstate == "22023"
    stage.rpc("finish_document", org_id=org, document_id=begun)
    about = stage.rpc("get_document", org_id=org, document_id=begun)
    assert {k: about[k] for k in ("media_type", "byte_size", "source", "trust", "parts", "chunks", "classification", "state")} == {
        "media_type": "application/pdf", "byte_size": 256000, "source": "api", "trust": "untrusted", "parts": 2, "chunks": 1, "classification": 1, "state": "ready"}
    assert (about["owner_id"], about["sha256"]) == (str(world.acme.people["builder"].user_id), hashlib.sha256(content).hexdigest())
    parts = [stage.rpc("read_file_part", org_id=org, document_id=begun, position=n)["content"] for n in range(2)]
    assert b"".join(base64.b64decode(p, validate=True) for p in parts) == content
    assert stage.rpc_error("read_file_part", org_id=org, document_id=begun, position=2).sqlstate == "PT404"


def test_a_preview_is_the_text_at_those_places_F33(stage: Request, world: World) -> None:
    become(stage, world.acme.people["builder"])
    document = add_with_file(stage, world.acme, "knowledge_base", "long", 5)
    text = "\n".join(f"Passage {i} of long is about the {world.acme.canary}." for i in range(5))
    def preview(**given: int) -> dict[str, Any]:
        return dict(stage.rpc("preview_document", org_id=world.acme.id, document_id=document, **given))

    assert preview() == {"text": text, "start_char": 0, "end_char": len(text)}
    for start, length in ((0, 10), (5, 60), (len(text) - 3, 100), (41, 1)):
        shown = preview(start_char=start, max_chars=length)
        assert shown["text"].strip() == text[start:start + length].strip()
        assert shown["end_char"] == min(start + length, len(text)) or text[shown["end_char"]] == "\n"
    assert preview(start_char=len(text), max_chars=10) == {"text": "", "start_char": len(text), "end_char": len(text)}


@pytest.mark.parametrize("who", ["member", "builder"])
def test_only_documents_manage_calls_text_trusted_F31(stage: Request, world: World, who: str) -> None:
    become(stage, world.acme.people["owner"])
    stage.run("insert into app.kb_grant (org_id, knowledge_base_id, user_id, level) values (%s, %s, %s, 'owner')", world.acme.id,
              world.acme.ids["knowledge_base"], world.acme.people["member"].user_id)
    become(stage, world.acme.people[who])
    document, _ = load(stage, world)
    claim = {"org_id": world.acme.id, "knowledge_base_id": world.acme.ids["knowledge_base"], "title": "t", "uri": "test:t", "sha256": "1" * 64, "trust": "trusted"}
    if who == "builder":
        assert stage.rpc("begin_document", **claim)["state"] == "loading"
        assert stage.rpc("update_document", org_id=world.acme.id, document_id=document, trust="trusted")["trust"] == "trusted"
    else:
        assert stage.rpc_error("begin_document", **claim).sqlstate == "42501"
        assert stage.error("update app.document set trust = 'trusted' where id = %s", document).sqlstate == "42501"
