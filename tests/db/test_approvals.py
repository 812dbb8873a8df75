"""Calls of tools that wait for somebody to approve them: asked for, decided, used once, of one run, tool and arguments (F36, F46, R101)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.racing import held_up, said
from tests.db.session import Person, Request, second_factor
from tests.db.test_run_reach import start, tool
from tests.db.world import World

TICKET = {"subject": "Lamp", "body": "It is broken."}
STEP_UP = "confirm your second factor and try again: verify a code of your authenticator app, or enrol one first"
NONE = ("PT404", "no such request that is yours to decide")
DESTRUCTIVE = """
create function api.close_account(org_id uuid, reason text) returns jsonb language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
  delete from app.customer_order o where o.org_id = close_account.org_id and o.order_number = 'ORD-3000';
  return jsonb_build_object('id', close_account.org_id, 'trust', 'trusted');
end $$;
comment on function api.close_account(uuid, text) is $c$Close my account.

@audience bot
@context org_id  the organization
@param reason    why; 1..100 characters
@returns         {id}
@errors          42501
@effect          destructive$c$;
grant execute on function api.close_account(uuid, text) to authenticated;
grant delete on app.customer_order to authenticated;
create policy customer_order_delete_self on app.customer_order for delete to authenticated using (user_id = authz.uid());
"""


@pytest.fixture
def asking(own_world: World) -> World:
    """A world of one's own in which acme wants every write approved."""
    with own_world.operator(keep=True) as db:
        db.run("update app.organization set approve_writes = true where id = %s", own_world.acme.id)
    return own_world


def customer(world: World) -> Person:
    return world.acme.people["customer"]


def asked(world: World, **arguments: Any) -> tuple[UUID, UUID]:
    """Start a run as the customer and try the call; return the run and what waits."""
    with world.as_(customer(world), keep=True) as db:
        run = start(db)
        return run, UUID(ask(db, run, **arguments)["approval"]["id"])


def ask(db: Request, run: UUID, **arguments: Any) -> dict[str, Any]:
    answer = tool(db, run, "create_ticket", **(TICKET | arguments))
    assert (answer["outcome"], answer["rows"]) == ("needs_approval", [])
    return answer


def decide(db: Request, world: World, approval: UUID, decision: str = "approve") -> Any:
    return db.rpc("decide_approval", org_id=world.acme.id, approval_id=approval, decision=decision)


def approve(world: World, approval: UUID, who: str = "customer", decision: str = "approve") -> None:
    with world.as_(world.acme.people[who], keep=True, **second_factor()) as db:
        assert decide(db, world, approval, decision)["state"] == {"approve": "approved", "deny": "denied"}[decision]


def tickets(world: World) -> int:
    return world.rows("support_ticket", f"org_id = '{world.acme.id}'")


def test_a_call_waits_is_approved_and_is_made_once_F36_R101(asking: World) -> None:
    before = tickets(asking)
    run, approval = asked(asking)
    assert tickets(asking) == before
    approve(asking, approval)
    with asking.as_(customer(asking), keep=True) as db:
        made = tool(db, run, "create_ticket", **TICKET)
        assert made["outcome"] == "ok" and "approval" not in made
        assert db.all("select outcome from app.run_step where run_id = %s order by position", run) == [("needs_approval",), ("ok",)]
        assert db.all("select state, step_id::text, arguments from app.approval where id = %s", approval) == [("used", made["step_id"], None)]
        again = ask(db, run)
        assert UUID(again["approval"]["id"]) != approval
    assert tickets(asking) == before + 1


@pytest.mark.parametrize("change", [{"body": "It is broken!"}, {"subject": "lamp"}, {"body": "It is broken. "}, {"order_number": "ORD-2000"}])
def test_one_byte_more_or_other_needs_an_approval_of_its_own_R101(asking: World, change: dict[str, Any]) -> None:
    run, approval = asked(asking)
    approve(asking, approval)
    with asking.as_(customer(asking)) as db:
        assert UUID(ask(db, run, **change)["approval"]["id"]) != approval
        # Key order is no byte of it: the same object is the same call.
        assert db.rpc("call_tool", run_id=run, tool="create_ticket", arguments=dict(reversed(TICKET.items())))["outcome"] == "ok"


def test_an_approval_holds_in_its_run_alone_R101(asking: World) -> None:
    run, approval = asked(asking)
    approve(asking, approval)
    with asking.as_(customer(asking)) as db:
        other = UUID(db.rpc("start_run", bot="acme/helpdesk", question="Probe?",
                            conversation_id=db.one("select conversation_id from app.run where id = %s", run))["run_id"])
        ask(db, other)
        assert tool(db, run, "create_ticket", **TICKET)["outcome"] == "ok"


