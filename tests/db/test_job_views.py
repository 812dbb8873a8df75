"""The policies beneath the views of schema source, each put to the test alone: what the job is for, and what its requester may see (F50, F51)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from tests.db.jobs import Jobs
from tests.db.matrix import planted
from tests.db.session import Person, Request
from tests.db.world import World

# View, table, relation of the source, and the permissions an API token needs one of.
VIEWS = {"orders": ("customer_order", ("orders.place", "orders.read")), "tickets": ("support_ticket", ("tickets.create", "tickets.read", "tickets.manage")),
         "conversations": ("conversation", ("bots.run",)), "usage": ("usage_entry", ())}


@pytest.fixture
def jobs(own_world: World, cluster: Any) -> Jobs:
    return Jobs(own_world, cluster)


def opened(db: Request, table: str) -> None:
    """Let every permissive policy for the analyst say true: what is left is the restrictive one."""
    for (name,) in db.all("select polname from pg_policy where polrelid = %s::regclass and polpermissive and 'ringfence_analyst'::regrole = any (polroles)", f"app.{table}"):
        db.run(f"alter policy {name} on app.{table} using (true)")


def counted(jobs: Jobs, view: str, **arguments: Any) -> int:
    with jobs.inside(jobs.world.acme.people["owner"], **arguments) as db:
        return int(db.one(f"select count(*) from source.{view}"))


@pytest.mark.parametrize("view", VIEWS)
def test_the_floor_alone_holds_the_organization_the_source_and_the_token_F51(jobs: Jobs, view: str) -> None:
    table, permissions = VIEWS[view]
    world = jobs.world
    with world.operator(keep=True) as db:
        opened(db, table)
        mine = int(db.one(f"select count(*) from app.{table} where org_id = %s", world.acme.id))
        assert db.one(f"select count(*) from app.{table} where org_id = %s", world.globex.id) > 0
    assert counted(jobs, view) == mine > 0
    assert counted(jobs, view, source="books") == (mine if view == "orders" else 0)
    token = {"session_id": str(world.acme.people["owner"].token_session_id)}
    for permission in ("analytics.run", *permissions):
        with world.operator(keep=True) as db:
            db.run("update app.api_token set permissions = array['analytics.run', %s::text] where user_id = %s", permission, world.acme.people["owner"].user_id)
        assert (counted(jobs, view, claims=token) == mine) is (permission in permissions or not permissions), permission


@contextmanager
def scoped(world: World, person: Person, source: str, *changes: str, **claims: Any) -> Iterator[Request]:
    """The analyst in a transaction that has begun a job of this person, all in one transaction of the superuser, which is rolled back."""
    with planted(world, *changes) as db:
        db.run("insert into app.job_scope (org_id, job_id, data_source_id, claims) values (%s, %s, %s, %s)", world.acme.id, uuid4(), world.acme.ids[source],
               json.dumps(person.claims(**claims) | {"org_id": str(world.acme.id)}))
        db.run("set local session authorization ringfence_analyst")
        yield db


READS = {"customer_order": "orders.read", "support_ticket": "tickets.read", "conversation": "bots.run", "usage_entry": "usage.read"}
"""What lets an API token read the rows of others beneath a view; of conversations, one's own."""
ANOTHERS = {
    "support_ticket": "set local session_replication_role = replica; insert into app.support_ticket (org_id, user_id, subject, body) values ('{org}', '{owner}', 's', 'b');"
                      " set local session_replication_role = origin",
    "conversation": "set local session_replication_role = replica; insert into app.conversation (org_id, user_id, bot_id, title) values ('{org}', '{owner}', '{bot}', 't');"
                    " set local session_replication_role = origin",
}
"""A row of somebody else, in tables of which the world gives all to one person."""


