"""Who reads a document: visibility, levels of sharing, classification, rules that deny, and access that runs out (F14, F15, F17, F26, F30, F33).

All doors (the table, the search, a bot, the listing, the preview, the file, a citation) are asked of every persona once; each story then
asks the doors that have a policy of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.db.matrix import become, personas, planted
from tests.db.registry.document import add_with_file
from tests.db.registry.recipe import embedding
from tests.db.session import Person, Request
from tests.db.world import World

def doors(db: Request, world: World, document: UUID) -> dict[str, bool]:
    """Through which doors the caller gets to a document of acme, each asked in a savepoint."""
    acme, question = world.acme, {"query": "passage", "query_embedding": json.dumps(embedding(0)), "max_rows": 50}

    def inside(call: Callable[[], Any]) -> bool:
        try:
            with db.connection.transaction():
                return bool(call())
        except psycopg.Error as error:
            assert error.sqlstate in ("PT404", "42501"), error
            return False

    def by_bot() -> bool:
        run = db.rpc("start_run", bot="acme/helpdesk", question="?")["run_id"]
        rows = db.rpc("call_tool", run_id=run, tool="search_documents", arguments={"query": "passage", "max_rows": 50},
                      query_embedding=json.dumps(embedding(0)))["rows"]
        return any(r["document_id"] == str(document) for r in rows)

    base = db.all("select knowledge_base_id from app.document where id = %s", document)
    return {
        "document": db.one("select count(*) from app.document where id = %s", document) == 1,
        "chunk": db.one("select count(*) from app.chunk where document_id = %s", document) > 0,
        "part": db.one("select count(*) from app.document_part where document_id = %s", document) > 0,
        "search": inside(lambda: any(r["document_id"] == document for r in db.rpc("search_documents", org_id=acme.id, **question))),
        "bot": inside(by_bot),
        "list": inside(lambda: base and any(d["id"] == document for d in db.rpc("list_documents", org_id=acme.id, knowledge_base_id=base[0][0]))),
        "get": inside(lambda: db.rpc("get_document", org_id=acme.id, document_id=document)["id"]),
        "file": inside(lambda: db.rpc("read_file_part", org_id=acme.id, document_id=document, position=0)["content"]),
        "preview": inside(lambda: db.rpc("preview_document", org_id=acme.id, document_id=document)["text"]),
        "citation": db.one("select authz.can_read_document(%s, %s)", acme.id, document),
    }


def policies(db: Request, world: World, document: UUID) -> dict[str, bool]:
    """The doors that have policies of their own."""
    found = db.rpc("search_documents", org_id=world.acme.id, query="passage", query_embedding=json.dumps(embedding(0)), max_rows=50)
    return {
        **{table: db.one(f"select count(*) from app.{table} where {column} = %s", document) > 0
           for table, column in (("document", "id"), ("chunk", "document_id"), ("document_part", "document_id"))},
        "search": any(r["document_id"] == document for r in found),
        "citation": db.one("select authz.can_read_document(%s, %s)", world.acme.id, document),
    }


def reads(db: Request, world: World, document: UUID, ask: Callable[..., dict[str, bool]] = policies) -> bool:
    """Whether the caller reads the document: through all doors or through none."""
    found = ask(db, world, document)
    assert len(set(found.values())) == 1, found
    return found["document"]


@pytest.fixture
def stage(world: World) -> Any:
    """The database of one story, undone at its end; the bot reaches every knowledge base there is."""
    with planted(world) as db:
        db.run("insert into app.bot_binding (org_id, bot_id, knowledge_base_id) select org_id, %s, id from app.knowledge_base where org_id = %s"
               " on conflict do nothing", world.acme.ids["bot"], world.acme.id)
        yield db


def as_(db: Request, person: Person) -> Request:
    db.run("reset role")
    become(db, person)
    return db


def audience(db: Request, world: World, document: UUID) -> set[str]:
    """Everybody in acme who reads the document, by name."""
    return {name for name, person in world.acme.people.items() if reads(as_(db, person), world, document)}


READERS = {"owner", "admin", "builder", "analyst", "agent", "member", "customer"}  # with documents.read: all but the auditor


def make(db: Request, world: World, who: str = "builder", base: str = "knowledge_base", name: str = "made", **more: Any) -> UUID:
    as_(db, world.acme.people[who])
    return add_with_file(db, world.acme, base, name, 1, **more)


def test_all_doors_give_every_persona_the_same_documents_F26_F33(stage: Request, world: World) -> None:
    documents = {n: world.acme.ids[f"{n}_document"] for n in ("vault", "shared")}
    documents["open"] = make(stage, world)
    seen = {}
    for name, persona in personas(world).items():
        if persona.role != "authenticated" or persona.person is None or not persona.live:
            continue
        stage.run("reset role")
        become(stage, persona.person, **persona.claims)
        seen[name] = {d for d, id_ in documents.items() if reads(stage, world, id_, doors)}
    assert seen["admin"] == {"vault", "shared", "open"}
    assert (seen["agent"], seen["analyst"], seen["owner"]) == ({"vault", "open"}, {"shared", "open"}, {"open"})
    assert seen["member of both"] == seen["customer"] == {"open"}
    outside = ("auditor", "nobody", "removed member", "owner of the other organization", "member of both, narrowed to globex")
    assert all(seen[name] == set() for name in outside)


def test_a_door_of_its_own_is_noticed_F33(stage: Request, world: World) -> None:
    """The negative control: one door that asks nobody."""
    stage.run("alter table app.document_part disable row level security")
    as_(stage, world.acme.people["customer"])
    with pytest.raises(AssertionError, match="'part': True"):
        reads(stage, world, world.acme.ids["vault_document"], doors)


@pytest.mark.parametrize("level", ["viewer", "editor", "owner"])
@pytest.mark.parametrize("to", ["person", "team", "everyone"])
@pytest.mark.parametrize("what", ["document", "knowledge_base"])
def test_sharing_gives_each_level_its_acts_and_no_more_F14(stage: Request, world: World, what: str, to: str, level: str) -> None:
    """The admin's restricted base or private document, shared with the customer alone, the support team (builder and customer) or all."""
    people, org = world.acme.people, world.acme.id
    document = make(stage, world, "admin", "vault_knowledge_base") if what == "knowledge_base" else make(stage, world, "admin", visibility="private")
    target = {f"{what}_id": world.acme.ids["vault_knowledge_base"] if what == "knowledge_base" else document}
    before = {"admin", "agent"} if what == "knowledge_base" else {"admin"}
    assert audience(stage, world, document) == before
    subject = {"person": {"user_id": people["customer"].user_id}, "team": {"team_id": world.acme.ids["team"]}, "everyone": {}}[to]
    as_(stage, people["admin"]).rpc(f"share_{what}", org_id=org, **target, **subject, level=level)
    assert audience(stage, world, document) == before | {"person": {"customer"}, "team": {"customer", "builder"}, "everyone": READERS}[to]

    db = as_(stage, people["customer"])
    acts = {
        "change": lambda: db.rpc("update_document", org_id=org, document_id=document, title="Changed"),
        "share": lambda: db.rpc(f"share_{what}", org_id=org, **target, user_id=people["member"].user_id, level="viewer"),
        "publish": lambda: db.rpc(f"share_{what}", org_id=org, **target, level="viewer" if to != "everyone" else "owner"),
    }
    if what == "knowledge_base":
        acts["add"] = lambda: add_with_file(db, world.acme, "vault_knowledge_base", "added", 1)
    allowed = {name for name, act in acts.items() if within(db, act)}
    assert allowed == {"viewer": set(), "editor": {"change", "add"} & acts.keys(), "owner": {"change", "add", "share"} & acts.keys()}[level]

    as_(stage, people["admin"]).rpc(f"unshare_{what}", org_id=org, **target, **subject)
    assert audience(stage, world, document) == before


