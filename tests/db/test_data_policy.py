"""What an organization allows providers of models: decided before each call, in SQL, and kept (F70, F71)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.db.matrix import become, planted
from tests.db.session import Request, second_factor
from tests.db.world import World

LAX = {"region": None, "allowed_regions": None, "zero_retention": False, "no_training": False, "redact": False, "rows_to_model": False, "external_classification": 3}
REGISTERED = {
    # name: leaves, region, retention_days, trains, attestation
    "attested": (True, "eu", 0, False, "DPA of 2026-10"),
    "careless": (True, "us", 30, True, None),
    "here": (False, None, 0, False, None),
}
PT404 = ("PT404", "no such organization, or not yours to manage")


@pytest.fixture
def providers(own_world: World) -> World:
    with own_world.operator(keep=True) as db:
        for name, (leaves, region, days, trains, paper) in REGISTERED.items():
            db.run("insert into app.provider (name, leaves, region, retention_days, trains, attestation, attested_on) values (%s, %s, %s, %s, %s, %s, %s)",
                   name, leaves, region, days, trains, paper, paper and "2026-10-01")
    return own_world


def set_policy(world: World, **policy: Any) -> None:
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        assert db.rpc("set_data_policy", org_id=world.acme.id, **policy).items() >= (LAX | policy).items()


def decided(world: World, provider: str, run: bool = True) -> dict[str, Any]:
    with world.as_(world.acme.people["customer"], keep=True) as db:
        answer: dict[str, Any] = db.rpc("begin_model_call", org_id=world.acme.id, provider=provider, model="m", max_tokens=5,
                                        run_id=world.acme.ids["running_run"] if run else None)
        assert (answer["key"] is None) is (answer["refused_by"] is not None)
        return answer


@pytest.mark.parametrize(("policy", "refused"), [
    ({}, {}),
    ({"allowed_regions": ["eu", "ch"]}, {"careless": "region", "unknown": "region"}),
    ({"allowed_regions": ["us"]}, {"attested": "region", "unknown": "region"}),
    ({"zero_retention": True}, {"careless": "retention", "unknown": "retention"}),
    ({"no_training": True}, {"careless": "training", "unknown": "training"}),
    ({"allowed_regions": ["us"], "zero_retention": True, "no_training": True}, {"attested": "region", "careless": "retention", "unknown": "region"}),
])
def test_each_rule_refuses_who_breaks_it_and_who_nothing_is_known_of_and_nobody_else_F70_F71(
        providers: World, policy: dict[str, Any], refused: dict[str, str]) -> None:
    set_policy(providers, **policy)
    for name in (*REGISTERED, "unknown"):
        assert decided(providers, name)["refused_by"] == refused.get(name), name
    # Another organization's policy is no affair of theirs.
    with providers.as_(providers.globex.people["customer"]) as db:
        assert db.rpc("begin_model_call", org_id=providers.globex.id, provider="careless", model="m", max_tokens=5)["refused_by"] is None


def test_personal_data_is_replaced_only_for_who_leaves_and_where_it_is_wanted_F69(providers: World) -> None:
    for wanted in (True, False):
        set_policy(providers, redact=wanted)
        assert [decided(providers, name)["redact"] for name in ("attested", "unknown", "here", "offline")] == [wanted, wanted, False, False]


def test_the_decision_is_kept_with_what_was_known_then_and_a_refusal_is_a_step_of_the_run_F70(providers: World) -> None:
    set_policy(providers, zero_retention=True)
    decided(providers, "attested"), decided(providers, "careless"), decided(providers, "careless", run=False)
    with providers.operator(keep=True) as db:
        db.run("update app.provider set retention_days = 30 where name = 'attested'")
    run = providers.acme.ids["running_run"]
    for who in ("customer", "auditor"):
        with providers.as_(providers.acme.people[who]) as db:
            calls = [c for c in db.rpc("list_model_calls", org_id=providers.acme.id, in_run=run) if c["provider"] != "offline"]
            assert [(c["provider"], c["region"], c["retention_days"], c["trains"], c["refused_by"]) for c in calls] == [
                ("careless", "us", 30, True, "retention"), ("attested", "eu", 0, False, None)]
            steps = db.rpc("list_run_steps", org_id=providers.acme.id, run_id=run)
            assert [(s["kind"], s["provider"], s["outcome"]) for s in steps] == [("model", "careless", "denied")]
    for person in (providers.acme.people["member"], providers.globex.people["owner"]):
        with providers.as_(person) as db:
            assert db.rpc("list_model_calls", org_id=providers.acme.id) == []


def test_a_policy_takes_a_fresh_second_factor_and_the_permission_also_past_the_function_F07(world: World) -> None:
    org, owner = world.acme.id, world.acme.people["owner"]
    for claims in ({}, second_factor(3600)):
        with world.as_(owner, **claims) as db:
            assert db.rpc_error("set_data_policy", org_id=org, redact=True).sqlstate == "PT401"
            assert db.rpc_error("set_data_policy", org_id=uuid4(), redact=True).sqlstate == "PT401"
        for column, value in (("redact", "true"), ("rows_to_model", "true"), ("zero_retention", "true"), ("no_training", "true"), ("region", "'eu'"), ("allowed_regions", "'{eu}'"),
                              ("external_classification", "1")):
            with world.as_(owner, **claims) as db:
                assert db.error(f"update app.organization set {column} = {value} where id = %s", org).sqlstate == "PT401", column
            with world.as_(owner, **second_factor()) as db:
                assert db.run(f"update app.organization set {column} = {value} where id = %s", org) == 1
    for person, named in ((world.acme.people["admin"], org), (world.globex.people["owner"], org), (owner, uuid4())):
        with world.as_(person, **second_factor()) as db:
            error = db.rpc_error("set_data_policy", org_id=named, redact=True)
            assert (error.sqlstate, error.diag.message_primary) == PT404
    with world.as_(owner, **second_factor()) as db:
        assert db.rpc("set_data_policy", org_id=org, redact=True)["redact"] is True


def test_senseless_policies_are_refused_by_name_F09(world: World) -> None:
    for wrong, code in (({"region": "Europe!"}, "23514"), ({"region": "us", "allowed_regions": ["eu"]}, "23514"), ({"allowed_regions": []}, "23514"),
                        ({"allowed_regions": ["eu", None]}, "22023"), ({"redact": None}, "22023"),
                        ({"external_classification": 0}, "22023"), ({"external_classification": 4}, "22023")):
        with world.as_(world.acme.people["owner"], **second_factor()) as db:
            assert db.rpc_error("set_data_policy", org_id=world.acme.id, **wrong).sqlstate == code, wrong


def read(db: Request, world: World) -> tuple[str, str]:
    """Start a run that has read one passage of the document; return it and its conversation."""
    ids = world.acme.ids
    begun = db.rpc("start_run", bot="acme/helpdesk", question="What does it say?")
    started: str = begun["run_id"]
    db.run("insert into app.run_step (org_id, run_id, position, kind, name, arguments_sha256, sources, row_count, outcome) values (%s, %s, 1, 'tool', 'search_documents',"
           " repeat('0', 64), jsonb_build_array(jsonb_build_object('document_id', %s::text, 'chunk_id', (select id from app.chunk where document_id = %s limit 1))), 1, 'ok')",
           world.acme.id, started, ids["document"], ids["document"])
    return started, begun["conversation_id"]


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("classification", [0, 1, 2, 3])
def test_no_text_of_a_document_classified_too_high_goes_to_who_is_outside_and_no_grant_overrides_it_F15(world: World, most: int, classification: int) -> None:
    """Of a run that read it, of the conversation afterwards, and of the document itself when it is embedded; the owner, who may do everything, is asked."""
    org, document = world.acme.id, world.acme.ids["document"]
    wanted = "classification" if classification > most else None
    with planted(world, f"update app.document set classification = {classification} where id = '{document}'",
                 f"update app.organization set external_classification = {most} where id = '{org}'") as db:
        become(db, world.acme.people["owner"])
        call = {"org_id": org, "model": "m", "max_tokens": 5}
        before = db.rpc("start_run", bot="acme/helpdesk", question="Nothing was read.")["run_id"]
        run, conversation = read(db, world)
        for provider, refused in (("unknown", wanted), ("offline", None)):
            assert db.rpc("begin_model_call", **call, provider=provider, run_id=before)["refused_by"] is None
            answer = db.rpc("begin_model_call", **call, provider=provider, run_id=run)
            assert (answer["refused_by"], answer["key"] is None) == (refused, refused is not None)
            assert db.rpc("begin_model_call", **call, provider=provider, document_id=document, purpose="embedding")["refused_by"] == refused
            assert db.rpc("begin_model_call", **call, provider=provider)["refused_by"] is None
        listed = {(one["provider"], one["classification"], one["refused_by"]) for one in db.rpc("list_model_calls", org_id=org, in_run=run)}
        known = classification if classification > 1 else 0
        assert listed == {("unknown", known, wanted), ("offline", known, None)}
        db.rpc("finish_run", run_id=run, outcome="failed", answer="")
        later = db.rpc("start_run", bot="acme/helpdesk", question="And?", conversation_id=conversation)["run_id"]
        assert db.rpc("begin_model_call", **call, provider="unknown", run_id=later)["refused_by"] == wanted


def test_whoever_calls_single_tools_sends_nothing_out_after_a_secret_passage_F15_F39(world: World) -> None:
    """What an MCP client's model writes into its next query is embedded before there is a run."""
    org, document = world.acme.id, world.acme.ids["document"]
    call = {"org_id": org, "model": "m", "max_tokens": 5, "provider": "unknown", "purpose": "embedding"}
    for classification, refused in ((1, None), (3, "classification")):
        with planted(world, f"update app.document set classification = {classification} where id = '{document}'",
                     f"update app.organization set external_classification = 2 where id = '{org}'") as db:
            become(db, world.acme.people["owner"])
            assert db.rpc("begin_model_call", **call)["refused_by"] is None
            found = db.rpc("use_tool", bot="acme/helpdesk", tool="search_documents", arguments={"query": "delivery"})
            assert str(document) in {row["document_id"] for row in found["rows"]}
            assert db.rpc("begin_model_call", **call)["refused_by"] == refused