@pytest.mark.parametrize("table", READS)
def test_in_a_job_the_policies_beneath_a_view_give_what_the_person_the_source_and_the_token_may_F51(world: World, table: str) -> None:
    """In one transaction, so that each policy is noticed when it is missing (R49)."""
    [view] = [name for name, (beneath, _) in VIEWS.items() if beneath == table]
    count, org, source = f"select count(*) from source.{view}", world.acme.id, world.acme.ids["data_source"]
    owner, customer = world.acme.people["owner"], world.acme.people["customer"]
    another = ANOTHERS.get(table, "select").format(org=org, owner=owner.user_id, bot=world.acme.ids["bot"])
    with planted(world, another) as db:
        everything = db.one(f"select count(*) from app.{table} where org_id = %s", org)
        own = {} if table == "usage_entry" else dict(db.all(f"select user_id, count(*) from app.{table} where org_id = %s group by 1", org))
    assert everything > 0 and all(some < everything for some in own.values())
    with scoped(world, customer, "data_source", another) as db:
        assert db.one(count) == own.get(customer.user_id, 0)
    person, rows = (customer, own[customer.user_id]) if table == "conversation" else (owner, everything)
    with scoped(world, person, "data_source", another) as db:
        assert db.one(count) == rows > 0
    others = ", ".join(f"'{name}'" for name in VIEWS if name != view)
    with scoped(world, person, "data_source", another, f"update app.data_source set relations = array[{others}] where id = '{source}'") as db:
        assert db.one(count) == 0
    token = owner.token_session_id
    for permission, seen in (("analytics.run", 0), (READS[table], rows)):
        change = (f"update app.api_token set user_id = '{person.user_id}', permissions = array['analytics.run', '{permission}'] where session_id = '{token}'")
        with scoped(world, person, "data_source", another, change, session_id=str(token)) as db:
            assert db.one(count) == seen, permission


_RULE = "insert into app.deny_rule (org_id, {column}, reason, created_by) values ('{org}', {value}, 'x', '{owner}')"
OBJECTIONS: dict[str, tuple[str, str]] = {
    # What was done since, and what speaks against the job then.
    "nothing": ("select from app.bot", ""), "banned": ("update auth.users set banned_until = now() + interval '1 day' where id = '{customer}'", "person"),
    "was banned": ("update auth.users set banned_until = now() - interval '1 day' where id = '{customer}'", ""),
    "deleted": ("update auth.users set deleted_at = now() where id = '{customer}'", "person"), "anonymous": ("update auth.users set is_anonymous = true where id = '{customer}'", "person"),
    "suspended": ("update app.membership set status = 'suspended' where user_id = '{customer}' and org_id = '{org}'", "membership"),
    "permission": ("delete from app.role_permission p using app.role r where r.id = p.role_id and r.name = 'member' and p.permission = 'analytics.run' and p.org_id = '{org}'", "permission"),
    "source": ("delete from app.data_source_grant where data_source_id = '{source}'", "source"),
    "archived": ("update app.bot set archived_at = now() where id = '{bot}'", "bot"), "not shared": ("delete from app.bot_runner where bot_id = '{bot}'", "bot"),
    "tool unbound": ("delete from app.bot_binding where tool = 'ask_data'", "bot"),
    "tool of another": ("update app.bot_binding set bot_id = '{hidden}' where tool = 'ask_data' and bot_id = '{bot}'", "bot"),
    "source unbound": ("delete from app.bot_binding where bot_id = '{bot}' and data_source_id = '{source}'", "bot"),
    "source of another": ("update app.bot_binding set bot_id = '{hidden}' where bot_id = '{bot}' and data_source_id = '{source}'", "bot"),
    "another bot": ("insert into app.bot_runner (org_id, bot_id) values ('{org}', '{hidden}'); insert into app.bot_binding (org_id, bot_id, tool) values ('{org}', '{hidden}', 'ask_data');"
                    " insert into app.bot_binding (org_id, bot_id, data_source_id) values ('{org}', '{hidden}', '{source}'); update app.bot set archived_at = now() where id = '{bot}'", "bot"),
    "bot denied": (_RULE.replace("{column}", "user_id, bot_id").replace("{value}", "'{customer}', '{bot}'"), "bot"),
    "tool denied": (_RULE.replace("{column}", "user_id, tool").replace("{value}", "'{customer}', 'ask_data'"), "bot"),
    "other tool denied": (_RULE.replace("{column}", "user_id, tool").replace("{value}", "'{customer}', 'my_orders'"), ""),
    "denied elsewhere": ("insert into app.membership (org_id, user_id, role_id, permissions) select '{globex}', '{customer}', role_id, permissions from app.membership where org_id = '{globex}' limit 1; "
                         + _RULE.replace("{org}", "{globex}").replace("{column}", "user_id, tool").replace("{value}", "'{customer}', 'ask_data'").replace("{owner}", "{other}"), ""),
}


