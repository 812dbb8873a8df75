"""What the trail says of who acted and in which run, and which use of a token is noted, where the policies of the definers' owner say nothing (F08, F61)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import OPENED, ORIGIN, REPLICA
from tests.db.session import Request
from tests.db.world import World



def noted(db: Request, column: str, target: str) -> list[tuple[Any, ...]]:
    """Of the events about this, in which organization and what the column says; the session is the superuser's again."""
    db.run("reset role")
    return db.all(f"select org_id, {column} from app.audit_event where target = %s", target)


def test_an_event_says_the_role_that_its_actor_has_there_F61(world: World) -> None:
    """Of everybody else's memberships none is looked at, nor a role of the same id in another organization: `both` has such a one."""
    acme, globex, both = world.acme, world.globex, world.both
    one = f"(select role_id from app.membership where org_id = '{acme.id}' and user_id = '{both.user_id}')"
    same = (f"update app.role set id = {one} where org_id = '{globex.id}' and name = 'member'",
            f"update app.membership set role_id = {one} where org_id = '{globex.id}' and user_id = '{both.user_id}'")
    acts = [(acme.people["owner"], acme, "owner"), (acme.people["customer"], acme, "member"), (acme.people["auditor"], acme, "auditor"),
            (both, acme, "builder"), (both, globex, "member")]
    with planted(world, OPENED.format("membership"), OPENED.format("role"), REPLICA, *same, ORIGIN) as db:
        for number, (person, organization, role) in enumerate(acts):
            become(db, person, role="ringfence_owner")
            db.run("select authz.record_event(%s, 'session.start', target => %s)", organization.id, f"act-{number}")
            assert noted(db, "actor_role", f"act-{number}") == [(organization.id, role)]


@pytest.mark.parametrize(("slug", "run", "named"), [("acme", "silent_run", True), ("globex", "silent_run", False), ("acme", "running_run", False)])
def test_what_was_read_is_said_of_ones_own_run_in_that_organization_alone_F61(world: World, slug: str, run: str, named: bool) -> None:
    """`both` reads in both; one run of acme is theirs, another the customer's."""
    organization, run_id = getattr(world, slug), world.acme.ids[run]
    with planted(world, REPLICA, f"update app.run set user_id = '{world.both.user_id}' where id = '{world.acme.ids['silent_run']}'", ORIGIN) as db:
        become(db, world.both)
        db.run("select authz.note_reading(%s, 'documents.search', 'a-probe', '{}', %s)", organization.id, run_id)
        assert noted(db, "run_id", "a-probe") == [(organization.id, run_id if named else None)]
        assert noted(db, "bot_id is not null", "a-probe") == [(organization.id, named)]


@pytest.mark.parametrize(("who", "bot", "where"), [
    ("customer", "acme/helpdesk", "acme"), ("customer", "globex/helpdesk", "acme"), ("both", "globex/helpdesk", "globex"), ("both", "nowhere/helpdesk", "")])
def test_a_denial_is_noted_in_an_organization_of_ones_own_F61(world: World, who: str, bot: str, where: str) -> None:
    """Who belongs to one only is denied there, whichever bot they named; who belongs to two says which one is meant."""
    with planted(world, OPENED.format("organization"), "delete from app.session_choice") as db:
        become(db, (world.acme.people | {"both": world.both})[who])
        given = {"function_name": "start_run", "code": "42501", "message": "no such bot", "named_org": None, "run_id": None, "bot": bot}
        if where:
            assert db.rpc("record_denial", **given) == {"recorded": True}
        else:
            assert db.rpc_error("record_denial", **given).sqlstate == "PT404"
        assert [org for org, _ in noted(db, "outcome", "start_run")] == ([getattr(world, where).id] if where else [])


TOKENS: dict[str, tuple[str, str, bool, bool]] = {
    # what is so of the token, who comes, whether with the session of the token, and whether it is noted
    "in use": ("", "owner", True, True),
    "of another session": ("", "owner", False, False),
    "of another person": ("", "customer", True, False),
    "revoked": ("revoked_at = now()", "owner", True, False),
    "over": ("created_at = now() - interval '9 days', expires_at = now() - interval '1 second'", "owner", True, False),
}


@pytest.mark.parametrize("what", TOKENS)
def test_the_use_of_a_token_is_noted_while_it_lives_in_its_own_session_F08(world: World, what: str) -> None:
    change, who, its_session, is_noted = TOKENS[what]
    token = world.acme.ids["api_token"]
    changes = [f"update app.api_token set {change} where id = '{token}'"] if change else []
    with planted(world, OPENED.format("api_token"), REPLICA, *changes, ORIGIN) as db:
        sha, session = db.all("select token_sha256, session_id::text from app.api_token where id = %s and org_id = %s", token, world.acme.id)[0]
        become(db, world.acme.people[who], **({"session_id": session} if its_session else {}))
        assert db.one("select authz.note_token_use(%s)", sha) is is_noted
        db.run("reset role")
        assert db.one("select last_used_at is not null from app.api_token where id = %s and org_id = %s", token, world.acme.id) is is_noted
