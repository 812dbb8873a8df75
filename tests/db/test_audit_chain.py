"""The chains of the trail: every event has its link, in the order of the commits, and nobody takes one back (F62, F63, R106)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from agent.audit import chain, sources
from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Request, second_factor
from tests.db.world import World

TICKET = {"subject": "Late", "body": "Where is it?"}


LANES = range(16)


def links(db: Request, org: UUID, lane: int = 0) -> list[chain.Link]:
    """One chain as the superuser reads it, with the events as authz.event_digest() sees them."""
    rows = db.all(
        "select l.lane, l.sequence, l.event_id::text, l.event_sha256, l.prev_hash, l.hash, to_jsonb(e) || jsonb_build_object('at',"
        " to_char(e.at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')) from app.audit_link l"
        " left join app.audit_event e on e.org_id = l.org_id and e.id = l.event_id where l.org_id = %s and l.lane = %s order by l.sequence", org, lane)
    return [chain.Link(*row) for row in rows]


def findings(db: Request, org: UUID, *anchors: chain.Anchor) -> list[tuple[str, str]]:
    return [(f.kind, f.place.removeprefix("0.")) for lane in LANES for f in chain.verify(str(org), lane, links(db, org, lane), anchors)]


def act(db: Request, org: UUID) -> None:
    db.rpc("create_ticket", org_id=org, **TICKET)


def test_every_event_of_the_world_has_one_link_and_the_chain_computed_again_is_the_same_F62(world: World) -> None:
    for organization in (world.acme, world.globex):
        with world.operator() as db:
            found = links(db, organization.id)
            assert [link.sequence for link in found] == list(range(1, len(found) + 1)) and len(found) > 50
            assert {link.event_id for link in found} == {i for (i,) in db.all("select id::text from app.audit_event where org_id = %s", organization.id)}
            assert findings(db, organization.id) == []
            assert found[0].prev_hash == chain.first_hash(str(organization.id), 0)


def test_the_digest_is_the_same_in_every_session_and_outside_the_database_F62(world: World) -> None:
    """Whatever a session shows times in, and for every kind of value an event can hold."""
    with planted(world) as db:
        db.run("select set_config('request.headers', '{\"x-request-id\": \"r-1\"}', true)")
        become(db, world.acme.people["owner"], client_id='an app "ä\u2028\\\t\x7f')
        act(db, world.acme.id)
        db.run("reset role")
        digests = set()
        for zone in ("UTC", "America/St_Johns"):
            db.run(f"set local timezone = '{zone}'")
            db.run("set local datestyle = 'SQL, DMY'")
            digests.add(tuple(db.all("select id, authz.event_digest(e) from app.audit_event e order by id")))
        assert len(digests) == 1
        db.run("set constraints all immediate")
        assert findings(db, world.acme.id) == []
        assert db.one("select count(*) from app.audit_event where request_id = 'r-1' and client_id like 'an app%%' and auth_session_id = %s",
                      world.acme.people["owner"].session_id) == 1


def test_an_act_whose_link_cannot_be_made_does_not_happen_F62_F63(own_world: World) -> None:
    world, customer = own_world, own_world.acme.people["customer"]
    with world.operator(keep=True) as db:
        db.run("create function public.tg_refuse() returns trigger language plpgsql as $$ begin raise exception 'no link'; end $$")
        db.run("create trigger refuse before insert on app.audit_link for each row execute function public.tg_refuse()")
    before = world.rows("support_ticket")
    with pytest.raises(psycopg.errors.RaiseException, match="no link"), world.as_(customer, keep=True) as db:
        act(db, world.acme.id)
    assert world.rows("support_ticket") == before
    with world.operator(keep=True) as db:
        db.run("drop trigger refuse on app.audit_link")
    with world.as_(customer, keep=True) as db:
        act(db, world.acme.id)
    assert world.rows("support_ticket") == before + 1


def test_acts_made_side_by_side_leave_one_chain_without_a_gap_F62_R46(own_world: World) -> None:
    world = own_world
    people = [world.acme.people[r] for r in ("customer", "owner", "builder", "agent")]

    def many(person: Any) -> None:
        for number in range(12):
            with world.as_(person, keep=number % 4 != 3) as db:  # every fourth is rolled back: it takes no number
                act(db, world.acme.id)
                if number % 3 == 0:
                    act(db, world.acme.id)

    before = world.rows("audit_link", f"org_id = '{world.acme.id}'")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(many, people))
    with world.operator() as db:
        assert findings(db, world.acme.id) == []
        assert sum(len(links(db, world.acme.id, lane)) for lane in LANES) - before == 4 * 12 == world.rows("support_ticket", "subject = 'Late'")
        assert db.one("select count(*) from app.audit_event e where not exists (select from app.audit_link l where l.event_id = e.id)") == 0


def test_sixteen_commits_of_one_organization_do_not_wait_for_each_other_and_no_other_organization_waits_F62_R46(own_world: World) -> None:
    world = own_world

    def linked(into: ExitStack, who: Any, org: UUID) -> Request:
        """An act whose link is made and not yet committed."""
        db = into.enter_context(world.as_(who, keep=True))
        db.run("set local lock_timeout = '500ms'")
        act(db, org)
        db.run("set constraints all immediate")
        return db

    with ExitStack() as open_:
        for _ in LANES:
            db = linked(open_, world.acme.people["customer"], world.acme.id)
        act(db, world.acme.id)  # at the place that it has already
        linked(open_, world.globex.people["customer"], world.globex.id)
        with pytest.raises(psycopg.errors.LockNotAvailable), ExitStack() as late:
            linked(late, world.acme.people["owner"], world.acme.id)
    with world.operator() as db:
        assert findings(db, world.acme.id) == findings(db, world.globex.id) == []
        assert db.all("select l.lane, count(*) > 0 from app.audit_link l where l.org_id = %s group by 1 order by 1", world.acme.id) == [(n, True) for n in LANES]
    with world.as_(world.acme.people["owner"], keep=True) as db:
        act(db, world.acme.id)
    assert world.rows("audit_link", f"org_id = '{world.acme.id}' and lane = 1") == 1  # alone one is back at the first


@pytest.mark.parametrize("table", ["audit_event", "audit_link"])
@pytest.mark.parametrize("statement", ["update app.{table} set org_id = org_id", "delete from app.{table}", "truncate app.{table} cascade"])
@pytest.mark.parametrize("role", ["supabase_admin", "postgres"])
def test_the_table_refuses_its_owner_and_the_superuser_too_F61_R106(world: World, role: str, table: str, statement: str) -> None:
    with planted(world) as db:
        db.run(f"set local role {role}")
        error = db.error(statement.format(table=table))
        assert (error.sqlstate, error.diag.message_primary) == ("42501", "the audit trail is only ever added to")
        assert db.run("update app.support_ticket set org_id = org_id") > 0


@pytest.mark.parametrize("role", ["owner", "admin", "auditor", "customer"])
def test_nobody_writes_the_chain_R106(world: World, role: str) -> None:
    with world.as_(world.acme.people[role]) as db:
        for table in ("audit_link", "audit_lane"):
            for statement in ("insert into app.{} (org_id) select org_id from app.membership limit 1", "update app.{} set org_id = org_id", "delete from app.{}"):
                assert str(db.error(statement.format(table))).startswith(f"permission denied for table {table}")


def test_the_owner_of_the_definers_reaches_the_chain_only_while_a_trigger_runs_R10(world: World) -> None:
    with planted(world, "grant delete on app.audit_link, app.audit_lane to ringfence_owner") as db:
        become(db, world.acme.people["owner"], role="ringfence_owner")
        for table in ("audit_link", "audit_lane"):
            assert db.one(f"select count(*) from app.{table}") == 0
            assert db.run(f"delete from app.{table}") == 0
        assert db.run("update app.audit_lane set started_at = now()") == 0
        for statement in ("insert into app.audit_lane (org_id, lane) values (%s, 3)",
                          "insert into app.audit_link (org_id, lane, sequence, event_id, event_sha256, prev_hash, hash) values (%s, 0, 9999, gen_random_uuid(), repeat('0', 64),"
                          " repeat('0', 64), repeat('0', 64))"):
            assert "row-level security" in str(db.error(statement, world.acme.id))
        become(db, world.acme.people["owner"])
        act(db, world.acme.id)
        db.run("set constraints all immediate")
        db.run("reset role")
        assert db.one("select max(sequence) = (select count(*) from app.audit_event where org_id = %s) from app.audit_link where org_id = %s", world.acme.id, world.acme.id)


def test_a_trigger_makes_the_places_of_an_organization_with_its_first_event_and_changes_none_R10(world: World) -> None:
    """The rows of a chain that is not there yet come from whoever acts first; not even in a trigger is a place changed."""
    definer = "language plpgsql security definer set search_path = pg_catalog, pg_temp as"
    with planted(world, REPLICA, f"delete from app.audit_link where org_id = '{world.acme.id}'", f"delete from app.audit_lane where org_id = '{world.acme.id}'",
                 ORIGIN, "create temp table probe (org_id uuid)", "grant insert on probe to authenticated",
                 f"create function pg_temp.change() returns trigger {definer} $$ begin update app.audit_lane l set started_at = now() where l.org_id = new.org_id; return null; end $$",
                 "alter function pg_temp.change() owner to ringfence_owner", "create trigger change after insert on probe for each row execute function pg_temp.change()") as db:
        become(db, world.acme.people["owner"])
        act(db, world.acme.id)
        db.run("set constraints all immediate")
        assert "row-level security" in str(db.error("insert into pg_temp.probe values (%s)", world.acme.id))
        db.run("reset role")
        assert db.all("select lane from app.audit_lane where org_id = %s order by lane", world.acme.id) == [(n,) for n in LANES]
        assert db.one("select count(*) from app.audit_link where org_id = %s", world.acme.id) == 1


@pytest.mark.parametrize(("tampering", "expected"), [
    (["update app.audit_event set actor_role = 'owner' where id = (select event_id from app.audit_link where org_id = '{org}' and sequence = 7)"], [("edited", "7")]),
    (["update app.audit_event set at = at + interval '1 microsecond' where id = (select event_id from app.audit_link where org_id = '{org}' and sequence = 7)"],
     [("edited", "7")]),
    (["delete from app.audit_event where id = (select event_id from app.audit_link where org_id = '{org}' and sequence = 7)"], [("deleted", "7")]),
    # With its link: a gap, and nothing else is left to see.
    (["delete from app.audit_event where id = (select event_id from app.audit_link where org_id = '{org}' and sequence = 7)",
      "delete from app.audit_link where org_id = '{org}' and sequence = 7"], [("gap", "7")]),
    # And the rest moved up.
    (["delete from app.audit_event where id = (select event_id from app.audit_link where org_id = '{org}' and sequence = 7)",
      "delete from app.audit_link where org_id = '{org}' and sequence = 7",
      "update app.audit_link set sequence = sequence - 1 where org_id = '{org}' and sequence = 8"], [("reordered", "7"), ("edited", "7"), ("gap", "8")]),
    # Two change places.
    (["update app.audit_link set sequence = -sequence where org_id = '{org}' and sequence in (7, 8)",
      "update app.audit_link set sequence = 15 + sequence where org_id = '{org}' and sequence < 0"],
     [("reordered", "7"), ("edited", "7"), ("reordered", "8"), ("edited", "8"), ("reordered", "9")]),
    # The event and its digest in the link.
    (["update app.audit_event set actor_role = 'owner' where id = (select event_id from app.audit_link where org_id = '{org}' and sequence = 7)",
      "update app.audit_link l set event_sha256 = authz.event_digest(e) from app.audit_event e where e.id = l.event_id and l.org_id = '{org}' and l.sequence = 7"],
     [("edited", "7")]),
    (["update app.audit_event set actor_role = 'owner' where id = (select event_id from app.audit_link where org_id = '{org}' and sequence = 7)",
      "update app.audit_link l set event_sha256 = authz.event_digest(e), hash = authz.link_hash(l.prev_hash, 7, authz.event_digest(e)) from app.audit_event e"
      " where e.id = l.event_id and l.org_id = '{org}' and l.sequence = 7"], [("reordered", "8")]),
])
def test_what_a_superuser_did_to_the_rows_is_found_F62(world: World, tampering: list[str], expected: list[tuple[str, str]]) -> None:
    with planted(world, "alter table app.audit_link drop constraint audit_link_sequence_check", REPLICA) as db:
        assert findings(db, world.acme.id) == []
        for statement in tampering:
            assert db.run(statement.format(org=world.acme.id)) > 0
        assert findings(db, world.acme.id) == expected
        assert findings(db, world.globex.id) == []


def test_a_cut_tail_and_a_chain_made_anew_are_found_with_an_anchor_F62(world: World) -> None:
    """Without one they are not: that is what anchors are for."""
    with planted(world, REPLICA) as db:
        last = links(db, world.acme.id)[-1]
        anchor = chain.Anchor(str(world.acme.id), "2026-11-22T00:00:00Z", 0, last.sequence, last.hash)
        foreign = chain.Anchor(str(world.globex.id), "2026-11-22T00:00:00Z", 0, 10**6, last.hash)
        assert findings(db, world.acme.id, anchor, foreign) == []
        db.run("delete from app.audit_event where id = %s", UUID(last.event_id))
        db.run("delete from app.audit_link where org_id = %s and sequence = %s", world.acme.id, last.sequence)
        assert findings(db, world.acme.id) == []
        assert findings(db, world.acme.id, anchor) == [("cut", str(last.sequence))]
        db.run(ORIGIN)
        db.run("insert into app.audit_event (org_id, actor_kind, action) values (%s, 'operator', 'bot.update')", world.acme.id)
        db.run("set constraints all immediate")
        assert findings(db, world.acme.id) == []
        assert findings(db, world.acme.id, anchor) == [("rewritten", str(last.sequence))]


def test_what_was_done_before_a_purge_in_the_same_transaction_goes_along_F23_F62(own_world: World) -> None:
    world = own_world
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        act(db, world.acme.id)
        db.rpc("purge_organization", org_id=world.acme.id, confirm_slug="acme")
    assert {t: world.rows(t, f"org_id = '{world.acme.id}'") for t in ("audit_event", "audit_link", "audit_lane")} == {
        "audit_event": 0, "audit_link": 0, "audit_lane": 0}
    with world.operator() as db:
        assert findings(db, world.globex.id) == []


def test_an_event_of_no_known_kind_is_refused_F62(world: World) -> None:
    with planted(world) as db:
        for action, known in (("tool.call", True), ("bot.insert", True), ("bot.rename", False), ("session.end", False), ("tool.calls", False)):
            insert = "insert into app.audit_event (org_id, actor_kind, action) values (%s, 'operator', %s)"
            if known:
                assert db.run(insert, world.acme.id, action) == 1
            else:
                assert db.error(insert, world.acme.id, action).sqlstate == "23514"


def test_an_unknown_organization_has_no_chain_F62(world: World) -> None:
    with world.operator() as db:
        assert findings(db, uuid4()) == []


def test_every_place_that_counts_the_chains_counts_the_same_F62(world: World) -> None:
    with world.operator() as db:
        told = {
            "the table": db.one("select substring(pg_get_constraintdef(oid) from '<= (\\d+)') from pg_constraint where conname = 'audit_lane_lane_check'"),
            "made": db.one("select substring(prosrc from 'generate_series\\(0, (\\d+)\\)') from pg_proc where proname = 'tg_audit_link'")}
        assert {place: int(last) for place, last in told.items()} == dict.fromkeys(told, max(LANES))
        assert int(db.one("select substring(prosrc from '%% (\\d+)') from pg_proc where proname = 'tg_audit_link'")) == len(LANES) == len(sources.LANES)
        assert sources.LANES == LANES
    with world.as_(world.acme.people["auditor"]) as db:
        for chain, cursor in ((max(LANES), ".".join("1" * len(LANES))), (max(LANES) + 1, ".".join("1" * (len(LANES) + 1)))):
            for name, given in (("list_audit_links", {"chain": chain}), ("export_audit_events", {"since": cursor})):
                if chain in LANES:
                    db.rpc(name, org_id=world.acme.id, **given)
                else:
                    assert db.rpc_error(name, org_id=world.acme.id, **given).sqlstate == "22023", name
