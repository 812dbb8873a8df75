"""A rule that denies a bot or a tool holds against every grant, role and ownership; it concerns whom it names, and nobody else (F15)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.db.matrix import become, planted
from tests.db.session import Person, Request, second_factor
from tests.db.test_run_reach import start, tool
from tests.db.test_step_up import enrol
from tests.db.world import World

TABLES = {"bot": "id", "bot_version": "bot_id", "bot_runner": "bot_id", "bot_binding": "bot_id"}


def subject(world: World, who: str, kind: str, team: Any) -> dict[str, Any]:
    """Arguments that name this person by one of the four kinds of subject."""
    return {"person": {"user_id": world.acme.people[who].user_id}, "role": {"role": "member" if who == "customer" else who},
            "team": {"team_id": team}, "everybody": {}}[kind]


@contextmanager
def with_rule(world: World, who: str, kind: str, **object_: Any) -> Iterator[Request]:
    """A session in which the owner has made a rule that concerns `who`; they are also given all there is to give."""
    person, bot = world.acme.people[who], world.acme.ids["bot"]
    with planted(world) as db:
        team = db.one("insert into app.team (org_id, slug, name, created_by) values (%s, 'probe', 'Probe', %s) returning id", world.acme.id, person.user_id)
        db.run("insert into app.team_member (org_id, team_id, user_id, manager) values (%s, %s, %s, true)",
               world.acme.id, team, person.user_id)
        db.run("insert into app.bot_runner (org_id, bot_id, user_id, level) values (%s, %s, %s, 'owner') on conflict on constraint"
               " bot_runner_principal_key do update set level = 'owner'", world.acme.id, bot, person.user_id)
        become(db, world.acme.people["owner"])
        db.rpc("create_deny_rule", org_id=world.acme.id, reason="Probe.", **subject(world, who, kind, team), **object_)
        yield db


def sees(db: Request, person: Person, bot: Any) -> dict[str, int]:
    become(db, person)
    return {table: db.one(f"select count(*) from app.{table} where {key} = %s", bot) for table, key in TABLES.items()}


KINDS = ["person", "role", "team", "everybody"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["owner", "admin", "builder", "customer"])
def test_a_denied_bot_is_gone_for_whom_the_rule_concerns_whatever_they_were_given_F15(world: World, who: str, kind: str) -> None:
    person, bot, other = world.acme.people[who], world.acme.ids["bot"], world.acme.people["agent"]
    named = {"org_id": world.acme.id, "bot_id": bot}
    with planted(world) as db:
        assert all(sees(db, person, bot).values()) and start(db)
    with with_rule(world, who, kind, bot_id=bot) as db:
        assert not any(sees(db, person, bot).values())
        assert db.rpc_error("start_run", bot="acme/helpdesk", question="Probe?").sqlstate == "PT404"
        assert "helpdesk" not in [b["bot"] for b in db.rpc("list_bots") + db.rpc("list_organization_bots", org_id=world.acme.id)
                                  if b.get("org_id", world.acme.id) == world.acme.id]
        for name, arguments in (("get_bot", {}), ("update_bot", {"expected_version": 1, "name": "x"}), ("archive_bot", {}),
                                ("share_bot", {"user_id": other.user_id}), ("bind_bot", {"tool": "create_ticket"}), ("unshare_bot", {})):
            assert db.rpc_error(name, **named, **arguments).sqlstate in ("PT404", "42501"), name
        # Nobody can give it back by sharing, and somebody the rule does not concern never noticed.
        become(db, other)
        if kind == "everybody":
            assert not any(sees(db, other, bot).values())
        else:
            assert all(sees(db, other, bot).values()) and start(db)
            db.run("reset role")
            db.run("insert into app.bot_runner (org_id, bot_id, role_id, level) select org_id, %s, id, 'owner' from app.role where org_id = %s", bot, world.acme.id)
            assert not any(sees(db, person, bot).values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["owner", "admin", "customer"])
def test_a_denied_tool_is_off_the_list_and_refused_and_recorded_F15_F35(world: World, who: str, kind: str) -> None:
    person, other = world.acme.people[who], world.acme.people["analyst"]
    with with_rule(world, who, kind, tool="my_orders") as db:
        become(db, person)
        run = db.rpc("start_run", bot="acme/helpdesk", question="Probe?")
        assert run["tools"] == ["create_ticket", "get_order", "search_documents"]
        answer = tool(db, run["run_id"], "my_orders")
        assert (answer["outcome"], answer["code"], answer["rows"]) == ("denied", "42501", [])
        assert db.all("select name, outcome, sqlstate, row_count from app.run_step where run_id = %s", run["run_id"]) == [("my_orders", "denied", "42501", 0)]
        assert tool(db, run["run_id"], "search_documents", query="delivery")["outcome"] == "ok"  # the others stay
        become(db, other)
        run = db.rpc("start_run", bot="acme/helpdesk", question="Probe?")
        assert ("my_orders" in run["tools"], tool(db, run["run_id"], "my_orders")["outcome"]) == (
            (False, "denied") if kind == "everybody" else (True, "ok"))


def test_a_rule_made_in_the_middle_of_a_run_holds_for_its_next_call_F15_F17(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["customer"])
        run = start(db)
        assert tool(db, run, "my_orders")["outcome"] == "ok"
        become(db, world.acme.people["owner"])
        rule = db.rpc("create_deny_rule", org_id=world.acme.id, reason="Probe.", role="member", tool="my_orders")["id"]
        become(db, world.acme.people["customer"])
        assert tool(db, run, "my_orders")["outcome"] == "denied"
        become(db, world.acme.people["owner"])
        db.rpc("delete_deny_rule", org_id=world.acme.id, rule_id=rule)
        become(db, world.acme.people["customer"])
        assert tool(db, run, "my_orders")["outcome"] == "ok"


@pytest.mark.parametrize("broken", [None, "drop policy bot_denied_floor on app.bot",
                                    "create or replace function authz.denied(kind text) returns setof uuid language sql stable as 'select null::uuid where false'"])
def test_two_walls_keep_a_denied_bot_from_running_and_both_ask_the_same_rules_F15(world: World, broken: str | None) -> None:
    customer = world.acme.people["customer"]
    with with_rule(world, "customer", "person", bot_id=world.acme.ids["bot"]) as db:
        db.run("reset role")
        if broken:
            db.run(broken)
        become(db, customer)
        runs = world.acme.ids["bot"] in [i for (i,) in db.all("select authz.runnable_bots()")]
        # Without the policy the list of runnable bots still holds; without the rules nothing does.
        assert runs == bool(broken and "denied(kind" in broken)


def test_a_rule_of_one_organization_says_nothing_in_another_F15(world: World) -> None:
    with with_rule(world, "owner", "everybody", tool="my_orders") as db:
        for person in (world.globex.people["customer"], world.both):
            become(db, person)
            run = db.rpc("start_run", bot="globex/helpdesk", question="Probe?")
            assert "my_orders" in run["tools"] and tool(db, run["run_id"], "my_orders")["outcome"] == "ok"
        assert "my_orders" not in db.rpc("start_run", bot="acme/helpdesk", question="Probe?")["tools"]  # whom it concerns in the one
        become(db, world.acme.people["owner"])
        for argument, value in (("bot_id", world.globex.ids["bot"]), ("user_id", world.globex.people["customer"].user_id),
                                ("team_id", world.globex.ids["team"]), ("document_id", world.globex.ids["document"])):
            given = {"tool": "get_order"} if argument in ("user_id", "team_id") else {}
            assert db.rpc_error("create_deny_rule", org_id=world.acme.id, reason="Probe.", **{argument: value}, **given).sqlstate == "PT404"
        assert db.rpc_error("create_deny_rule", org_id=world.globex.id, reason="Probe.", tool="get_order").sqlstate == "42501"


@pytest.mark.parametrize("who", ["admin", "builder", "analyst", "agent", "member", "auditor"])
def test_only_who_holds_rules_manage_sees_makes_and_deletes_rules_F15(world: World, who: str) -> None:
    """Whom a rule concerns is not told of it; who manages rules cannot lose sight of one, even of one about themselves."""
    with world.as_(world.acme.people[who]) as db:
        make = {"org_id": world.acme.id, "reason": "Probe.", "tool": "get_order"}
        if who == "admin":  # the rule of the world takes a bot from admins
            assert str(world.acme.ids["deny_rule"]) in [str(r["id"]) for r in db.rpc("list_deny_rules", org_id=world.acme.id)]
            assert db.rpc("create_deny_rule", **make)["id"]
            assert db.rpc("delete_deny_rule", org_id=world.acme.id, rule_id=world.acme.ids["deny_rule"])["id"]
            assert db.rpc("get_bot", org_id=world.acme.id, bot_id=world.acme.ids["desk_bot"])["level"] == "owner"
        else:
            assert db.rpc("list_deny_rules", org_id=world.acme.id) == []
            assert db.rpc_error("create_deny_rule", **make).sqlstate == "42501"
            assert db.rpc_error("delete_deny_rule", org_id=world.acme.id, rule_id=world.acme.ids["deny_rule"]).sqlstate == "PT404"


@pytest.mark.parametrize(("arguments", "message"), [
    ({}, "name one of a knowledge base"), ({"tool": "my_orders", "bot_id": ":bot"}, "name one of a knowledge base"),
    ({"tool": "my_orders", "role": "member", "team_id": ":team"}, "name a person, a team or a role"),
    ({"tool": "call_tool"}, "tool: not a function"), ({"tool": "*"}, "tool: not a function"), ({"tool": ""}, "tool: not a function"),
])
def test_a_rule_names_one_thing_and_at_most_one_subject_F15_F09(world: World, arguments: dict[str, str], message: str) -> None:
    given = {k: world.acme.ids[v[1:]] if v.startswith(":") else v for k, v in arguments.items()}
    with world.as_(world.acme.people["owner"]) as db:
        error = db.rpc_error("create_deny_rule", org_id=world.acme.id, reason="Probe.", **given)
        assert error.sqlstate == "22023" and str(error.diag.message_primary).startswith(message)


def test_the_same_rule_twice_is_one_rule_F15(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        rule = {"org_id": world.acme.id, "reason": "Probe.", "tool": "get_order"}
        assert db.rpc("create_deny_rule", **rule)["id"]
        assert db.rpc_error("create_deny_rule", **rule | {"reason": "Again."}).sqlstate == "PT409"


@pytest.mark.parametrize("act", ["make", "delete", "delete one about oneself"])
def test_rules_are_made_and_deleted_with_a_fresh_second_factor_where_there_is_one_F15_F07(own_world: World, act: str) -> None:
    """Deleting a rule about oneself is not like leaving: it gives oneself something."""
    world, admin = own_world, own_world.acme.people["admin"]
    with world.as_(world.acme.people["owner"], keep=True) as db:
        own = db.rpc("create_deny_rule", org_id=world.acme.id, reason="Probe.", user_id=admin.user_id, tool="get_order")["id"]

    def attempt(db: Request) -> Any:
        match act:
            case "make": return db.rpc("create_deny_rule", org_id=world.acme.id, reason="Probe.", tool="get_order")
            case "delete": return db.rpc("delete_deny_rule", org_id=world.acme.id, rule_id=world.acme.ids["deny_rule"])
            case _: return db.rpc("delete_deny_rule", org_id=world.acme.id, rule_id=own)

    with world.as_(admin) as db:
        assert attempt(db)["id"]  # no factor to ask for
    enrol(world, admin)
    for claims, sqlstate in (({}, "PT401"), (second_factor(3600), "PT401"), (second_factor() | {"client_id": "app"}, "42501")):
        with world.as_(admin, **claims) as db, pytest.raises(Exception) as caught:
            attempt(db)
        assert caught.value.sqlstate == sqlstate, claims  # type: ignore[attr-defined]
    with world.as_(admin, **second_factor()) as db:
        assert attempt(db)["id"]


OUT = "delete from app.team_member where team_id = %s and user_id = %s"


def test_nobody_gets_out_of_a_rule_by_getting_out_of_its_team_F15(world: World) -> None:
    customer, builder, bot, team = world.acme.people["customer"], world.acme.people["builder"], world.acme.ids["bot"], world.acme.ids["team"]
    with planted(world) as db:
        become(db, customer)
        with db.connection.transaction(force_rollback=True):
            assert db.run(OUT, team, customer.user_id) == 1  # without a rule one leaves as one likes
        become(db, world.acme.people["owner"])
        db.rpc("create_deny_rule", org_id=world.acme.id, reason="Probe.", team_id=team, bot_id=bot)
        lead = db.rpc("create_role", org_id=world.acme.id, name="team-lead", permissions=["teams.manage", "members.read"])["id"]
        db.run("reset role")
        db.run("update app.membership set role_id = %s where org_id = %s and user_id = %s", lead, world.acme.id, world.acme.people["analyst"].user_id)
        # The second manages the team; the third all teams, and is in none.
        for escaping in (customer, builder, world.acme.people["analyst"]):
            become(db, escaping)
            error = db.error(OUT, team, customer.user_id)
            assert (error.sqlstate, error.diag.message_primary) == ("42501", "a rule names this team: rules.manage takes people out of it")
            assert not any(sees(db, customer, bot).values())
        become(db, world.acme.people["admin"])
        assert db.error("delete from app.team where id = %s", team).sqlstate == "23503"
        with db.connection.transaction(force_rollback=True):
            assert db.run(OUT, team, customer.user_id) == 1
            assert all(sees(db, customer, bot).values())
        become(db, customer)
        assert db.rpc("remove_member", org_id=world.acme.id, user_id=customer.user_id)  # leaving all of it stays possible


def test_a_role_that_a_rule_names_is_not_deleted_F15(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["owner"])
        role = db.rpc("create_role", org_id=world.acme.id, name="probe", permissions=["bots.run"])["id"]
        with db.connection.transaction(force_rollback=True):
            assert db.rpc("delete_role", org_id=world.acme.id, role_id=role)
        rule = db.rpc("create_deny_rule", org_id=world.acme.id, reason="Probe.", role="probe", tool="get_order")["id"]
        assert db.rpc_error("delete_role", org_id=world.acme.id, role_id=role).sqlstate == "PT409"
        db.rpc("delete_deny_rule", org_id=world.acme.id, rule_id=rule)
        assert db.rpc("delete_role", org_id=world.acme.id, role_id=role)