def test_what_waits_is_asked_for_once_and_what_was_denied_not_again_F36(asking: World) -> None:
    run, approval = asked(asking)
    with asking.as_(customer(asking), keep=True) as db:
        assert UUID(ask(db, run)["approval"]["id"]) == approval
    approve(asking, approval, decision="deny")
    with asking.as_(customer(asking)) as db:
        answer = tool(db, run, "create_ticket", **TICKET)
        assert (answer["outcome"], answer["code"], answer["message"]) == ("denied", "42501", "not allowed: this call was asked for and denied")
        assert db.one("select count(*) from app.approval where run_id = %s", run) == 1
        ask(db, start(db))  # another run may ask anew


def test_two_uses_at_the_same_moment_are_one_R101(asking: World) -> None:
    before = tickets(asking)
    run, approval = asked(asking)
    approve(asking, approval)
    with asking.as_(customer(asking), keep=True) as db:
        assert tool(db, run, "create_ticket", **TICKET)["outcome"] == "ok"
        second = held_up(asking, customer(asking), lambda other: tool(other, run, "create_ticket", **TICKET)["outcome"])
    assert second.result(10) == "needs_approval"
    assert tickets(asking) == before + 1


def test_past_the_function_no_step_of_a_call_that_needs_an_approval_is_written_without_F36_F39(asking: World) -> None:
    """With SQL of one's own, as no route gives: the step itself is refused, and of two at once the second."""
    step = ("insert into app.run_step (org_id, run_id, position, kind, name, arguments_sha256, sources, row_count, outcome)"
            " select org_id, run_id, %s, 'tool', tool, arguments_sha256, '[]', 1, 'ok' from app.approval where id = %s")
    _run, approval = asked(asking)
    with asking.as_(customer(asking)) as db:
        assert said(db.error(step, 8, approval)) == ("42501", "this call needs an approval")
    approve(asking, approval)
    with asking.as_(customer(asking), keep=True) as db:
        assert db.run(step, 8, approval) == 1
        second = held_up(asking, customer(asking), lambda other: other.run(step, 9, approval))
    assert second.result(10) == ("42501", "this call needs an approval")


@contextmanager
def destructive(world: World) -> Iterator[tuple[Request, UUID]]:
    """A transaction in which the bot has a tool that destroys, as the customer in a run; another person comes in by `become`."""
    with planted(world) as db:
        db.connection.execute(DESTRUCTIVE)
        db.run("insert into app.bot_binding (org_id, bot_id, tool) values (%s, %s, 'close_account')", world.acme.id, world.acme.ids["bot"])
        become(db, customer(world))
        db.rpc("place_order", org_id=world.acme.id, order_number="ORD-3000", total_cents=1, currency="EUR")
        yield db, start(db)


def test_a_tool_that_destroys_always_waits_R101(world: World) -> None:
    orders = "select count(*) from app.customer_order where order_number = 'ORD-3000'"
    with destructive(world) as (db, run):
        answer = tool(db, run, "close_account", reason="tired")
        assert (answer["outcome"], answer["approval"]["reason"], db.one(orders)) == ("needs_approval", "destructive", 1)
        assert tool(db, run, "create_ticket", **TICKET)["outcome"] == "ok"  # writing alone does not
        become(db, customer(world), **second_factor())
        decide(db, world, UUID(answer["approval"]["id"]))
        become(db, customer(world))
        assert tool(db, run, "close_account", reason="tired.")["outcome"] == "needs_approval"
        assert tool(db, run, "close_account", reason="tired")["outcome"] == "ok"
        assert db.one(orders) == 0


def test_a_call_that_fails_uses_nothing_up_F36(world: World) -> None:
    with destructive(world) as (db, run):
        answer = tool(db, run, "create_ticket", **TICKET, order_number="ORD-2000")
        assert answer["outcome"] == "ok"
        refused = tool(db, run, "close_account", reason="tired", more=1)
        assert (refused["outcome"], db.one("select count(*) from app.approval where run_id = %s", run)) == ("invalid", 0)  # nonsense is nobody's to approve


@pytest.mark.parametrize(("who", "claims", "answer"), [
    ("customer", {}, ("PT401", STEP_UP)), ("owner", {}, ("PT401", STEP_UP)), ("member", {"ago_s": 0}, NONE), ("builder", {"ago_s": 0}, NONE),
    ("auditor", {"ago_s": 0}, NONE), ("customer", {"ago_s": 0}, None), ("owner", {"ago_s": 0}, None), ("admin", {"ago_s": 0}, None),
    ("owner", {"ago_s": 16 * 60}, ("PT401", STEP_UP)), ("owner", {"ago_s": 0, "client_id": "app"}, ("42501", "an app acting for you cannot do this: sign in yourself")),
])
def test_who_asked_and_who_may_decide_approve_with_a_second_factor_and_nobody_else_F46(
        asking: World, who: str, claims: dict[str, Any], answer: tuple[str, str] | None) -> None:
    run, approval = asked(asking)
    if "ago_s" in claims:  # counted from now, not from when the tests were collected
        claims = {k: v for k, v in claims.items() if k != "ago_s"} | second_factor(claims["ago_s"])
    with asking.as_(asking.acme.people[who], keep=True, **claims) as db:
        if answer is None:
            assert decide(db, asking, approval)["state"] == "approved"
        else:
            assert said(db.rpc_error("decide_approval", org_id=asking.acme.id, approval_id=approval, decision="approve")) == answer
    with asking.as_(customer(asking)) as db:
        assert tool(db, run, "create_ticket", **TICKET)["outcome"] == ("ok" if answer is None else "needs_approval")


