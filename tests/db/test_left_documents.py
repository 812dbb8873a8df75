"""What becomes of the documents of somebody who leaves: nobody owns them, not even who comes back, until they are taken over on the record (F17)."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.db.registry.document import add_with_file
from tests.db.session import Person, Request, second_factor
from tests.db.test_deprovision import directory
from tests.db.world import World


def left(world: World, person: Person, base: str = "knowledge_base", **more: str) -> dict[str, UUID]:
    """Have this builder add two documents, be removed by the owner and come back; return the documents."""
    with world.as_(person, keep=True) as db:
        made = {"open": add_with_file(db, world.acme, base, "open", 1, **more),
                "private": add_with_file(db, world.acme, base, "private", 1, visibility="private", **more)}
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("remove_member", org_id=world.acme.id, user_id=person.user_id)
    return made


def reads(db: Request, world: World, document: UUID) -> bool:
    """Whether the caller gets at the document through every door or through none."""
    named = [db.one("select authz.can_read_document(%s, %s)", world.acme.id, document)]
    named += [db.one(f"select count(*) from app.{table} where document_id = %s", document) > 0 for table in ("chunk", "document_part")]
    found = db.rpc("search_documents", org_id=world.acme.id, query="passage", max_rows=50)
    named.append(any(row["document_id"] == document for row in found))
    assert len(set(named)) == 1, named
    return bool(named[0])


@pytest.mark.parametrize("back_as", ["builder", "member"])
def test_who_was_removed_and_is_back_reads_what_all_read_and_nothing_they_alone_read_F17(own_world: World, back_as: str) -> None:
    builder = own_world.acme.people["builder"]
    made = left(own_world, builder)
    own_world.join(own_world.acme, builder, back_as)
    with own_world.as_(builder) as db:
        assert (reads(db, own_world, made["open"]), reads(db, own_world, made["private"])) == (True, False)
    with own_world.as_(own_world.acme.people["admin"], keep=True, **second_factor()) as db:
        (rule,) = [r for r in db.rpc("list_deny_rules", org_id=own_world.acme.id) if r["document_id"] == made["private"]]
        assert "before they left" in rule["reason"]
        db.run("delete from app.deny_rule where id = %s", rule["id"])
    with own_world.as_(builder) as db:
        assert reads(db, own_world, made["private"])  # by somebody's decision, not by itself


def test_who_was_removed_and_is_back_neither_changes_nor_deletes_nor_shares_what_they_made_F14_F17(own_world: World) -> None:
    builder, org, friend = own_world.acme.people["builder"], own_world.acme.id, own_world.acme.people["member"].user_id
    with own_world.as_(builder) as db:  # the allowed twin: before they left
        mine = add_with_file(db, own_world.acme, "knowledge_base", "twin", 1)
        assert db.rpc("share_document", org_id=org, document_id=mine, user_id=friend, level="owner")["id"]
        assert db.rpc("update_document", org_id=org, document_id=mine, title="x")
    document = left(own_world, builder)["open"]
    own_world.join(own_world.acme, builder, "member")
    with own_world.as_(builder) as db:
        assert db.rpc_error("update_document", org_id=org, document_id=document, title="Mine").sqlstate == "PT404"
        assert db.rpc_error("delete_document", org_id=org, document_id=document).sqlstate == "PT404"
        assert db.rpc_error("share_document", org_id=org, document_id=document, user_id=friend, level="owner").sqlstate == "42501"
        statement = "insert into app.document_grant (org_id, document_id, user_id, level) values (%s, %s, %s, 'owner')"
        assert "not yours to share" in str(db.error(statement, org, document, builder.user_id))
        assert db.run("update app.document set classification = 0 where id = %s", document) == 0
    with own_world.as_(own_world.acme.people["admin"]) as db:
        assert db.rpc("update_document", org_id=org, document_id=document, title="Ours")["title"] == "Ours"


def test_what_they_make_after_they_are_back_is_theirs_F17(own_world: World) -> None:
    builder = own_world.acme.people["builder"]
    left(own_world, builder)
    own_world.join(own_world.acme, builder, "builder")
    with own_world.as_(builder) as db:
        for name in ("private", "new"):  # also at the place of one that was left behind
            again = add_with_file(db, own_world.acme, "knowledge_base", name, 1, visibility="private")
            assert reads(db, own_world, again)
            assert db.rpc("delete_document", org_id=own_world.acme.id, document_id=again)["chunks"] == 1


def test_a_private_document_that_was_left_is_taken_over_by_documents_manage_on_the_record_F17_F18(own_world: World) -> None:
    builder, org, people = own_world.acme.people["builder"], own_world.acme.id, own_world.acme.people
    document = left(own_world, builder)["private"]
    named = {"org_id": org, "document_id": document}
    with own_world.as_(people["member"]) as db:
        assert db.rpc("list_left_documents", org_id=org) == []
        assert db.rpc_error("adopt_document", **named).sqlstate == "PT404"
    with own_world.as_(people["admin"], keep=True) as db:
        assert not reads(db, own_world, document)  # taking over is an act, not a right to read
        assert document in [d["id"] for d in db.rpc("list_left_documents", org_id=org)]
        assert db.rpc("adopt_document", **named)["owner_id"] == str(people["admin"].user_id)
        assert reads(db, own_world, document)
        assert document not in [d["id"] for d in db.rpc("list_left_documents", org_id=org)]
        events = db.all("select actor_id, changed from app.audit_event where action = 'document.update' and object_id = %s order by at", str(document))
        assert events[1:] == [(people["admin"].user_id, ["owner_id", "owner_left_at"])]
    own_world.join(own_world.acme, builder, "builder")
    with own_world.as_(builder) as db:
        assert not reads(db, own_world, document)


def test_who_is_back_with_documents_manage_takes_over_their_own_again_F17(own_world: World) -> None:
    builder = own_world.acme.people["builder"]
    document = left(own_world, builder)["private"]
    own_world.join(own_world.acme, builder, "builder")
    with own_world.as_(builder) as db:
        assert not reads(db, own_world, document)
        db.rpc("adopt_document", org_id=own_world.acme.id, document_id=document)
        assert reads(db, own_world, document)


@pytest.mark.parametrize("hidden", ["a member's, who is still here", "in a knowledge base one cannot read", "of a class one may not read", "of another organization", "not private"])
def test_nothing_else_is_taken_over_F14_F17_F26(own_world: World, hidden: str) -> None:
    """The builder has documents.manage, and reads neither the vault nor what is secret."""
    people, org, taker = own_world.acme.people, own_world.acme.id, own_world.acme.people["builder"]
    if hidden == "a member's, who is still here":
        document = own_world.acme.ids["private_document"]
    elif hidden == "of another organization":
        document = own_world.globex.ids["left_document"]
    else:
        more = {"classification": 3} if "class" in hidden else {}
        made = left(own_world, people["admin"], "vault_knowledge_base" if "knowledge base" in hidden else "knowledge_base", **more)  # type: ignore[arg-type]
        document = made["open" if hidden == "not private" else "private"]
    with own_world.as_(taker) as db:
        assert document not in [d["id"] for d in db.rpc("list_left_documents", org_id=org)]
        assert db.rpc_error("adopt_document", org_id=org, document_id=document).sqlstate == "PT404"
        db.run("select set_config('ringfence.adopting_org_id', %s, true), set_config('ringfence.leaving_id', %s, true)", str(org), str(people["owner"].user_id))
        assert db.rpc_error("adopt_document", org_id=org, document_id=document).sqlstate == "PT404"
        assert not db.one("select authz.can_read_document(%s, %s)", org, document) or hidden == "not private"
        assert db.rpc("adopt_document", org_id=org, document_id=own_world.acme.ids["left_document"])["document_id"]  # the allowed twin


def test_a_setting_that_anybody_may_write_shows_no_passage_of_what_was_left_F17(own_world: World) -> None:
    builder = own_world.acme.people["builder"]
    document = left(own_world, builder)["private"]
    own_world.join(own_world.acme, builder, "builder")
    with own_world.as_(builder) as db:
        for name, value in (("leaving_id", builder.user_id), ("adopting_org_id", own_world.acme.id), ("search_org_id", own_world.acme.id)):
            db.run("select set_config(%s, %s, true)", f"ringfence.{name}", str(value))
        db.run("select set_config('ringfence.search_terms', %s, true)", "passag")
        with own_world.operator() as superuser:
            every = [str(d) for (d,) in superuser.all("select id from app.document where org_id = %s", own_world.acme.id)]
        found = db.all("select m.document_id from authz.matching_chunks(null, array(select row(d, 't', 'u', 'untrusted')::authz.search_document from"
                       " jsonb_array_elements_text(%s) t (text), lateral (select t.text::uuid) u (d))) m", every)
        assert found and (document,) not in found


def test_whom_a_directory_sends_away_with_an_api_token_owns_nothing_when_they_are_back_F05_F17(own_world: World) -> None:
    """The token carries neither documents.manage nor a right to read: the trigger needs none."""
    customer, org = own_world.acme.people["customer"], own_world.acme.id
    with own_world.as_(own_world.acme.people["owner"], keep=True) as db:
        db.rpc("share_knowledge_base", org_id=org, knowledge_base_id=own_world.acme.ids["knowledge_base"], user_id=customer.user_id, level="editor")
    with own_world.as_(customer, keep=True) as db:
        made = add_with_file(db, own_world.acme, "knowledge_base", "private", 1, visibility="private")
    account, claims = directory(own_world)
    with own_world.as_(account, keep=True, **claims) as db:
        db.rpc("deprovision_member", org_id=org, user_id=customer.user_id)
    own_world.join(own_world.acme, customer, "member")
    with own_world.as_(customer) as db:
        assert not reads(db, own_world, made)
        assert db.run("update app.document set title = 'x' where id = %s", made) == 0
    with own_world.as_(own_world.acme.people["admin"]) as db:
        assert made in [d["id"] for d in db.rpc("list_left_documents", org_id=org)]
