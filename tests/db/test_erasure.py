"""Erasing a person: nothing of theirs is left where the inventory says so, nothing of anybody else's goes, and a hold comes first (F68, F72)."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.db.racing import said
from tests.db.session import Person, Request, second_factor
from tests.db.world import World, add_document

NOTHING_HELD = ("PT404", "nothing is held about such a person, or it is not yours to erase")
HELD = ("PT423", "a legal hold keeps this: nothing was deleted; ask whoever manages the organization")
SECRET = "swordfish"


def inventory(db: Request) -> dict[str, dict[str, str]]:
    """What is done with each column, by table."""
    found: dict[str, dict[str, str]] = {}
    for table, columns, action, _ in db.all("select * from authz.personal_columns()"):
        found.setdefault(table, {}).update(dict.fromkeys(columns, action))
    return found


def of_person(world: World, person: Person) -> dict[str, int]:
    """In how many rows of acme each listed column names this person."""
    with world.operator() as db:
        types = {(t, c): k for t, c, k in db.all("select c.relname, a.attname, a.atttypid::regtype::text from pg_class c join pg_attribute a on a.attrelid = c.oid"
                                                  " where c.relnamespace = 'app'::regnamespace and a.attnum > 0")}
        return {f"{table}.{column}": int(db.one(f"select count(*) from app.{table} where {'id' if table == 'organization' else 'org_id'} = %s and {column}::text in (%s, %s)",
                                                 world.acme.id, str(person.user_id), person.email))
                for table, columns in inventory(db).items() for column in columns if types[table, column] in ("uuid", "text")}


def texts(world: World, needle: str, org: UUID) -> set[str]:
    """The tables of an organization in which a row holds this text."""
    with world.operator() as db:
        tables = ["organization", *(t for (t,) in db.all("select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id'"
                                                         " where c.relnamespace = 'app'::regnamespace and c.relkind = 'r'"))]
        return {t for t in tables if db.one(f"select exists (select from app.{t} t where position(%s in t::text) > 0 and {'id' if t == 'organization' else 'org_id'} = %s)", needle, org)}


def others(world: World, person: Person) -> dict[str, set[str]]:
    """The rows of acme in which this person stands nowhere, by table, but for records of what is happening."""
    with world.operator() as db:
        tables = [t for (t,) in db.all("select relname from pg_class where relnamespace = 'app'::regnamespace and relkind = 'r'"
                                       " and relname not in ('permission', 'audit_event', 'usage_entry', 'erasure', 'departure', 'member_activity')")]
        return {t: {r for (r,) in db.all(f"select t::text from app.{t} t where position(%s in t::text) = 0 and position(%s in t::text) = 0", str(person.user_id), person.email)}
                for t in tables}


def fill_up(world: World, person: Person) -> None:
    """Give the builder everything that the inventory speaks of."""
    acme = world.acme
    with world.as_(person, keep=True, **second_factor()) as db:
        add_document(db, acme, "knowledge_base", f"mine-{SECRET}", 2, visibility="private")
        add_document(db, acme, "knowledge_base", "ours", 2)
        db.rpc("begin_document", org_id=acme.id, knowledge_base_id=acme.ids["knowledge_base"], title=SECRET, uri="test:half", sha256="2" * 64)
        db.rpc("place_order", org_id=acme.id, order_number="ORD-3000", total_cents=1, currency="EUR")
        db.rpc("create_ticket", org_id=acme.id, subject=SECRET, body=SECRET, order_number="ORD-3000")
        started = db.rpc("start_run", bot="acme/helpdesk", question=f"Where is the {SECRET}?")
        db.rpc("call_tool", run_id=started["run_id"], tool="my_orders", arguments={})
        db.rpc("finish_run", run_id=started["run_id"], outcome="succeeded", answer=f"The {SECRET} is here.")
        db.rpc("start_run", bot="acme/helpdesk", question=f"And another {SECRET}?")
        db.rpc("create_api_token", org_id=acme.id, name=f"{SECRET} on my laptop", permissions=["documents.read"], expires_in=3600,
               session_id=person.token_session_id, token_sha256=uuid4().hex * 2, prefix="rft_AbCdEfGh")


@pytest.fixture
def full(own_world: World) -> tuple[World, Person]:
    person = own_world.acme.people["builder"]
    fill_up(own_world, person)
    return own_world, person


def erase_me(world: World, person: Person, slug: str = "acme", **claims: Any) -> Any:
    with world.as_(person, keep=True, **(claims or second_factor())) as db:
        try:
            return db.rpc("erase_me", org_id=world.acme.id, confirm_slug=slug)
        except psycopg.Error as error:
            return said(error)


def erase_member(world: World, by: str, user_id: UUID, **claims: Any) -> Any:
    with world.as_(world.acme.people[by], keep=True, **(claims or second_factor())) as db:
        try:
            return db.rpc("erase_member", org_id=world.acme.id, user_id=user_id)
        except psycopg.Error as error:
            return said(error)


@pytest.mark.parametrize("by", ["the person", "admin"])
def test_what_the_inventory_says_is_what_is_left_and_nobody_elses_is_touched_F68(full: tuple[World, Person], by: str) -> None:
    world, person = full
    before, untouched = of_person(world, person), others(world, person)
    assert {c for c, n in before.items() if n} >= {"conversation.user_id", "message.user_id", "run.user_id", "run_step.user_id", "support_ticket.user_id", "document.owner_id",
                                                   "chunk.owner_id", "api_token.user_id", "invitation.email", "membership.email", "customer_order.user_id"}
    assert texts(world, SECRET, world.acme.id) >= {"document", "chunk", "conversation", "message", "support_ticket", "api_token"}
    receipt = erase_me(world, person) if by == "the person" else erase_member(world, by, person.user_id)
    assert isinstance(receipt, dict), receipt
    after = of_person(world, person)
    with world.operator() as db:
        listed = inventory(db)
    for column, count in after.items():
        table, _, name = column.partition(".")
        if listed[table][name] != "retained":
            assert count == 0, column
    assert {c for c, n in after.items() if n} >= {"customer_order.user_id", "audit_event.actor_id", "api_token.user_id", "erasure.user_id"}
    assert texts(world, SECRET, world.acme.id) == set() and texts(world, person.email, world.acme.id) == set()
    now = others(world, person)
    gone = {t: rows - now[t] for t, rows in untouched.items() if rows - now[t]}
    # What hangs on the person without naming them: none but these.
    assert gone.keys() <= {"message", "run_step"}, gone.keys()
    assert {t: receipt["deleted"][t] for t in ("conversation", "message", "run", "support_ticket", "document")} == {
        "conversation": 2, "message": 3, "run": 2, "support_ticket": 1, "document": 2}
    assert receipt["anonymised"].keys() == {"document", "invitation", "api_token"}
    assert {(r["table"], c) for r in receipt["retained"] for c in r["columns"]} == {(t, c) for t, cs in listed.items() for c, a in cs.items() if a == "retained"}
    assert SECRET not in json.dumps(receipt) and person.email not in json.dumps(receipt)


def test_what_the_organization_reads_stays_and_leads_to_nobody_F68(full: tuple[World, Person]) -> None:
    world, person = full
    erase_me(world, person)
    with world.operator() as db:
        owner, left = db.all("select owner_id, owner_left_at is not null from app.document where uri = 'test:ours'")[0]
        assert owner != person.user_id and left and db.one("select count(*) from auth.users where id = %s", owner) == 0
        assert db.one("select count(*) from app.chunk where owner_id = %s", owner) == 2
    with world.as_(world.acme.people["customer"]) as db:
        assert "test:ours" in [d["uri"] for d in db.rpc("list_documents", org_id=world.acme.id, knowledge_base_id=world.acme.ids["knowledge_base"])]
    with pytest.raises(psycopg.Error, match="this API token was revoked"), world.as_(person, session_id=str(person.token_session_id)):
        pass


def test_erasing_twice_is_erasing_once_and_a_stranger_is_answered_like_nobody_F68(full: tuple[World, Person]) -> None:
    world, person = full
    first = erase_member(world, "owner", person.user_id)
    again = erase_member(world, "owner", person.user_id)
    assert first["deleted"] and (again["deleted"], again["anonymised"]) == ({}, {})
    assert erase_me(world, person) == ("PT404", "no such organization of yours")
    assert erase_member(world, "owner", world.globex.people["owner"].user_id) == erase_member(world, "owner", uuid4()) == NOTHING_HELD
    assert world.rows("erasure", f"user_id = '{world.globex.people['owner'].user_id}'") == 0


def test_only_in_person_with_a_fresh_factor_and_what_one_may_take_F68_F07(own_world: World) -> None:
    world, people = own_world, own_world.acme.people
    stale = second_factor(3600)
    assert erase_me(world, people["customer"], aal="aal1")[0] == erase_me(world, people["customer"], **stale)[0] == "PT401"
    assert erase_member(world, "owner", people["customer"].user_id, **stale)[0] == "PT401"
    assert erase_me(world, people["customer"], client_id="an app", **second_factor())[0] == "42501"
    assert erase_me(world, people["customer"], slug="globex")[0] == "22023"
    assert erase_me(world, people["owner"]) == ("PT409", "an organization keeps at least one owner")
    for by in ("builder", "analyst", "member", "auditor"):
        for user_id in (people["customer"].user_id, world.globex.people["owner"].user_id, uuid4()):
            assert erase_member(world, by, user_id) == ("42501", "erasing what is held about somebody takes members.manage and members.read")
    assert erase_member(world, "admin", people["owner"].user_id) == ("42501", "you can give or take only roles whose permissions you hold yourself")
    assert erase_member(world, "owner", people["owner"].user_id)[0] == "22023"
    assert erase_member(world, "admin", people["customer"].user_id)["deleted"]


def test_an_erasure_is_of_one_organization_F68(own_world: World) -> None:
    world, person = own_world, own_world.both
    with world.as_(person, keep=True, **second_factor()) as db:
        db.rpc("create_ticket", org_id=world.globex.id, subject="mine", body="over there")
    assert isinstance(erase_me(world, person), dict)
    assert world.rows("support_ticket", f"user_id = '{person.user_id}' and org_id = '{world.globex.id}'") == 1
    assert world.rows("membership", f"user_id = '{person.user_id}'") == 1


@pytest.mark.parametrize("statement", [
    "insert into app.erasure (org_id, user_id) values ('{org}', '{owner}')", "insert into app.erasure (org_id, user_id) values ('{org}', '{customer}')",
    "insert into app.erasure (org_id, user_id) values ('{globex}', '{foreign}')",
])
def test_the_order_cannot_be_written_past_the_guards_F68(world: World, statement: str) -> None:
    """As `authenticated` with SQL: a member is erased by who ended their membership first, and nobody of another organization."""
    ids = {"org": world.acme.id, "owner": world.acme.people["owner"].user_id, "customer": world.acme.people["customer"].user_id,
           "globex": world.globex.id, "foreign": world.globex.people["owner"].user_id}
    with world.as_(world.acme.people["admin"], **second_factor()) as db:
        assert "row-level security" in str(db.error(statement.format(**ids)))
    with world.as_(world.acme.people["admin"], **second_factor()) as db:
        assert db.run("insert into app.erasure (org_id, user_id) values (%s, %s)", world.acme.id, world.nobody.user_id) == 1
        assert "permission denied" in str(db.error("update app.erasure set deleted = '{}'"))


@pytest.mark.parametrize("what", ["organization", "person", "conversation"])
def test_a_hold_wins_over_erasure_and_purge_until_it_is_released_F72(full: tuple[World, Person], what: str) -> None:
    world, person = full
    with world.operator() as db:
        conversation = db.all("select id from app.conversation where user_id = %s", person.user_id)[0][0]
    owner = world.acme.people["owner"]
    with world.as_(owner, keep=True, **second_factor()) as db:
        hold = db.rpc("set_legal_hold", org_id=world.acme.id, reason="a case", user_id=person.user_id if what == "person" else None,
                      conversation_id=conversation if what == "conversation" else None)["hold_id"]
    before = of_person(world, person)
    assert erase_me(world, person) == erase_member(world, "owner", person.user_id) == HELD
    with world.as_(owner, **second_factor()) as db:
        error = db.rpc_error("purge_organization", org_id=world.acme.id, confirm_slug="acme")
        assert (error.sqlstate, error.diag.message_primary) == HELD
    assert of_person(world, person) == before
    other = erase_member(world, "owner", world.acme.people["analyst"].user_id)
    assert other == HELD if what == "organization" else isinstance(other, dict)
    with world.as_(owner, keep=True, **second_factor()) as db:
        db.rpc("release_legal_hold", org_id=world.acme.id, hold_id=UUID(hold))
    assert isinstance(erase_me(world, person), dict)


def test_who_is_held_does_not_learn_it_from_the_list_and_only_organization_manage_sets_holds_F72(own_world: World) -> None:
    world, people = own_world, own_world.acme.people
    with world.as_(people["owner"], keep=True, **second_factor()) as db:
        hold = UUID(db.rpc("set_legal_hold", org_id=world.acme.id, reason="a case", user_id=people["customer"].user_id)["hold_id"])
    for name in ("customer", "builder", "admin"):
        with world.as_(people[name], **second_factor()) as db:
            assert [h for h in db.rpc("list_legal_holds", org_id=world.acme.id) if h["id"] == hold] == ([] if name != "admin" else [h for h in db.rpc("list_legal_holds", org_id=world.acme.id) if h["id"] == hold])
            assert db.rpc_error("set_legal_hold", org_id=world.acme.id, reason="x").sqlstate == "42501"
            assert db.rpc_error("release_legal_hold", org_id=world.acme.id, hold_id=hold).sqlstate == "PT404"
    with world.as_(people["owner"]) as db:
        assert db.rpc_error("set_legal_hold", org_id=world.acme.id, reason="x").sqlstate == "PT401"
        assert db.rpc_error("release_legal_hold", org_id=world.acme.id, hold_id=hold).sqlstate == "PT401"