def test_where_the_organization_wants_another_person_nobody_approves_their_own_F36(asking: World) -> None:
    with asking.as_(asking.acme.people["owner"], keep=True, **second_factor()) as db:
        assert db.rpc("set_approval_policy", org_id=asking.acme.id, writes=True, by_another=True)["approve_by_another"] is True
    run, approval = asked(asking)
    with asking.as_(customer(asking), **second_factor()) as db:
        error = db.rpc_error("decide_approval", org_id=asking.acme.id, approval_id=approval, decision="approve")
        assert said(error) == ("42501", "this organization wants somebody else to approve what you asked for")
        assert decide(db, asking, approval, "deny")["state"] == "denied"
    approve(asking, approval, "admin")
    with asking.as_(customer(asking)) as db:
        assert tool(db, run, "create_ticket", **TICKET)["outcome"] == "ok"


def test_another_organizations_request_is_as_one_of_nothing_R51(asking: World) -> None:
    _, approval = asked(asking)
    owner = asking.globex.people["owner"]
    with asking.as_(owner, **second_factor()) as db:
        for org in (asking.acme.id, asking.globex.id, uuid4()):
            for decision in ("approve", "deny"):
                assert [said(db.rpc_error("decide_approval", org_id=org, approval_id=i, decision=decision)) for i in (approval, uuid4())] == [NONE, NONE]
            assert str(asking.acme.id) not in str(db.rpc("list_approvals", org_id=org, waiting=False))
            assert str(approval) not in str(db.rpc("list_approvals", org_id=org, waiting=False))
        assert {said(db.rpc_error("resume_run", approval_id=i)) for i in (approval, uuid4())} == {("PT404", "no such request of yours")}
    approve(asking, approval)


def test_an_approval_ends_with_its_time_and_its_run_F36(asking: World) -> None:
    run, approval = asked(asking)
    other, late = asked(asking, subject="Other")
    with asking.operator(keep=True) as db:
        assert db.one("select expires_at - requested_at < authz.approval_lasts() from app.approval where id = %s", approval)
        db.run("update app.approval set expires_at = now() where id = %s", late)
    with asking.as_(customer(asking), **second_factor()) as db:
        assert said(db.rpc_error("decide_approval", org_id=asking.acme.id, approval_id=late, decision="approve"))[0] == "PT409"
        listed = {a["id"]: a["state"] for a in db.rpc("list_approvals", org_id=asking.acme.id, waiting=False)}
        assert (listed[approval], listed[late]) == ("pending", "expired")
        assert late not in {a["id"] for a in db.rpc("list_approvals", org_id=asking.acme.id)}
        assert UUID(ask(db, other, subject="Other")["approval"]["id"]) != late
    approve(asking, approval)
    with asking.operator(keep=True) as db:
        db.run("update app.approval set expires_at = now() where id = %s", approval)
    with asking.as_(customer(asking), keep=True) as db:
        assert UUID(ask(db, run)["approval"]["id"]) != approval
        db.rpc("finish_run", run_id=run, outcome="cancelled", answer="")
        assert set(db.all("select state, arguments from app.approval where run_id = %s", run)) == {("cancelled", None)}


def test_every_act_is_in_the_trail_with_its_call_F36_F47(asking: World) -> None:
    run, approval = asked(asking)
    approve(asking, approval, "admin")
    with asking.as_(customer(asking), keep=True) as db:
        tool(db, run, "create_ticket", **TICKET)
    with asking.as_(asking.acme.people["auditor"]) as db:
        people = {asking.acme.people[who].user_id: who for who in ("customer", "admin")}
        seen = [(people[a], action, target, outcome, rule) for a, action, target, outcome, rule in db.all(
            "select actor_id, action, target, outcome, rule from app.audit_event where run_id = %s and action <> 'run.insert' order by at", run)]
    assert seen == [
        ("customer", "approval.insert", "create_ticket", "ok", "approval:pending"),
        ("customer", "tool.call", "create_ticket", "needs_approval", f"approval:{approval}"),
        ("admin", "approval.update", "create_ticket", "ok", "approval:approved"),
        ("customer", "approval.update", "create_ticket", "ok", "approval:used"),
        ("customer", "run.update", None, "ok", None),
        ("customer", "tool.call", "create_ticket", "ok", f"approval:{approval}"),
    ]
