"""What changes no state is in the trail too: sign-ins, calls of tools and models, refusals (F03, F47, F61, F64)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.db.calling import arguments, caller
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
        found = events(db, "object_id, arguments_sha256, object_sha256, action, target, outcome, rule, actor_id, actor_role, client_id, run_id, bot_id, bot_version",
                       "action <> 'model_call.insert'")
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


def test_a_model_call_that_is_refused_or_is_part_of_no_answer_is_in_the_trail_with_its_rule_F61_F64_F70_F71(world: World) -> None:
    customer, ids = world.acme.people["customer"], world.acme.ids
    with planted(world, "update app.organization set region = 'eu', allowed_regions = '{eu}'",
                 "insert into app.provider (name, region, retention_days, trains) values ('near', 'eu', 30, true), ('far', 'us', 30, true)") as db:
        become(db, customer)
        asked = {"org_id": world.acme.id, "model": "m-1", "max_tokens": 9}
        assert db.rpc("begin_model_call", **asked, provider="far", purpose="embedding")["refused_by"] == "region"
        assert db.rpc("begin_model_call", **asked, provider="near", purpose="embedding")["refused_by"] is None
        assert db.rpc("begin_model_call", **asked, provider="far", run_id=ids["running_run"])["refused_by"] == "region"
        become(db, world.acme.people["owner"], **second_factor())
        db.rpc("set_budget", org_id=world.acme.id, period="day", max_tokens=1)
        become(db, customer)
        assert db.rpc("begin_model_call", **asked, provider="near", run_id=ids["running_run"])["refused_by"] == "budget"
        calls = {str(i) for (i,) in db.all("select id from app.model_call where started_at >= transaction_timestamp()")}
        version = db.one("select bot_version from app.run where id = %s", ids["running_run"])
        nowhere, run = (None, None, None), (ids["running_run"], ids["bot"], version)
        found = events(db, "action, target, outcome, rule, actor_id, actor_role, run_id, bot_id, bot_version", "action in ('model_call.insert', 'model.call')")
        assert found == [(action, "m-1", outcome, rule, customer.user_id, "member", *place) for action, outcome, rule, place in (
            ("model_call.insert", "denied", "data_policy:region", nowhere), ("model_call.insert", "ok", None, nowhere),
            ("model_call.insert", "denied", "data_policy:region", run), ("model.call", "denied", "data_policy:region", run),
            ("model_call.insert", "denied", "budget", run), ("model.call", "denied", "budget", run))]
        assert {i for (i,) in db.all(f"select object_id from app.audit_event where {NEW} and action = 'model_call.insert'")} == calls and len(calls) == 4


def test_a_search_and_a_reading_outside_a_run_say_which_documents_were_given_out_F61(world: World) -> None:
    acme = world.acme
    customer, base = acme.people["customer"], acme.people["customer"].user_id
    with planted(world) as db:
        become(db, customer, client_id="an app")
        rows = db.rpc("search_documents", org_id=acme.id, query="delivery", query_embedding=str(embedding(0)))
        assert rows and db.rpc("search_documents", org_id=acme.id, query="zzzz") == []
        db.rpc("preview_document", org_id=acme.id, document_id=acme.ids["document"])
        become(db, acme.people["agent"])
        db.rpc("read_file_part", org_id=acme.id, document_id=acme.ids["vault_document"], position=0)
        found = events(db, "action, target, object_id, documents, actor_id, client_id, run_id, outcome, arguments_sha256")
        assert [(*e[:3], sorted(e[3] or []), *e[4:]) for e in found] == [
            ("documents.search", "search_documents", None, sorted({r["document_id"] for r in rows}), base, "an app", None, "ok", None),
            ("documents.search", "search_documents", None, [], base, "an app", None, "ok", None),
            ("document.read", "preview_document", str(acme.ids["document"]), [], base, "an app", None, "ok", None),
            ("document.read", "read_file_part", str(acme.ids["vault_document"]), [], acme.people["agent"].user_id, None, None, "ok", None)]
        become(db, acme.people["auditor"])
        assert {e["action"] for e in db.rpc("list_audit_events", org_id=acme.id, on_object=str(rows[0]["document_id"]), by_actor=base)} >= {"documents.search"}


def test_what_a_run_reads_is_recorded_once_and_what_is_read_past_it_too_F61_F63(world: World) -> None:
    customer, run = world.acme.people["customer"], world.acme.ids["running_run"]
    asked = {"org_id": world.acme.id, "query": "delivery"}
    with planted(world) as db:
        become(db, customer)
        db.rpc("call_tool", run_id=run, tool="search_documents", arguments={"query": "delivery"})
        db.rpc("call_tool", run_id=run, tool="search_documents", arguments={"query": ""})
        db.rpc("search_documents", **asked, run_id=run)
        assert events(db, "action, outcome, run_id, bot_id") == [
            ("tool.call", "ok", run, world.acme.ids["bot"]), ("tool.call", "invalid", run, world.acme.ids["bot"]), ("documents.search", "ok", run, world.acme.ids["bot"])]
    for person, there in ((world.both, 1), (world.globex.people["owner"], 0), (world.nobody, 0), (world.removed, 0)):
        with planted(world) as db:
            become(db, person)
            db.rpc("search_documents", **asked)
            assert events(db, "org_id, actor_id") == [(world.acme.id, person.user_id)] * there, person


@pytest.mark.parametrize("name", ["search_documents", "read_file_part", "preview_document"])
def test_nothing_is_read_where_the_reading_cannot_be_recorded_F63(world: World, name: str) -> None:
    with planted(world) as db:
        become(db, caller(world, name))
        given = arguments(db, world, name)
        assert db.rpc(name, **given)
        db.run("set transaction read only")
        assert db.rpc_error(name, **given).sqlstate == "25006"


def test_a_reading_is_said_of_oneself_in_ones_own_organization_and_in_no_other_words_F61(world: World) -> None:
    customer = world.acme.people["customer"]
    note = "select authz.note_reading(%s, %s, 'search_documents', array[%s]::uuid[])"
    with planted(world) as db:
        become(db, customer)
        db.run(note, world.acme.id, "documents.search", uuid4())
        db.run(note, world.globex.id, "documents.search", uuid4())
        assert {db.error(note, world.acme.id, word, uuid4()).sqlstate for word in ("bot.read", "organization.update", "tool.call")} == {"22023"}
        assert events(db, "org_id, actor_id") == [(world.acme.id, customer.user_id)]
