"""No act without its record: each change of state writes its audit event in the same transaction, and nobody edits the trail (F61, F63, R106)."""

from __future__ import annotations

import psycopg
import pytest

from tests.db.calling import arguments, caller
from tests.db.matrix import become, planted
from tests.db.registry import EVENTS, OWN_RECORD, RECIPES
from tests.db.registry.audit import WITHOUT_EVENT
from tests.db.session import second_factor
from tests.db.world import World

def test_every_function_that_writes_is_examined_F63(world: World) -> None:
    with world.operator() as db:
        volatile = {n for (n,) in db.all("select proname from pg_proc where pronamespace = 'api'::regnamespace and provolatile = 'v'")}
    assert volatile == set(EVENTS) | OWN_RECORD


def test_every_table_leaves_events_or_says_why_not_F61_F63(world: World) -> None:
    query = ("select c.relname from pg_class c where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and not exists (select from pg_trigger t"
             " where t.tgrelid = c.oid and t.tgenabled = 'O' and t.tgfoid in ('authz.tg_audit()'::regprocedure, 'authz.tg_audit_step()'::regprocedure, 'authz.tg_audit_approval()'::regprocedure,"
             " 'authz.tg_audit_model_call()'::regprocedure))")
    with planted(world) as db:
        assert {table for (table,) in db.all(query)} == set(WITHOUT_EVENT)
        db.run("alter table app.team disable trigger _900_audit")
        assert {table for (table,) in db.all(query)} - set(WITHOUT_EVENT) == {"team"}


@pytest.mark.parametrize("name", EVENTS)
def test_an_act_leaves_its_events_with_actor_and_role_and_takes_them_along_when_undone_F63(world: World, name: str) -> None:
    person = caller(world, name)
    role = {"customer": "member", "guest": "member"}.get(RECIPES[name][0], RECIPES[name][0])
    with planted(world, "create temporary table known on commit drop as select id from app.audit_event") as db:
        become(db, person, **second_factor())
        with db.connection.transaction(force_rollback=True):
            db.rpc(name, **arguments(db, world, name))
            db.run("reset role")  # some acts end one's own sight of the trail
            assert db.one("select count(*) from app.audit_event where actor_id = %s and at >= transaction_timestamp()", person.user_id) == len(EVENTS[name])
        become(db, person, **second_factor())
        assert db.one("select count(*) from app.audit_event where actor_id = authz.uid() and at >= transaction_timestamp()") == 0
        db.rpc(name, **arguments(db, world, name))
        db.run("reset role")
        new = db.all("select action, actor_id, actor_kind, actor_role, coalesce(object_id, documents::text) is not null from app.audit_event where id not in (select id from known)")
    assert sorted(a for a, *_ in new) == sorted(EVENTS[name])
    founding = name == "create_organization"
    assert {tuple(rest) for _, *rest in new} <= {(person.user_id, "user", "owner" if founding else role, True), (person.user_id, "user", None, True)}
    # Only the founding itself happens before the founder has a role.
    assert [a for a, _, _, r, _ in new if r is None] == (["organization.insert"] if founding else [])


@pytest.mark.parametrize("name", EVENTS)
def test_an_act_whose_record_cannot_be_written_does_not_happen_F63(world: World, name: str) -> None:
    person = caller(world, name)
    tables = sorted({{"tool": "run_step", "model": "run_step", "access": "audit_event", "documents": "audit_event"}.get(table, table) for table, _, _ in (event.partition(".") for event in EVENTS[name])})
    with planted(
        world, "create function public.tg_refuse() returns trigger language plpgsql as $$ begin raise exception 'the trail is full'; end $$",
        "create trigger refuse before insert on app.audit_event for each row execute function public.tg_refuse()",
    ) as db:
        count = " union all ".join(f"select '{t}', count(*), md5(string_agg(t::text, '' order by t::text)) from app.{t} t" for t in tables)
        before = db.all(count)
        become(db, person, **second_factor())
        with pytest.raises(psycopg.errors.RaiseException, match="the trail is full"), db.connection.transaction():
            db.rpc(name, **arguments(db, world, name))
        db.run("reset role")
        assert db.all(count) == before


