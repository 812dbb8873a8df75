"""What a run holds, may use and was told, each helper asked past every policy: nothing of another run, bot or organization (F15, F28, F39, F40, R100)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import second_factor
from tests.db.world import World

TWIN = "insert into app.{0} select (jsonb_populate_record(t, '{1}')).* from app.{0} t where org_id = '{2}' and {3}"
ALL = "none"
"""A role that is none: the superuser's session with the claims of a person. Only what a helper says itself keeps anything out."""


@pytest.mark.parametrize(("minutes", "goes_on"), [(0, True), (59, True), (60, False), (1440, False)])
def test_nobody_acts_in_a_run_that_lasts_too_long_F63(world: World, minutes: int, goes_on: bool) -> None:
    run = world.acme.ids["running_run"]
    with planted(world, REPLICA, f"update app.run set started_at = now() - interval '{minutes} minutes' where id = '{run}' and org_id = '{world.acme.id}'", ORIGIN) as db:
        become(db, world.acme.people["customer"])
        if goes_on:
            assert db.one("select (authz.running(%s)).id", run) == run
        else:
            assert db.error("select authz.running(%s)", run).sqlstate == "PT404"


@pytest.mark.parametrize(("status", "ago", "over"), [("running", 59, False), ("running", 60, True), ("succeeded", 60, False), ("failed", 90, False)])
def test_only_what_still_runs_is_over_for_lasting_too_long_F63(world: World, status: str, ago: int, over: bool) -> None:
    with world.as_(world.acme.people["customer"]) as db:
        assert db.one("select authz.run_is_over(%s, now() - %s * interval '1 minute')", status, ago) is over


def test_what_was_said_before_is_of_this_conversation_and_up_to_the_question_of_the_run_F28(world: World) -> None:
    """The conversation has two runs; globex has one of the same id with the same runs, acme has another."""
    org, ids, canary = world.acme.id, world.acme.ids, world.acme.canary
    said = [("user", f"What of the {canary}?"), ("assistant", f"The {canary}."), ("user", "Never mind.")]
    twin = TWIN.format("message", json.dumps({"org_id": str(world.globex.id), "content": "elsewhere"}), org, f"conversation_id = '{ids['conversation']}'")
    with planted(world, REPLICA, *(f"update app.message set created_at = now() - interval '{9 - n} minutes' where org_id = '{org}' and content = '{content}'"
                                   for n, (_, content) in enumerate(said)), twin, ORIGIN) as db:
        assert db.one("select count(*) from app.message where org_id = %s and conversation_id <> %s", org, ids["conversation"])
        for until, number in ((None, 3), (ids["run"], 1), (ids["silent_run"], 3)):
            assert db.one("select authz.run_history(%s, %s, %s)", org, ids["conversation"], until) == [{"role": r, "content": c} for r, c in said[:number]]


def test_a_run_searches_what_its_bot_is_bound_to_in_its_own_organization_R100(world: World) -> None:
    """Globex binds a bot of the same id to something else, and so does another bot of acme."""
    org, ids = world.acme.id, world.acme.ids
    bound = "insert into app.bot_binding (org_id, bot_id, knowledge_base_id) values ('{}', '{}', '{}')"
    with planted(world, REPLICA, bound.format(world.globex.id, ids["bot"], ids["other_base"]), bound.format(org, ids["desk_bot"], ids["other_base"]), ORIGIN) as db:
        become(db, world.acme.people["customer"], role=ALL)
        assert db.one("select authz.run_knowledge_bases(%s, %s)", org, ids["running_run"]) == [ids["knowledge_base"]]
        assert db.error("select authz.run_knowledge_bases(%s, %s)", world.globex.id, ids["running_run"]).sqlstate == "PT404"


