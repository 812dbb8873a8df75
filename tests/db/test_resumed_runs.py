"""A run goes on after the decision: told to its person alone, while it is open (F36)."""

from __future__ import annotations

from uuid import UUID

from tests.db.racing import said
from tests.db.session import second_factor
from tests.db.test_approvals import TICKET, approve, asked, asking, customer
from tests.db.test_run_reach import tool
from tests.db.world import World

__all__ = ["asking"]

MINE = ("PT404", "no such request of yours")
WAITS = ("PT409", "it waits to be decided, was used before, or its time is over")


def test_its_person_is_told_the_run_its_question_and_the_call_F36(asking: World) -> None:
    run, approval = asked(asking)
    with asking.as_(customer(asking)) as db:
        assert said(db.rpc_error("resume_run", approval_id=approval)) == WAITS
    approve(asking, approval, "admin")
    with asking.as_(customer(asking), keep=True) as db:
        told = db.rpc("resume_run", approval_id=approval)
        assert (UUID(told["run_id"]), told["call"]) == (run, {"tool": "create_ticket", "arguments": TICKET, "state": "approved"})
        assert told["history"][-1] == {"role": "user", "content": "Probe?"}
        assert told["bot"]["slug"] == "helpdesk" and "create_ticket" in told["tools"]
        assert tool(db, run, told["call"]["tool"], **told["call"]["arguments"])["outcome"] == "ok"
        assert said(db.rpc_error("resume_run", approval_id=approval)) == WAITS
    # Who decided is not whose run it is.
    for who in ("admin", "owner", "member"):
        with asking.as_(asking.acme.people[who], **second_factor()) as db:
            assert said(db.rpc_error("resume_run", approval_id=approval)) == MINE


def test_what_was_said_since_is_not_in_what_a_run_goes_on_with_F39(asking: World) -> None:
    """Another run of the conversation read something meanwhile: this run's labels do not speak of it."""
    _, approval = asked(asking)
    approve(asking, approval, "admin")
    with asking.as_(customer(asking), keep=True) as db:
        before = db.rpc("resume_run", approval_id=approval)
        later = db.rpc("start_run", bot="acme/helpdesk", question="Meanwhile?", conversation_id=before["conversation_id"])
        assert later["history"][-1]["content"] == "Probe?", "the other way round it is told"
        db.rpc("finish_run", run_id=later["run_id"], outcome="succeeded", answer="Something that was read.")
        assert db.rpc("resume_run", approval_id=approval) == before


def test_a_denied_call_is_told_without_its_arguments_F36(asking: World) -> None:
    _, approval = asked(asking)
    approve(asking, approval, decision="deny")
    with asking.as_(customer(asking)) as db:
        assert db.rpc("resume_run", approval_id=approval)["call"] == {"tool": "create_ticket", "arguments": None, "state": "denied"}


def test_what_is_over_does_not_go_on_F36(asking: World) -> None:
    run, approval = asked(asking)
    other, late = asked(asking, subject="Other")
    approve(asking, approval)
    approve(asking, late)
    with asking.operator(keep=True) as db:
        db.run("update app.approval set expires_at = now() where id = %s", late)
    with asking.as_(customer(asking), keep=True) as db:
        assert said(db.rpc_error("resume_run", approval_id=late)) == WAITS
        assert db.rpc("resume_run", approval_id=approval)["run_id"] == str(run)
        db.rpc("finish_run", run_id=run, outcome="cancelled", answer="")
        assert db.rpc_error("resume_run", approval_id=approval).sqlstate == "PT404"


def test_who_may_not_run_the_bot_any_more_goes_on_with_nothing_F04_F36(asking: World) -> None:
    run, approval = asked(asking)
    approve(asking, approval, "admin")
    with asking.operator(keep=True) as db:
        db.run("update app.bot set archived_at = now() where id = %s", asking.acme.ids["bot"])
    with asking.as_(customer(asking)) as db:
        assert db.rpc_error("resume_run", approval_id=approval).sqlstate == "PT404"
        assert db.rpc_error("call_tool", run_id=run, tool="create_ticket", arguments=TICKET).sqlstate == "PT404"
