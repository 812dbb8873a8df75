"""The records read over the API: who sees what, the filters, pages that neither repeat nor skip (F61, F32)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.session import Request
from tests.db.world import World

PAGED = {"list_audit_events": "at", "list_deletion_receipts": "deleted_at"}


def pages(db: Request, name: str, size: int, **arguments: Any) -> list[dict[str, Any]]:
    """Every row, page after page."""
    found: list[dict[str, Any]] = []
    while True:
        before = {"before_at": found[-1][PAGED[name]], "before_id": found[-1]["id"]} if found else {}
        page = db.rpc(name, max_rows=size, **before, **arguments)
        found += page
        if len(page) < size:
            return found


def everything(world: World, table: str) -> set[Any]:
    with world.operator() as db:
        return {i for (i,) in db.all(f"select id from app.{table} where org_id = %s", world.acme.id)}


@pytest.mark.parametrize(("name", "table"), [("list_audit_events", "audit_event"), ("list_deletion_receipts", "deletion_receipt")])
def test_an_auditor_sees_all_of_the_organization_and_nothing_of_another_F61(world: World, name: str, table: str) -> None:
    there = everything(world, table)
    assert there
    with world.as_(world.acme.people["auditor"]) as db:
        assert {r["id"] for r in pages(db, name, 1000, org_id=world.acme.id)} == there
        assert db.rpc(name, org_id=world.globex.id) == db.rpc(name, org_id=uuid4()) == []


def test_a_member_sees_their_own_acts_and_no_others_F61(world: World) -> None:
    member, builder = world.acme.people["customer"], world.acme.people["builder"]
    with world.as_(member) as db:
        found = pages(db, "list_audit_events", 7, org_id=world.acme.id)
        assert found and {e["actor_id"] for e in found} == {member.user_id}
        assert db.rpc("list_audit_events", org_id=world.acme.id, by_actor=builder.user_id) == []
    with world.operator() as db:
        assert len(found) == db.one("select count(*) from app.audit_event where org_id = %s and actor_id = %s", world.acme.id, member.user_id)
        assert db.one("select count(*) from app.audit_event where org_id = %s and actor_id = %s", world.acme.id, builder.user_id) > 0


def test_a_receipt_is_seen_by_who_deleted_and_by_an_auditor_F32_F61(world: World) -> None:
    org, document = world.acme.id, world.acme.ids["document"]
    with planted(world) as db:
        become(db, world.acme.people["owner"])
        db.rpc("delete_document", org_id=org, document_id=document)
        for role, seen in (("owner", 1), ("auditor", 1), ("customer", 0), ("builder", 0)):
            become(db, world.acme.people[role])
            found = db.rpc("list_deletion_receipts", org_id=org, of_document=document)
            assert len(found) == seen, role
        become(db, world.acme.people["auditor"])
        (receipt,) = db.rpc("list_deletion_receipts", org_id=org, of_document=document)
        assert (receipt["document_id"], receipt["chunks"], receipt["deleted_by"]) == (document, 3, world.acme.people["owner"].user_id)
        assert set(receipt) == {"id", "document_id", "knowledge_base_id", "sha256", "chunks", "parts", "citations_redacted", "deleted_by", "deleted_at"}


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_pages_of_any_size_give_every_event_once_newest_first_F61(world: World, size: int) -> None:
    """Many events share a moment: those of one statement planted here."""
    with planted(world, "alter table app.audit_event disable trigger _010_append_only", "update app.audit_event set at = date_trunc('minute', at) where random() < 0.7") as db:
        become(db, world.acme.people["auditor"])
        wanted = {"org_id": world.acme.id, "did": "membership.insert"}
        found = pages(db, "list_audit_events", size, **wanted)
        assert found == db.rpc("list_audit_events", max_rows=1000, **wanted)
        assert len({e["id"] for e in found}) == len(found) > 7
        assert found == sorted(found, key=lambda e: (e["at"], e["id"]), reverse=True)


def test_every_filter_keeps_what_it_says_and_drops_the_rest_F61(world: World) -> None:
    with world.as_(world.acme.people["auditor"]) as db:
        events = db.rpc("list_audit_events", org_id=world.acme.id, max_rows=1000)
        middle = events[len(events) // 2]
        for filters, keeps in (
            ({"did": "run.insert"}, lambda e: e["action"] == "run.insert"),
            ({"by_actor": world.acme.people["customer"].user_id}, lambda e: e["actor_id"] == world.acme.people["customer"].user_id),
            ({"on_object": str(world.acme.ids["document"])}, lambda e: e["object_id"] == str(world.acme.ids["document"])),
            ({"in_run": world.acme.ids["run"]}, lambda e: e["run_id"] == world.acme.ids["run"]),
            ({"since": middle["at"]}, lambda e: e["at"] >= middle["at"]), ({"until": middle["at"]}, lambda e: e["at"] < middle["at"]),
        ):
            kept = [e for e in events if keeps(e)]
            assert 0 < len(kept) < len(events), filters
            assert db.rpc("list_audit_events", org_id=world.acme.id, max_rows=1000, **filters) == kept, filters


@pytest.mark.parametrize("name", PAGED)
def test_half_a_place_to_go_on_from_is_an_error_and_not_the_beginning_F09(world: World, name: str) -> None:
    with world.as_(world.acme.people["auditor"]) as db:
        for half in ({"before_id": uuid4()}, {"before_at": "2100-01-01T00:00:00Z"}):
            assert db.rpc_error(name, org_id=world.acme.id, **half).sqlstate == "22023"
        assert db.rpc(name, org_id=world.acme.id, before_at="2100-01-01T00:00:00Z", before_id=uuid4())


def test_an_api_token_reads_the_trail_only_with_audit_read_F08_F61(own_world: World) -> None:
    world, owner = own_world, own_world.acme.people["owner"]
    token = {"session_id": str(owner.token_session_id)}
    with world.as_(owner, **token) as db:
        assert db.rpc("list_audit_events", org_id=world.acme.id) == []
    with world.operator(keep=True) as db:
        db.run("update app.api_token set permissions = permissions || array['audit.read'] where org_id = %s", world.acme.id)
    with world.as_(owner, **token) as db:
        assert db.rpc("list_audit_events", org_id=world.acme.id)


def test_a_page_deep_in_a_long_trail_is_read_from_the_index_F61(own_world: World) -> None:
    world = own_world
    with world.operator(keep=True) as db:
        db.run("insert into app.audit_event (org_id, at, actor_id, actor_kind, action) select %s, now() - n * interval '1 second', %s, 'user', 'run.insert'"
               " from generate_series(1, 20000) n", world.acme.id, world.acme.people["owner"].user_id)
        db.run("analyze app.audit_event")
    with world.as_(world.acme.people["auditor"]) as db:
        plan = db.one(
            "explain (format json) select * from app.audit_event e where e.org_id = %s and (e.at, e.id) < (now() - interval '4 hours', gen_random_uuid())"
            " order by e.at desc, e.id desc limit 100", world.acme.id)
        assert "audit_event_org_id_at_id_idx" in str(plan) and "'Sort'" not in str(plan)