def test_a_policy_set_without_it_leaves_the_classification_as_it_is_F15(world: World) -> None:
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        assert db.rpc("set_data_policy", org_id=world.acme.id, external_classification=1)["external_classification"] == 1
        assert db.rpc("set_data_policy", org_id=world.acme.id, redact=True)["external_classification"] == 1


def test_a_document_one_cannot_see_is_like_none_F15(world: World) -> None:
    call = {"org_id": world.acme.id, "model": "m", "max_tokens": 5, "provider": "unknown", "purpose": "embedding"}
    with world.as_(world.acme.people["owner"]) as db:
        errors = [db.rpc_error("begin_model_call", **call, document_id=id_) for id_ in (world.globex.ids["document"], uuid4())]
        assert [(e.sqlstate, e.diag.message_primary) for e in errors] == [("PT404", "no such document of that organization that you can see")] * 2
        assert db.rpc("begin_model_call", **call, document_id=world.acme.ids["document"])["key"]


def test_a_question_about_data_goes_nowhere_that_the_run_which_asked_it_may_not_F15(world: World) -> None:
    """The worker calls the model, in a job: what the run has read counts, though the call is not part of it."""
    ids, org, lease = world.acme.ids, world.acme.id, uuid4()
    reserve = "select refused_by from authz.reserve_model_call(%s, null, 'analytics', %s, 'm', 5, repeat('0', 64))"
    for taint, refused in (("{private}", None), ("{private,secret}", "classification")):
        with planted(world, f"update app.organization set external_classification = 2 where id = '{org}'",
                     f"insert into app.bot_binding (org_id, bot_id, tool) values ('{org}', '{ids['bot']}', 'ask_data')",
                     f"update app.analytics_job set bot_id = '{ids['bot']}', run_id = '{ids['running_run']}' where id = '{ids['held_job']}'",
                     f"update app.run set taint = '{taint}' where id = '{ids['running_run']}'",
                     f"update app.job_lease set lease = '{lease}' where job_id = '{ids['held_job']}'", "set local session authorization ringfence_worker") as db:
            assert db.one("select authz.begin_job(%s, %s) ->> 'outcome'", ids["held_job"], lease) == "begun"
            assert db.one(reserve, org, "unknown") == refused
            assert db.one(reserve, org, "offline") is None