def within(db: Request, act: Callable[[], Any]) -> bool:
    """Whether the act is allowed; it is undone."""
    try:
        with db.connection.transaction(force_rollback=True):
            act()
            return True
    except psycopg.Error as error:
        assert error.sqlstate in ("42501", "PT404"), error
        return False


def test_nobody_gives_what_they_do_not_have_F12_F14(stage: Request, world: World) -> None:
    """An editor cannot share at all, at the table neither; an owner of one thing cannot share another."""
    people, org, vault = world.acme.people, world.acme.id, world.acme.ids["vault_knowledge_base"]
    db = as_(stage, people["agent"])  # editor of the vault
    for level in ("viewer", "editor", "owner"):
        for who in ("agent", "member"):
            statement = "insert into app.kb_grant (org_id, knowledge_base_id, user_id, level) values (%s, %s, %s, %s)"
            assert db.error(statement, org, vault, people[who].user_id, level).sqlstate == "42501"
        assert db.error("insert into app.document_grant (org_id, document_id, user_id, level) values (%s, %s, %s, %s)", org,
                        world.acme.ids["vault_document"], people["member"].user_id, level).sqlstate == "42501"
    assert db.error("update app.kb_grant set level = 'owner'").sqlstate == "42501"
    assert db.error("insert into app.kb_grant (org_id, knowledge_base_id, user_id, level, created_by) values (%s, %s, %s, 'viewer', %s)",
                    org, vault, people["member"].user_id, people["admin"].user_id).sqlstate == "42501"
    mine = make(stage, world, "agent", "vault_knowledge_base", "mine")
    as_(stage, people["agent"]).rpc("share_document", org_id=org, document_id=mine, user_id=people["member"].user_id)  # its own owner may
    assert "member" in audience(stage, world, mine) and "member" not in audience(stage, world, world.acme.ids["vault_document"])
    # documents.manage gives nothing on what one cannot read.
    for who in ("owner", "builder"):
        db = as_(stage, people[who])
        assert db.rpc_error("share_knowledge_base", org_id=org, knowledge_base_id=vault, user_id=people[who].user_id).sqlstate == "PT404"
        assert db.error("insert into app.kb_grant (org_id, knowledge_base_id, user_id) values (%s, %s, %s)", org, vault, people[who].user_id).sqlstate == "42501"


