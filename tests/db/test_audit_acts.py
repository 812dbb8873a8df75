"""What changes no state is in the trail too: sign-ins, calls of tools and models, refusals (F03, F47, F61, F64)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.db.matrix import become, planted
from tests.db.registry.recipe import embedding
from tests.db.session import Person, Request, second_factor
from tests.db.world import World

NEW = "at >= transaction_timestamp()"


def events(db: Request, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    db.run("reset role")
    return db.all(f"select {columns} from app.audit_event where {NEW} and {where} order by at, id")


def signs_in(db: Request, person: Person, method: str | None, **claims: Any) -> None:
    """What Supabase Auth does when it makes a token."""
    db.run("set local role supabase_auth_admin")
    event = {"user_id": str(person.user_id), "claims": person.claims(**claims)} | ({"authentication_method": method} if method is not None else {})
    db.run("select authz.access_token_hook(%s)", Jsonb(event))
    db.run("reset role")


def test_a_sign_in_is_in_the_trail_of_each_organization_it_opens_F61(world: World) -> None:
    person = world.both
    with planted(world) as db:
        signs_in(db, person, "password")
        found = events(db, "org_id, action, actor_id, actor_kind, actor_role, object_id, auth_session_id, target, outcome")
        session = person.session_id
        assert set(found) == {(org, "session.start", person.user_id, "user", role, str(session), session, "password", "ok")
                              for org, role in ((world.acme.id, "builder"), (world.globex.id, "member"))}


@pytest.mark.parametrize(("who", "method", "claims", "there"), [
    ("both", "token_refresh", {}, 0), ("both", "totp", {}, 2), ("both", "sso/saml", {}, 2), ("both", None, {}, 2), ("both", "a b\n", {}, 2),
    ("nobody", "password", {}, 0), ("removed", "password", {}, 0), ("narrowed", "password", {}, 1)])
def test_a_refresh_is_no_sign_in_and_what_a_token_does_not_open_hears_of_none_F61(
    world: World, who: str, method: str | None, claims: dict[str, Any], there: int) -> None:
    person = {"nobody": world.nobody, "removed": world.removed}.get(who, world.both)
    with planted(world) as db:
        signs_in(db, person, method, **({"app_metadata": {"org_id": str(world.globex.id)}} if who == "narrowed" else {}))
        assert len(events(db, "id", "action = 'session.start'")) == there
        assert set(events(db, "target", "action = 'session.start'")) == (set() if not there else {(method if method != "a b\n" else None,)})


def test_an_organization_that_asks_for_a_second_factor_hears_of_the_sign_in_with_it_F61_R42(strict_world: World) -> None:
    with planted(strict_world) as db:
        signs_in(db, strict_world.both, "password")
        assert events(db, "org_id") == [(strict_world.globex.id,)]
        signs_in(db, strict_world.both, "totp", **second_factor())
        assert set(events(db, "org_id", "target = 'totp'")) == {(strict_world.globex.id,), (strict_world.acme.id,)}


def test_without_its_record_nobody_signs_in_F63(world: World) -> None:
    with planted(world, "create function public.tg_refuse() returns trigger language plpgsql as $$ begin raise exception 'the trail is full'; end $$",
                 "create trigger refuse before insert on app.audit_event for each row execute function public.tg_refuse()") as db:
        with pytest.raises(psycopg.errors.RaiseException, match="the trail is full"), db.connection.transaction():
            signs_in(db, world.both, "password")
        db.run("reset role")
        signs_in(db, world.both, "token_refresh")


def test_a_tool_call_and_a_model_call_say_who_called_what_in_which_run_with_which_digests_F03_F47_F61_R106(world: World) -> None:
    customer, ids = world.acme.people["customer"], world.acme.ids
    with planted(world) as db:
        become(db, customer, client_id="an app")
        db.rpc("call_tool", run_id=ids["running_run"], tool="search_documents", arguments={"query": "delivery"}, query_embedding=str(embedding(0)))
        db.rpc("call_tool", run_id=ids["running_run"], tool="place_order", arguments={})
        call = db.rpc("begin_model_call", org_id=world.acme.id, run_id=ids["running_run"], model="m-1", provider="here", max_tokens=9)
        db.rpc("end_model_call", call_id=call["call_id"], key=call["key"], input_tokens=3, output_tokens=4, duration_ms=5)
        db.run("reset role")
        steps = db.all("select id::text, arguments_sha256, authz.step_digest(s) from app.run_step s where run_id = %s order by position desc limit 3", ids["running_run"])[::-1]
        version = db.one("select bot_version from app.run where id = %s", ids["running_run"])
        found = events(db, "object_id, arguments_sha256, object_sha256, action, target, outcome, rule, actor_id, actor_role, client_id, run_id, bot_id, bot_version")
        common = (customer.user_id, "member", "an app", ids["running_run"], ids["bot"], version)
        assert found == [
            (*steps[0], "tool.call", "search_documents", "ok", None, *common),
            (*steps[1], "tool.call", "place_order", "denied", "binding_or_permission", *common),
            (*steps[2], "model.call", "m-1", "ok", None, *common)]
        assert len(steps[0][1]) == 64 and steps[2][1] is None


def test_a_tool_that_a_rule_takes_away_is_denied_with_the_rules_identifier_F15_F64(world: World) -> None:
    customer = world.acme.people["customer"]
    with planted(world) as db:
        become(db, world.acme.people["owner"], **second_factor())
        rule = db.rpc("create_deny_rule", org_id=world.acme.id, tool="my_orders", user_id=customer.user_id, reason="x")["id"]
        other = db.rpc("create_deny_rule", org_id=world.acme.id, tool="my_orders", user_id=world.acme.people["builder"].user_id, reason="x")["id"]
        become(db, customer)
        assert db.rpc("call_tool", run_id=world.acme.ids["running_run"], tool="my_orders", arguments={})["outcome"] == "denied"
        assert events(db, "rule", "action = 'tool.call'") == [(f"deny_rule:{rule}",)] != [(f"deny_rule:{other}",)]


DENIED = {"function_name": "create_role", "code": "42501"}


@pytest.mark.parametrize(("told", "rule"), [
    ({"message": 'new row violates row-level security policy "role_insert_manager" for table "role"'}, "policy:role_insert_manager"),
    ({"message": 'new row violates row-level security policy "no_such_policy" for table "role"'}, "function:create_role"),
    ({"message": "permission denied for table role"}, "privilege:role"), ({"message": "permission denied for table role; drop"}, "function:create_role"),
    ({"message": "you may not"}, "function:create_role"), ({}, "function:create_role"), ({"code": "PT401", "message": "permission denied for table role"}, "step_up"),
])
def test_a_refusal_is_recorded_with_the_rule_that_made_it_F64(world: World, told: dict[str, Any], rule: str) -> None:
    customer = world.acme.people["customer"]
    with planted(world, "select set_config('request.headers', '{\"x-request-id\": \"r-9\"}', true)") as db:
        become(db, customer)
        assert db.rpc("record_denial", **DENIED | told, named_org=world.acme.id) == {"recorded": True}
        assert events(db, "org_id, action, actor_id, actor_role, target, outcome, rule, request_id, run_id, changed") == [
            (world.acme.id, "access.deny", customer.user_id, "member", "create_role", "denied", rule, "r-9", None, [])]


def test_the_organization_is_the_one_the_call_was_about_and_only_one_of_ones_own_F64(world: World) -> None:
    acme, globex, run = world.acme, world.globex, world.acme.ids["running_run"]
    foreign = globex.ids["running_run"]
    for person, about, where in (
        (world.both, {"named_org": globex.id}, globex.id), (world.both, {"run_id": run}, None), (acme.people["customer"], {"run_id": run}, acme.id),
        (world.both, {"bot": "globex/helpdesk"}, globex.id), (world.both, {"bot": f"{acme.id}/x"}, acme.id), (world.both, {"bot": "x"}, None), (world.both, {}, None),
        (acme.people["customer"], {}, acme.id), (acme.people["customer"], {"named_org": globex.id}, None), (acme.people["customer"], {"named_org": uuid4()}, None),
        (acme.people["customer"], {"run_id": foreign}, acme.id), (acme.people["customer"], {"bot": "globex/helpdesk"}, acme.id),
        (world.nobody, {"named_org": acme.id}, None), (world.removed, {"named_org": acme.id}, None), (world.nobody, {}, None),
    ):
        with planted(world) as db:
            become(db, person)
            if where:
                assert db.rpc("record_denial", **DENIED, **about) == {"recorded": True}, about
            else:
                error = db.rpc_error("record_denial", **DENIED, **about)
                assert (error.sqlstate, error.diag.message_primary) == ("PT404", "none of your organizations is meant"), about
            found = events(db, "org_id, actor_id, run_id", "action = 'access.deny'")
            assert found == ([(where, person.user_id, run if about.get("run_id") == run else None)] if where else []), about
    with planted(world) as db:  # a session narrowed to one organization
        become(db, world.both, org_id=str(globex.id))
        assert db.rpc_error("record_denial", **DENIED, named_org=acme.id).sqlstate == "PT404"
        assert db.rpc("record_denial", **DENIED) == {"recorded": True}
        assert events(db, "org_id") == [(globex.id,)]


def test_what_is_no_refusal_of_a_function_there_is_is_refused_itself_F64(world: World) -> None:
    with world.as_(world.acme.people["customer"]) as db:
        for wrong in ({"code": "PT404"}, {"code": ""}, {"function_name": "no_such"}, {"message": "x" * 501}, {"bot": "b" * 201}, {"function_name": "tg_audit"}):
            assert db.rpc_error("record_denial", **DENIED | wrong, named_org=world.acme.id).sqlstate == "22023", wrong
        for statement in ("select authz.record_event(%s, 'access.deny')", "insert into app.audit_event (org_id, actor_kind, action) values (%s, 'user', 'access.deny')"):
            assert db.error(statement, world.acme.id).sqlstate == "42501"