def test_no_function_can_put_a_call_on_record_as_allowed_that_the_data_policy_refuses_F15_F70(world: World) -> None:
    """The restrictive policy alone: as the owner of the definers, with the permissive one saying true."""
    org, person = world.acme.id, world.acme.people["owner"]
    row = ("insert into app.model_call (org_id, user_id, purpose, provider, model, redacted, classification, refused_by, reserved_tokens, reserved_cost, key_sha256)"
           " values (%s, %s, 'answer', %s, 'm', false, %s, %s, 0, 0, 'k')")
    with planted(world, f"update app.organization set external_classification = 2, zero_retention = true where id = '{org}'",
                 "insert into app.provider (name, region, retention_days, trains, attestation, attested_on) values ('attested', 'eu', 0, false, 'DPA', '2026-10-01')",
                 "alter policy model_call_insert_owner on app.model_call with check (true)") as db:
        become(db, person, "ringfence_owner")
        for provider, classification, refused_by, passes in (
                ("attested", 2, None, True), ("attested", 3, None, False), ("attested", 3, "classification", True), ("offline", 3, None, True),
                ("unknown", 0, None, False), ("unknown", 0, "retention", True)):
            if passes:
                assert db.run(row, org, person.user_id, provider, classification, refused_by) == 1
            else:
                assert "model_call_data_policy_floor" in str(db.error(row, org, person.user_id, provider, classification, refused_by))