def test_sharing_with_everyone_takes_a_permission_of_its_own_F14(stage: Request, world: World) -> None:
    """SHARE is not SHARE_PUBLIC: without resources.publish an owner shares with people, not with the organization."""
    people, org = world.acme.people, world.acme.id
    document = make(stage, world, "builder", visibility="private")
    restricted = as_(stage, people["builder"]).rpc("create_knowledge_base", org_id=org, slug="own", name="Own", visibility="restricted")["id"]
    def publish(db: Request) -> list[bool]:
        return [within(db, act) for act in (
            lambda: db.rpc("share_document", org_id=org, document_id=document),
            lambda: db.rpc("update_document", org_id=org, document_id=document, visibility="organization"),
            lambda: db.rpc("share_knowledge_base", org_id=org, knowledge_base_id=restricted),
            lambda: db.rpc("set_knowledge_base_visibility", org_id=org, knowledge_base_id=restricted, visibility="organization"),
            lambda: db.rpc("create_knowledge_base", org_id=org, slug="all", name="All"),
            lambda: db.run("update app.knowledge_base set visibility = 'organization' where id = %s", restricted),
        )]

    assert publish(as_(stage, people["builder"])) == [True] * 6
    stage.run("reset role")
    stage.run("delete from app.role_permission p using app.role r where r.id = p.role_id and r.org_id = %s and r.name = 'builder'"
              " and p.permission = 'resources.publish'", org)
    assert publish(as_(stage, people["builder"])) == [False] * 6
    stage.rpc("share_document", org_id=org, document_id=document, user_id=people["member"].user_id)
    assert audience(stage, world, document) == {"builder", "member"}


def test_who_leaves_the_team_or_the_organization_loses_what_it_was_given_F17(stage: Request, world: World) -> None:
    people, org = world.acme.people, world.acme.id
    document = make(stage, world, "admin", visibility="private")
    db = as_(stage, people["admin"])
    db.rpc("share_document", org_id=org, document_id=document, team_id=world.acme.ids["team"])
    db.rpc("share_document", org_id=org, document_id=document, user_id=people["analyst"].user_id, level="owner")
    assert audience(stage, world, document) == {"admin", "analyst", "builder", "customer"}
    as_(stage, people["builder"]).run("delete from app.team_member where user_id = %s", people["customer"].user_id)
    assert audience(stage, world, document) == {"admin", "analyst", "builder"}
    stage.run("reset role")
    stage.run("delete from app.membership where org_id = %s and user_id = %s", org, people["analyst"].user_id)
    assert stage.one("select count(*) from app.document_grant where user_id = %s", people["analyst"].user_id) == 0
    stage.run("delete from app.team where id = %s", world.acme.ids["team"])
    assert stage.one("select count(*) from app.document_grant where document_id = %s", document) == 0