def test_a_bot_has_the_tools_it_is_bound_to_that_no_rule_takes_there_F15(world: World) -> None:
    """A rule of globex takes my_orders from the same person, one of acme takes get_order; what is no tool is bound too."""
    org, bot, both = world.acme.id, world.acme.ids["bot"], world.both
    rule = "insert into app.deny_rule (org_id, user_id, tool, reason, created_by) values ('{}', '{}', '{}', 'Probe', '{}')"
    with planted(world, REPLICA, "delete from app.deny_rule", *(rule.format(o, both.user_id, tool, both.user_id) for o, tool in ((world.globex.id, "my_orders"), (org, "get_order"))),
                 f"insert into app.bot_binding (org_id, bot_id, tool) values ('{org}', '{bot}', 'whoami')", ORIGIN) as db:
        bound = {t for (t,) in db.all("select tool from app.bot_binding where org_id = %s and bot_id = %s and tool is not null", org, bot)}
        become(db, both)
        assert set(db.one("select authz.run_tools(%s, %s)", org, bot)) == bound - {"whoami", "get_order"} >= {"my_orders", "search_documents"}


def test_the_name_of_a_bot_never_stands_in_the_way_of_the_id_of_another(world: World) -> None:
    """No name looks like an id; if one could, the id would be meant."""
    org, bot, desk = world.acme.id, world.acme.ids["bot"], world.acme.ids["desk_bot"]
    with planted(world, "alter table app.bot drop constraint bot_slug_no_id_check", REPLICA, f"update app.bot set slug = '{bot}' where id = '{desk}'", ORIGIN) as db:
        become(db, world.acme.people["analyst"])
        assert {bot, desk} <= {b for (b,) in db.all("select authz.runnable_bots()")}
        assert db.one("select (authz.runnable_bot(%s)).id", f"{org}/{bot}") == bot
        assert db.one("select (authz.runnable_bot(%s)).id", f"acme/{bot}") == desk


@pytest.mark.parametrize(("level", "by_token", "may"), [("viewer", True, True), ("viewer", False, True), ("editor", False, True), ("editor", True, False)])
def test_a_token_without_bots_manage_makes_an_editor_a_runner_F08(world: World, level: str, by_token: bool, may: bool) -> None:
    owner, bot = world.acme.people["owner"], world.acme.ids["hidden_bot"]
    session = {"session_id": str(owner.token_session_id)} if by_token else second_factor()
    with planted(world, REPLICA, "delete from app.bot_runner where bot_id = '" + str(bot) + "'",
                 f"insert into app.bot_runner (org_id, bot_id, user_id, level) values ('{world.acme.id}', '{bot}', '{owner.user_id}', 'editor')", ORIGIN) as db:
        become(db, owner, **session)
        assert (bot in {b for (b,) in db.all("select authz.shared_bots(%s)", level)}) is may


def test_single_calls_hold_what_ones_own_returned_F39(world: World) -> None:
    org, ids, people = world.acme.id, world.acme.ids, world.acme.people
    with planted(world, REPLICA, f"update app.conversation set title = 'Tool call: probe' where org_id = '{org}'", "update app.run set taint = '{}', started_at = now()",
                 f"update app.run set taint = '{{private}}' where org_id = '{org}' and id = '{ids['run']}'", ORIGIN) as db:
        for who, taint in (("customer", ["private"]), ("auditor", [])):
            become(db, people[who], role=ALL)
            assert db.one("select authz.single_calls_taint()") == taint


@pytest.mark.parametrize(("tool", "effect"), [("search_documents", "read"), ("create_ticket", "write"), ("now", "destructive"), ("no_such_tool", "destructive")])
def test_what_is_no_function_of_ours_is_taken_for_the_worst_F31(world: World, tool: str, effect: str) -> None:
    with world.as_(world.acme.people["customer"]) as db:
        assert db.one("select authz.tool_effect(%s)", tool) == effect


def test_a_tool_is_the_function_of_ours_of_that_name_F40(world: World) -> None:
    statement: tuple[str, Any] = ("select authz.tool_statement('get_order', %s::text::jsonb, %s::text::jsonb)", json.dumps({"org_id": str(world.acme.id)}))
    with planted(world, "create function public.get_order(anything text) returns text language sql as 'select anything'") as db:
        become(db, world.acme.people["customer"])
        assert "from api.get_order(" in db.one(statement[0], '{"number": "ORD-2000"}', statement[1])
        error = db.error(statement[0], "{}", statement[1])
        assert (error.sqlstate, error.diag.message_primary) == ("22023", "number: required")
