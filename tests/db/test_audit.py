"""No act without its record: each change of state writes its audit event in the same transaction, and nobody edits the trail (F61, F63, R106)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.db.matrix import become, planted
from tests.db.session import Request, second_factor
from tests.db.world import World, embedding

SHA = "0" * 64


def _load(db: Request, w: World, uri: str = "test:probe") -> Any:
    return db.rpc("begin_document", org_id=w.acme.id, knowledge_base_id=w.acme.ids["knowledge_base"], title="Probe", uri=uri, sha256=SHA)


def _finish(db: Request, w: World, uri: str) -> None:
    document = _load(db, w, uri)["document_id"]
    db.rpc("add_chunks", org_id=w.acme.id, document_id=document,
           chunks=[{"position": 0, "content": "x", "start_char": 0, "end_char": 1, "embedding": embedding(0)}])
    db.rpc("finish_document", org_id=w.acme.id, document_id=document)


Act = Callable[[Request, World], Any]
# Every function that changes something: who does it, the act, and the events it must leave.
ACTS: dict[str, tuple[str, Act, list[str]]] = {
    "create_organization": ("nobody", lambda db, w: db.rpc("create_organization", slug="third", name="Third"),
                            ["organization.insert", "membership.insert"]),
    "add_member": ("admin", lambda db, w: db.rpc("add_member", org_id=w.acme.id, user_id=w.nobody.user_id, role="member"), ["membership.insert"]),
    "change_member": ("owner", lambda db, w: db.rpc("change_member", org_id=w.acme.id, user_id=w.both.user_id, role="agent"), ["membership.update"]),
    "remove_member": ("owner", lambda db, w: db.rpc("remove_member", org_id=w.acme.id, user_id=w.both.user_id), ["membership.delete"]),
    "set_mfa_policy": ("owner", lambda db, w: db.rpc("set_mfa_policy", org_id=w.acme.id, required=True), ["organization.update"]),
    "create_knowledge_base": ("builder", lambda db, w: db.rpc("create_knowledge_base", org_id=w.acme.id, slug="probe", name="Probe"),
                              ["knowledge_base.insert"]),
    "begin_document": ("builder", _load, ["document.insert"]),
    "finish_document": ("builder", lambda db, w: _finish(db, w, "test:manual-acme"), ["document.insert", "document.delete", "document.update"]),
    "create_bot": ("builder", lambda db, w: db.rpc("create_bot", org_id=w.acme.id, slug="probe", name="Probe"), ["bot.insert"]),
    "share_bot": ("builder", lambda db, w: db.rpc("share_bot", org_id=w.acme.id, bot_id=w.acme.ids["hidden_bot"]), ["bot_runner.insert"]),
    "bind_bot": ("builder", lambda db, w: db.rpc("bind_bot", org_id=w.acme.id, bot_id=w.acme.ids["hidden_bot"], tool="my_orders"), ["bot_binding.insert"]),
    "start_run": ("customer", lambda db, w: db.rpc("start_run", bot="acme/helpdesk", question="Probe?"), ["run.insert"]),
    "finish_run": ("customer", lambda db, w: db.rpc("finish_run", run_id=w.acme.ids["running_run"], outcome="succeeded", answer="Yes."), ["run.update"]),
    "place_order": ("customer", lambda db, w: db.rpc("place_order", org_id=w.acme.id, order_number="PRB-777", total_cents=1, currency="EUR"),
                    ["customer_order.insert"]),
    "create_ticket": ("customer", lambda db, w: db.rpc("create_ticket", org_id=w.acme.id, subject="s", body="b"), ["support_ticket.insert"]),
}
# Their record is the row itself, append-only: run_step for the first two; chunks belong to a document whose begin and end are recorded.
OWN_RECORD = {"call_tool", "record_step", "add_chunks"}


def actor(world: World, name: str) -> Any:
    return world.nobody if name == "nobody" else world.acme.people[name]


def test_every_function_that_writes_is_examined_F63(world: World) -> None:
    with world.operator() as db:
        volatile = {n for (n,) in db.all("select proname from pg_proc where pronamespace = 'api'::regnamespace and provolatile = 'v'")}
    assert volatile == set(ACTS) | OWN_RECORD


@pytest.mark.parametrize("act", ACTS)
def test_an_act_leaves_its_events_with_actor_and_role_and_takes_them_along_when_undone_F63(world: World, act: str) -> None:
    who, do, actions = ACTS[act]
    person = actor(world, who)
    role = {"nobody": "owner", "customer": "member"}.get(who, who)
    with planted(world, "create temporary table known on commit drop as select id from app.audit_event") as db:
        become(db, person, **second_factor())
        with db.connection.transaction(force_rollback=True):
            do(db, world)
            assert db.one("select count(*) from app.audit_event where actor_id = authz.uid() and at >= transaction_timestamp()") == len(actions)
        become(db, person, **second_factor())
        assert db.one("select count(*) from app.audit_event where actor_id = authz.uid() and at >= transaction_timestamp()") == 0
        do(db, world)
        db.run("reset role")
        new = db.all("select action, actor_id, actor_kind, actor_role, object_id is not null from app.audit_event where id not in (select id from known)")
    assert sorted(a for a, *_ in new) == sorted(actions)
    assert {tuple(rest) for _, *rest in new} <= {(person.user_id, "user", role, True), (person.user_id, "user", None, True)}
    # Only the founding itself happens before the founder has a role.
    assert [a for a, _, _, r, _ in new if r is None] == (["organization.insert"] if act == "create_organization" else [])


@pytest.mark.parametrize("act", ACTS)
def test_an_act_whose_record_cannot_be_written_does_not_happen_F63(world: World, act: str) -> None:
    who, do, actions = ACTS[act]
    tables = sorted({a.split(".")[0] for a in actions})
    with planted(
        world, "create function public.tg_refuse() returns trigger language plpgsql as $$ begin raise exception 'the trail is full'; end $$",
        "create trigger refuse before insert on app.audit_event for each row execute function public.tg_refuse()",
    ) as db:
        count = " union all ".join(f"select '{t}', count(*), md5(string_agg(t::text, '' order by t::text)) from app.{t} t" for t in tables)
        before = db.all(count)
        become(db, actor(world, who), **second_factor())
        with pytest.raises(psycopg.errors.RaiseException, match="the trail is full"), db.connection.transaction():
            do(db, world)
        db.run("reset role")
        assert db.all(count) == before


@pytest.mark.parametrize(("change", "role"), [("remove_member", "owner"), ("change_member", "owner")])
def test_who_gives_up_their_own_role_is_recorded_with_the_role_they_had_F65(world: World, change: str, role: str) -> None:
    owner = world.acme.people["owner"]
    with planted(world) as db:
        become(db, owner)
        db.rpc("add_member", org_id=world.acme.id, user_id=world.nobody.user_id, role="owner")
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
