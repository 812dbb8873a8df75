"""Purging leaves nothing of an organization in any table there is, and a receipt that says how much there was (F23)."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.db.racing import held_up, said
from tests.db.session import LONG_AGO, Request, second_factor
from tests.db.world import World, make_person

NOT_OWNED = ("PT404", "no such organization that you own")


def tables(db: Request) -> list[str]:
    """Every table with org_id, from the catalog, and the organization's own."""
    return ["organization", *(t for (t,) in db.all(
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped"
        " where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') order by 1"))]


def counted(world: World, org: UUID) -> dict[str, int]:
    """Rows of an organization by table, as the superuser counts them."""
    with world.operator() as db:
        return {t: int(db.one(f"select count(*) from app.{t} where {'id' if t == 'organization' else 'org_id'} = %s", org)) for t in tables(db)}


def everything(world: World, where: str) -> dict[str, str]:
    """A digest of every table of schema app, of the rows for which the condition holds."""
    with world.operator() as db:
        names = [t for (t,) in db.all("select relname from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') order by 1")]
        return {t: str(db.one(f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from app.{t} t where {where}")) for t in names}


def purge(world: World, slug: str = "acme", **claims: Any) -> Any:
    with world.as_(world.acme.people["owner"], keep=True, **(claims or second_factor())) as db:
        try:
            return db.rpc("purge_organization", org_id=world.acme.id, confirm_slug=slug)
        except psycopg.Error as error:
            return said(error)


def test_no_row_is_left_in_any_table_and_the_receipt_counts_them_all_F23(own_world: World) -> None:
    world = own_world
    before, others = counted(world, world.acme.id), counted(world, world.globex.id)
    assert len(before) >= 30 and all(before.values())  # a table without rows would prove nothing
    told = purge(world)
    assert told["tables"] == before and told["total"] == sum(before.values())
    assert counted(world, world.acme.id) == dict.fromkeys(before, 0)
    assert counted(world, world.globex.id) == others
    assert told["sha256"] == hashlib.sha256(f"{world.acme.id} {postgres_text(world, told['tables'])}".encode()).hexdigest()
    with world.operator() as db:
        kept = db.all("select id::text, organization_id, total, tables, sha256 from authz.purge_receipt")
    assert kept == [(told["receipt_id"], world.acme.id, told["total"], told["tables"], told["sha256"])]


def postgres_text(world: World, value: Any) -> str:
    with world.operator() as db:
        return str(db.one("select %s::jsonb::text", json.dumps(value)))


def test_nothing_anywhere_names_the_organization_or_what_was_in_it_any_more_F23(own_world: World) -> None:
    """Every table we have is searched: for its id, its canary, and every person who was in it alone."""
    world = own_world
    people = [str(p.user_id) for p in world.acme.people.values()]
    told = purge(world)
    with world.operator() as db:
        names = [t for (t,) in db.all("select oid::regclass::text from pg_class where relnamespace::regnamespace::text in ('app', 'authz') and relkind in ('r', 'p')")]
        for word in (world.acme.canary, *people, *(str(v) for v in world.acme.ids.values() if isinstance(v, UUID))):
            found = {t for t in names if db.one(f"select count(*) from {t} t where t::text like '%%' || %s || '%%'", word)}
            assert found <= ({"authz.ended_session"} if word == str(world.acme.ids["customer_session"]) else set()), (word, found)
        assert {t for t in names if db.one(f"select count(*) from {t} t where t::text like '%%' || %s || '%%'", str(world.acme.id))} == {"authz.purge_receipt"}
    assert "email" not in json.dumps(told) and not any(p in json.dumps(told) for p in people)


def test_the_other_organization_and_its_people_notice_nothing_F23(own_world: World) -> None:
    world = own_world
    before = everything(world, f"t::text like '%%{world.globex.id}%%'")
    purge(world)
    assert everything(world, f"t::text like '%%{world.globex.id}%%'") == before
    with world.as_(world.both) as db:
        assert [o["slug"] for o in db.rpc("whoami")["organizations"]] == ["globex"]
    with world.as_(world.acme.people["customer"]) as db:  # the same unexpired token
        assert db.rpc("whoami")["organizations"] == [] and db.rpc("my_orders", org_id=world.acme.id) == []
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        assert said(db.rpc_error("purge_organization", org_id=world.acme.id, confirm_slug="acme")) == NOT_OWNED
        assert db.rpc("create_organization", slug="acme", name="Anew")["id"] != str(world.acme.id)


def test_the_session_of_an_api_token_of_it_does_not_become_an_ordinary_one_F08_F23(own_world: World) -> None:
    """Without its row nothing would narrow it: whoever held the token would be its owner, everywhere."""
    world, owner = own_world, own_world.acme.people["owner"]
    token = {"session_id": str(owner.token_session_id)}
    with world.as_(owner, **token) as db:
        assert db.one("select authz.acts_in_person()") is False
    purge(world)
    with pytest.raises(psycopg.Error, match="was revoked or has expired"), world.as_(owner, **token):
        pass
    with world.as_(owner) as db:
        assert db.rpc("whoami")["user_id"] == str(owner.user_id)


@pytest.mark.parametrize("claims", [{"aal": "aal1"}, {"aal": "aal2"}, LONG_AGO])
def test_it_takes_a_second_factor_used_a_moment_ago_F07(own_world: World, claims: dict[str, Any]) -> None:
    assert purge(own_world, **claims)[0] == "PT401"
    assert purge(own_world)["total"] > 0


@pytest.mark.parametrize("slug", ["", " acme", "ACME", "acme ", "globex", "*", "%", None])
def test_it_takes_the_slug_letter_by_letter_F23(world: World, slug: str | None) -> None:
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        assert db.rpc_error("purge_organization", org_id=world.acme.id, confirm_slug=slug).sqlstate == "22023"
        assert db.rpc("purge_organization", org_id=world.acme.id, confirm_slug="acme")


def test_only_an_owner_does_it_in_person_and_only_theirs_F12_R44_R53(own_world: World) -> None:
    world, owner = own_world, own_world.acme.people["owner"]
    for who in (*(p for r, p in world.acme.people.items() if r != "owner"), world.globex.people["owner"], world.nobody, world.removed):
        with world.as_(who, **second_factor()) as db:
            answers = [said(db.rpc_error("purge_organization", org_id=org, confirm_slug="acme")) for org in (world.acme.id, uuid4())]
            assert answers == [NOT_OWNED] * 2
            assert said(db.error("select authz.purge(%s, 'acme')", world.acme.id)) == NOT_OWNED
    for claims in ({"client_id": "an app"}, {"session_id": str(owner.token_session_id)}):
        with world.as_(owner, **second_factor(), **claims) as db:
            assert db.rpc_error("purge_organization", org_id=world.acme.id, confirm_slug="acme").sqlstate == "42501"
    with world.as_(owner, **second_factor(), org_id=str(world.globex.id)) as db:
        assert said(db.rpc_error("purge_organization", org_id=world.acme.id, confirm_slug="acme")) == NOT_OWNED
    account = make_person(world.superuser_url, "robot@acme.test")
    with world.as_(owner, keep=True, **second_factor()) as db:
        token = db.rpc("create_invitation", org_id=world.acme.id, email=account.email, role="owner", service=True)["token"]
    with world.as_(account, keep=True, **second_factor()) as db:
        db.rpc("accept_invitation", token=token)
        assert said(db.rpc_error("purge_organization", org_id=world.acme.id, confirm_slug="acme")) == NOT_OWNED
    assert purge(world)["total"] > 0


def test_the_receipts_and_the_trail_are_nobodys_to_write_or_take_F23_F61(world: World) -> None:
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        for statement in ("select * from authz.purge_receipt", "insert into authz.purge_receipt (organization_id) values (gen_random_uuid())",
                          "delete from authz.purge_receipt", "update authz.purge_receipt set total = 0", "select * from authz.ended_session",
                          "delete from authz.ended_session", "delete from app.audit_event", "delete from app.organization"):
            assert "permission denied" in str(db.error(statement)), statement
    with world.operator() as db:  # what the owner of the definers may, without a purge of this transaction
        db.run("insert into authz.purge_receipt (organization_id, purged_in) values (%s, '3')", world.acme.id)
        db.run("select set_config('request.jwt.claims', %s, true), set_config('role', 'ringfence_owner', true)",
               json.dumps(world.acme.people["owner"].claims()))
        assert db.run("delete from app.audit_event where org_id = %s", world.acme.id) == 0
        assert db.run("delete from app.organization where id = %s", world.acme.id) == 0


def test_a_suspended_organization_can_be_purged_F23(own_world: World) -> None:
    with own_world.as_(own_world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("suspend_organization", org_id=own_world.acme.id)
    assert purge(own_world)["tables"]["organization"] == 1


def test_every_table_of_organizations_goes_with_the_organization_by_its_foreign_key_F23(world: World) -> None:
    with world.operator() as db:
        cascading = {t for (t,) in db.all(
            "select conrelid::regclass::text from pg_constraint where contype = 'f' and confrelid = 'app.organization'::regclass and confdeltype = 'c'")}
        assert {f"app.{t}" for t in tables(db)} - cascading == {"app.organization", "app.audit_event"}


def test_somebody_who_joins_meanwhile_waits_and_finds_nothing_R46(own_world: World) -> None:
    world = own_world
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("purge_organization", org_id=world.acme.id, confirm_slug="acme")
        late = held_up(world, world.acme.guest, lambda db: db.rpc("join_by_sso", org_id=world.acme.id))
    assert late.result(10)[0] == "PT404"
    assert sum(counted(world, world.acme.id).values()) == 0


def test_an_order_placed_meanwhile_does_not_outlive_it_R46(own_world: World) -> None:
    """Whoever writes first is waited for, and goes along."""
    world = own_world
    order = {"org_id": world.acme.id, "order_number": "ORD-9999", "total_cents": 1, "currency": "EUR", "items": [{"name": "x", "quantity": 1}]}
    with world.as_(world.acme.people["customer"], keep=True) as db:
        db.rpc("place_order", **order)
        late = held_up(world, world.acme.people["owner"], lambda db: db.rpc("purge_organization", org_id=world.acme.id, confirm_slug="acme"), **second_factor())
    assert late.result(20)["tables"]["customer_order"] >= 3
    assert sum(counted(world, world.acme.id).values()) == 0