@pytest.mark.parametrize(("change", "role"), [("remove_member", "owner"), ("change_member", "owner")])
def test_who_gives_up_their_own_role_is_recorded_with_the_role_they_had_F65(world: World, change: str, role: str) -> None:
    owner = world.acme.people["owner"]
    with planted(world) as db:
        become(db, owner)
        db.rpc("change_member", org_id=world.acme.id, user_id=world.acme.people["admin"].user_id, role="owner")
        db.rpc(change, org_id=world.acme.id, user_id=owner.user_id, **({"role": "auditor"} if change == "change_member" else {}))
        db.run("reset role")
        action = {"remove_member": "membership.delete", "change_member": "membership.update"}[change]
        assert db.all("select actor_id, actor_role from app.audit_event where action = %s and object_id = %s and at >= transaction_timestamp()",
                      action, str(owner.user_id)) == [(owner.user_id, role)]


def test_what_an_operator_does_in_the_database_is_recorded_as_an_operators(world: World) -> None:
    with planted(world) as db:
        db.run("update app.bot set name = 'Renamed' where id = %s", world.acme.ids["bot"])
        assert db.all("select actor_id, actor_kind, action, changed from app.audit_event where object_id = %s and at >= transaction_timestamp()",
                      str(world.acme.ids["bot"])) == [(None, "operator", "bot.update", ["name", "updated_at", "version"])]


@pytest.mark.parametrize("role", ["owner", "admin", "auditor", "customer"])
@pytest.mark.parametrize("statement", [
    "insert into app.audit_event (org_id, actor_kind, action) values ('{org}', 'user', 'bot.insert')",
    "insert into app.audit_event (org_id, actor_kind, action) values ('{org}', 'user', 'bot.insert') on conflict do nothing",
    "update app.audit_event set actor_role = 'owner'", "delete from app.audit_event", "truncate app.audit_event",
    "merge into app.audit_event t using (select 1) s on t.org_id is not null when matched then delete",
])
def test_nobody_writes_the_trail_R106(world: World, role: str, statement: str) -> None:
    with world.as_(world.acme.people[role]) as db:
        assert db.one("select count(*) from app.audit_event") > 0
        error = db.error(statement.format(org=world.acme.id))
        assert (error.sqlstate, error.diag.message_primary) == ("42501", "permission denied for table audit_event")


def test_with_a_grant_by_mistake_the_policies_still_keep_the_trail_R106(world: World) -> None:
    with planted(world, "grant insert, update, delete on app.audit_event to authenticated") as db:
        become(db, world.acme.people["owner"])
        for statement in ("update app.audit_event set actor_role = 'owner'", "delete from app.audit_event"):
            assert db.run(statement) == 0
        assert "row-level security" in str(db.error(
            "insert into app.audit_event (org_id, actor_id, actor_kind, action) values (%s, authz.uid(), 'user', 'bot.insert')", world.acme.id))


def test_the_trail_holds_no_text_of_anybody_F61(world: World) -> None:
    """Digests and names only: no column of any event carries what was written, asked or answered."""
    with world.operator() as db:
        rows = db.one("select string_agg(e::text, ' ') from app.audit_event e where org_id = %s", world.acme.id)
    assert "membership.insert" in rows
    assert world.acme.canary not in rows and "@acme.test" not in rows


def test_one_sees_what_one_did_and_the_auditor_sees_all_of_the_organization_F61(world: World) -> None:
    total = world.rows("audit_event", f"org_id = '{world.acme.id}'")
    customer = world.acme.people["customer"]
    own = world.rows("audit_event", f"org_id = '{world.acme.id}' and actor_id = '{customer.user_id}'")
    assert 0 < own < total
    with world.as_(customer) as db:
        assert db.all("select count(*), count(distinct actor_id) from app.audit_event") == [(own, 1)]
    with world.as_(world.acme.people["auditor"]) as db:
        assert db.one("select count(*) from app.audit_event") == total