@pytest.mark.parametrize("what", OBJECTIONS)
def test_a_job_of_a_bot_begins_while_its_requester_may_run_the_bot_and_it_may_ask_F44(world: World, what: str) -> None:
    ids, org, lease = world.acme.ids, world.acme.id, uuid4()
    change, code = OBJECTIONS[what]
    names = {"bot": ids["bot"], "hidden": ids["hidden_bot"], "source": ids["data_source"], "org": org, "globex": world.globex.id, "owner": world.acme.people["owner"].user_id,
             "other": world.globex.people["owner"].user_id, "customer": world.acme.people["customer"].user_id}
    with planted(world, "delete from app.bot_binding where data_source_id is not null", f"insert into app.bot_binding (org_id, bot_id, tool) values ('{org}', '{ids['bot']}', 'ask_data')",
                 f"insert into app.bot_binding (org_id, bot_id, data_source_id) values ('{org}', '{ids['bot']}', '{ids['data_source']}')",
                 f"update app.analytics_job set bot_id = '{ids['bot']}', run_id = '{ids['running_run']}' where id = '{ids['held_job']}'",
                 f"update app.job_lease set lease = '{lease}' where job_id = '{ids['held_job']}'", *change.format(**names).split("; ")) as db:
        db.run("set local session authorization ringfence_analyst")
        answer = db.one("select authz.begin_job(%s, %s)", ids["held_job"], lease)
    assert (answer["outcome"], answer.get("code", "")) == ("revoked" if code else "begun", code)


@pytest.mark.parametrize("view", VIEWS)
def test_without_the_floor_a_requester_still_sees_what_they_may_and_nothing_outside_a_job_F51(jobs: Jobs, view: str) -> None:
    table, _ = VIEWS[view]
    world = jobs.world
    with world.operator(keep=True) as db:
        db.run(f"drop policy {table}_analyst_floor on app.{table}")
        own = {"usage": "false"}.get(view, "user_id = %s")
        of_customer = int(db.one(f"select count(*) from app.{table} where {own}", *([] if view == "usage" else [world.acme.people["customer"].user_id])))
    with jobs.inside(world.acme.people["customer"]) as inside:
        assert inside.one(f"select count(*) from source.{view}") == of_customer


@pytest.mark.parametrize("view", [*VIEWS, "uploaded"])
def test_a_view_asks_as_its_reader_and_shows_no_column_more_R11(jobs: Jobs, view: str) -> None:
    shown = {"orders": "id, customer_id, order_number, status, total_cents, currency, placed_at", "tickets": "id, customer_id, order_id, subject, status, created_at",
             "conversations": "id, bot_id, title, started_at", "usage": "on_day, measure, amount", "uploaded": "table_id, data"}
    with jobs.world.operator() as db:
        assert db.one("select reloptions from pg_class where oid = %s::regclass", f"source.{view}") == ["security_barrier=true", "security_invoker=true"]
        assert db.one("select string_agg(attname, ', ' order by attnum) from pg_attribute where attrelid = %s::regclass and attnum > 0", f"source.{view}") == shown[view]


def test_uploaded_rows_are_those_of_the_source_of_the_job_F51(jobs: Jobs) -> None:
    ids, people = jobs.world.acme.ids, jobs.world.acme.people
    tables = "select array_agg(distinct table_id::text) from source.uploaded"
    with jobs.inside(people["customer"]) as db:
        assert db.one(tables) == [str(ids["uploaded_table"])]
    with jobs.inside(people["agent"], source="books") as db:
        assert db.one(tables) == [str(ids["books_table"])]
        # What is still being loaded is asked by nobody, its owner included.
    with jobs.inside(people["owner"]) as db:
        assert db.one(tables) == [str(ids["uploaded_table"])]
