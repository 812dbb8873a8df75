"""The edges of approvals: who is no person, what nobody may write, what is over, how many may wait (F36, F46)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.db.racing import said
from tests.db.session import Person, second_factor
from tests.db.test_api_tokens import make
from tests.db.test_approvals import TICKET, approve, ask, asked, asking, customer, decide
from tests.db.test_run_reach import start, tool
from tests.db.test_service_accounts import add
from tests.db.world import World

__all__ = ["asking"]

APP = ("42501", "an app acting for you cannot do this: sign in yourself")
ANOTHER = ("42501", "this organization wants somebody else to approve what you asked for")


def waits(world: World, person: Person) -> UUID:
    """Have somebody ask for a ticket; return what waits."""
    with world.as_(person, keep=True) as db:
        return UUID(ask(db, start(db))["approval"]["id"])


def refusal(world: World, person: Person, approval: UUID, decision: str, **claims: Any) -> Any:
    with world.as_(person, **claims) as db:
        return said(db.rpc_error("decide_approval", org_id=world.acme.id, approval_id=approval, decision=decision))


def test_what_acts_for_a_person_asks_in_their_name_and_decides_nothing_F46_F08(asking: World) -> None:
    acting, _ = make(asking, customer(asking), "bots.run")
    approval = waits(asking, acting)
    for decision in ("approve", "deny"):
        assert refusal(asking, acting, approval, decision, **second_factor()) == APP
        assert refusal(asking, customer(asking), approval, decision, **second_factor(), client_id="an app") == APP
    with asking.as_(acting) as db:
        assert [a["id"] for a in db.rpc("list_approvals", org_id=asking.acme.id)][0] == approval
        # Past the function too.
        assert said(db.error("update app.approval set state = 'denied' where id = %s", approval)) == APP
    reading, _ = make(asking, asking.acme.people["owner"], "documents.read")
    with asking.as_(reading) as db:
        assert db.rpc("list_approvals", org_id=asking.acme.id, waiting=False) == []
    approve(asking, approval)


def test_a_service_account_asks_and_a_person_decides_also_who_answers_for_it_F03_F46(asking: World) -> None:
    account, owner = add(asking), asking.acme.people["admin"]
    approval, second = waits(asking, account), waits(asking, account)
    for decision in ("approve", "deny"):
        assert refusal(asking, account, approval, decision, **second_factor()) == (
            "42501", "approvals are decided by people: a service account asks who answers for it")
    with asking.as_(owner) as db:
        assert db.one("select on_behalf_of from app.approval where id = %s", approval) == owner.user_id
    approve(asking, approval, "admin")
    # Where another person has to approve, who answers for the account is none.
    with asking.operator(keep=True) as db:
        db.run("update app.organization set approve_by_another = true where id = %s", asking.acme.id)
    assert refusal(asking, owner, second, "approve", **second_factor()) == ANOTHER
    approve(asking, second, "owner")


def test_a_decision_is_made_once_and_says_who_made_it_whatever_it_is_told_F36(asking: World) -> None:
    _, approval = asked(asking)
    approve(asking, approval, "admin")
    with asking.as_(asking.acme.people["owner"], **second_factor()) as db:
        for decision in ("approve", "deny"):
            error = db.rpc_error("decide_approval", org_id=asking.acme.id, approval_id=approval, decision=decision)
            assert said(error) == ("PT409", "it was decided before, or its time is over")
        assert db.run("update app.approval set state = 'denied' where id = %s", approval) == 0
        assert db.all("select state, decided_by, decided_at is not null from app.approval where id = %s", approval) == [
            ("approved", asking.acme.people["admin"].user_id, True)]


@pytest.mark.parametrize("state", ["used", "cancelled", "pending"])
def test_nobody_decides_what_is_no_decision_F36(asking: World, state: str) -> None:
    _, approval = asked(asking)
    with asking.as_(asking.acme.people["owner"], **second_factor()) as db:
        error = db.error("update app.approval set state = %s where id = %s", state, approval)
        assert error.sqlstate == "42501" and "row-level security" in str(error)
        for column in ("decided_by", "expires_at", "arguments", "arguments_sha256", "tool", "user_id", "reason", "used_at", "step_id"):
            assert "permission denied" in str(db.error(f"update app.approval set {column} = {column} where id = %s", approval)), column


def test_what_is_asked_for_is_said_by_the_database_F36(asking: World) -> None:
    """With SQL of one's own: the digest is made of the arguments that are shown, the time and the reason are the database's, and nothing is asked for nothing."""
    with asking.as_(customer(asking)) as db:
        run = start(db)
        insert = "insert into app.approval (org_id, run_id, tool, arguments{}) values (%s, %s, %s, %s{}) returning arguments_sha256, reason, expires_at > now()"
        digest = db.one("select authz.digest(org_id, conversation_id, jsonb_build_array('create_ticket', %s::jsonb)::text) from app.run where id = %s", TICKET, run)
        assert db.all(insert.format("", ""), asking.acme.id, run, "create_ticket", TICKET) == [(digest, "organization", True)]
        for column, value in (("arguments_sha256", "repeat('0', 64)"), ("expires_at", "'infinity'"), ("reason", "'tainted'"), ("state", "'approved'"), ("decided_by", "null")):
            assert "permission denied" in str(db.error(insert.format(f", {column}", f", {value}"), asking.acme.id, run, "create_ticket", TICKET)), column
        assert db.error(insert.format("", ""), asking.acme.id, run, "my_orders", TICKET).sqlstate == "23502", "reading waits for nobody"
        assert "row-level security" in str(db.error(insert.format("", ""), asking.acme.id, asking.acme.ids["run"], "create_ticket", TICKET)), "that run is over"


def test_an_approval_that_is_over_is_of_no_use_past_the_function_either_F36(asking: World) -> None:
    step = ("insert into app.run_step (org_id, run_id, position, kind, name, arguments_sha256, sources, row_count, outcome)"
            " select org_id, run_id, 9, 'tool', tool, arguments_sha256, '[]', 1, 'ok' from app.approval where id = %s")
    _, approval = asked(asking)
    approve(asking, approval)
    with asking.operator(keep=True) as db:
        db.run("update app.approval set expires_at = now() where id = %s", approval)
    with asking.as_(customer(asking)) as db:
        assert said(db.error(step, approval)) == ("42501", "this call needs an approval")


def test_only_so_many_wait_at_once_F36(asking: World) -> None:
    with asking.as_(customer(asking)) as db:
        run, before = start(db), db.one("select count(*) from app.approval where state = 'pending'")
        for n in range(20 - before):
            ask(db, run, body=f"{n}")
        refused = tool(db, run, "create_ticket", **TICKET)
        assert (refused["outcome"], refused["code"]) == ("failed", "PT429")
        assert db.one("select count(*) from app.approval where state = 'pending'") == 20
        assert tool(db, run, "my_orders")["outcome"] == "ok"


def test_what_waits_for_approval_is_set_with_a_fresh_second_factor_by_who_manages_F07_F36(asking: World) -> None:
    org = asking.acme.id
    policy = {"writes": False, "by_another": True}
    with asking.as_(asking.acme.people["owner"]) as db:
        assert db.rpc_error("set_approval_policy", org_id=org, **policy).sqlstate == "PT401"
        assert db.error("update app.organization set approve_writes = false where id = %s", org).sqlstate == "PT401"
        assert db.error("update app.organization set approve_by_another = true where id = %s", org).sqlstate == "PT401"
    with asking.as_(asking.acme.people["admin"], **second_factor()) as db:
        assert said(db.rpc_error("set_approval_policy", org_id=org, **policy)) == ("PT404", "no such organization, or not yours to manage")
    with asking.as_(asking.acme.people["owner"], **second_factor()) as db:
        assert db.rpc_error("set_approval_policy", org_id=org, writes=None, by_another=True).sqlstate == "22023"
        assert db.rpc("set_approval_policy", org_id=org, **policy) == {"org_id": str(org), "approve_writes": False, "approve_by_another": True}
        assert db.rpc("organization_settings", org_id=org).items() >= {"approve_writes": False, "approve_by_another": True}.items()


def test_the_right_to_decide_is_for_people_and_not_given_to_tokens_F08_F46(asking: World) -> None:
    with asking.as_(asking.acme.people["admin"]) as db:
        assert "approvals.decide" in {p["name"] for p in db.rpc("list_permissions", org_id=asking.acme.id) if p["held"]}
    with asking.as_(asking.acme.people["builder"]) as db:
        assert "approvals.decide" not in {p["name"] for p in db.rpc("list_permissions", org_id=asking.acme.id) if p["held"]}
    with asking.as_(asking.acme.people["admin"], client_id="an app") as db:
        assert db.one("select count(*) from authz.orgs_with('approvals.decide')") == 0


def test_who_denies_needs_no_second_factor_and_the_arguments_are_forgotten_F36(asking: World) -> None:
    _, approval = asked(asking)
    with asking.as_(asking.acme.people["admin"], keep=True) as db:
        assert decide(db, asking, approval, "deny")["state"] == "denied"
        assert db.all("select arguments, arguments_sha256 <> '' from app.approval where id = %s", approval) == [(None, True)]