def test_nobody_is_registered_to_keep_nothing_without_a_paper_F70(world: World) -> None:
    insert = "insert into app.provider (name, retention_days, trains, attestation, attested_on) values ('p', %s, %s, %s, %s)"
    with world.operator() as db:
        for days, trains in ((0, None), (30, False), (0, True)):
            assert db.error(insert, days, trains, None, None).sqlstate == "23514"
            assert db.error(insert, days, trains, "DPA", None).sqlstate == "23514"
        assert db.run(insert, 30, True, None, None) == 1 and db.run("delete from app.provider where name = 'p'") == 1
        assert db.run(insert, 0, False, "DPA", "2026-10-01") == 1


def test_only_whose_run_it_is_calls_a_model_in_it_F34(world: World) -> None:
    arguments: dict[str, Any] = {"provider": "offline", "model": "m", "max_tokens": 5}
    run, seen = world.acme.ids["running_run"], []
    for who, org, of in (("owner", world.acme.id, run), ("customer", world.globex.id, run), ("customer", uuid4(), None), ("customer", world.globex.id, None),
                         ("customer", world.acme.id, world.acme.ids["run"]), ("customer", world.acme.id, uuid4())):
        with world.as_(world.acme.people[who]) as db:
            seen.append(db.rpc_error("begin_model_call", org_id=org, run_id=of, **arguments).sqlstate)
    assert seen == ["PT404"] * 6
    with world.as_(world.acme.people["customer"]) as db:
        assert db.rpc("begin_model_call", org_id=world.acme.id, run_id=run, **arguments)["key"]


def test_past_the_functions_nothing_is_reserved_in_another_name_or_organization_R10(world: World) -> None:
    call = "select authz.reserve_model_call(%s, %s, 'answer', 'offline', 'm', 5, repeat('0', 64))"
    with world.as_(world.acme.people["customer"]) as db:
        assert db.error(call, world.globex.id, None).sqlstate == "42501"
    with world.as_(world.acme.people["owner"]) as db:
        error: psycopg.Error = db.error(call, world.acme.id, world.acme.ids["running_run"])
        assert error.sqlstate == "23503", "the key of the run carries its person"
    with world.as_(world.acme.people["customer"]) as db:
        assert _reserved(db, world) == (str(world.acme.id), str(world.acme.people["customer"].user_id))


def _reserved(db: Request, world: World) -> tuple[str, str]:
    ((org, user),) = db.all("select org_id::text, user_id::text from authz.reserve_model_call(%s, %s, 'answer', 'offline', 'm', 5, repeat('0', 64))",
                            world.acme.id, world.acme.ids["running_run"])
    return org, user
