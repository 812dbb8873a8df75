"""Deprovisioning ends a membership with all that hangs on it, at once, and a directory may order it with an API token (F05, F04, F12)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.db.racing import held_up, said
from tests.db.session import Person, second_factor
from tests.db.test_custom_roles import BEYOND_GIVING
from tests.db.world import World, make_person

NOT_YOURS = ("PT404", "no such member, or not yours to change")
NOT_ALLOWED = "giving and taking roles needs members.manage, ending memberships members.deprovision"
DIRECTORY = ["members.read", "members.deprovision"]


def whom(world: World, role: str) -> dict[str, Any]:
    return {"org_id": world.acme.id, "user_id": world.acme.people[role].user_id}


def token_of(world: World, person: Person, permissions: list[str]) -> dict[str, Any]:
    """Make an API token of this person, and return what is special in its claims."""
    with world.as_(person, keep=True) as db:
        # Made by an operator where a role without tokens.create holds it, as for an account of a directory.
        made = db.rpc("create_api_token", org_id=world.acme.id, name="directory", permissions=permissions, expires_in=3600,
                      session_id=person.token_session_id, token_sha256=uuid4().hex * 2, prefix="rft_AbCdEfGh")
    return {"session_id": str(person.token_session_id), "token": made["id"]}


def directory(world: World, owner: str = "admin", permissions: list[str] | None = None) -> tuple[Person, dict[str, Any]]:
    """A service account of somebody of acme, with a role of its own, and the claims of its API token."""
    account = make_person(world.superuser_url, f"scim-{uuid4()}@acme.test")
    with world.as_(world.acme.people[owner], keep=True) as db:
        db.rpc("create_role", org_id=world.acme.id, name="directory", permissions=permissions or DIRECTORY)
        token = db.rpc("create_invitation", org_id=world.acme.id, email=account.email, role="directory", service=True)["token"]
    with world.as_(account, keep=True) as db:
        db.rpc("accept_invitation", token=token)
    with world.operator(keep=True) as db:
        db.run("insert into app.api_token (org_id, user_id, session_id, name, prefix, token_sha256, permissions, with_second_factor, expires_at)"
               " values (%s, %s, %s, 'directory', 'rft_AbCdEfGh', %s, %s, false, now() + interval '1 day')",
               world.acme.id, account.user_id, account.token_session_id, uuid4().hex * 2, "{" + ",".join(permissions or DIRECTORY) + "}")
    return account, {"session_id": str(account.token_session_id)}



def busy_customer(world: World) -> Person:
    """A member with two runs, an API token, a place in a team and an invitation still open."""
    person = world.acme.people["customer"]
    with world.as_(person, keep=True) as db:
        db.rpc("start_run", bot="acme/helpdesk", question="And then?")
    token_of(world, person, ["documents.read"])
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        team = db.rpc("create_team", org_id=world.acme.id, slug="night-shift", name="Night shift")["id"]
        db.rpc("add_team_member", org_id=world.acme.id, team_id=team, user_id=person.user_id)
    return person


def test_a_membership_ends_with_runs_tokens_and_teams_in_one_transaction_F05_F04(own_world: World) -> None:
    world, person = own_world, busy_customer(own_world)
    org = world.acme.id
    hanging = {
        "running runs": "select count(*) from app.run where org_id = %s and user_id = %s and status = 'running'",
        "live tokens": "select count(*) from app.api_token where org_id = %s and user_id = %s and revoked_at is null",
        "teams": "select count(*) from app.team_member where org_id = %s and user_id = %s",
        "membership": "select count(*) from app.membership where org_id = %s and user_id = %s",
    }
    with world.operator() as db:
        before = {what: db.one(query, org, person.user_id) for what, query in hanging.items()}
        finished = db.one("select count(*) from app.run where status = 'succeeded' and user_id = %s", person.user_id)
    assert before["running runs"] == 2 and before["live tokens"] == 1 and before["teams"] >= 1
    with world.as_(world.acme.people["admin"]) as db:  # undone as a whole
        db.rpc("deprovision_member", **whom(world, "customer"))
    with world.operator() as db:
        assert before == {what: db.one(query, org, person.user_id) for what, query in hanging.items()}
    with world.as_(world.acme.people["admin"], keep=True) as db:
        told = db.rpc("deprovision_member", **whom(world, "customer"))
    assert told == {"user_id": str(person.user_id), "runs_cancelled": 2, "tokens_revoked": 1, "teams_left": before["teams"]}
    with world.operator() as db:
        assert {what: db.one(query, org, person.user_id) for what, query in hanging.items()} == dict.fromkeys(hanging, 0)
        assert db.one("select count(*) from app.run where status = 'succeeded' and user_id = %s", person.user_id) == finished
        assert db.one("select count(*) from app.run where status = 'cancelled' and error_code = 'membership_ended' and finished_at is not null and user_id = %s",
                      person.user_id) == 2
        acts = {a for (a,) in db.all("select action from app.audit_event where actor_id = %s and at >= now() - interval '1 minute'",
                                     world.acme.people["admin"].user_id)}
        assert {"membership.delete", "run.update", "api_token.update", "team_member.delete"} <= acts
    with world.as_(person) as db:  # the same unexpired token
        assert db.rpc("whoami")["organizations"] == [] and db.rpc("my_orders", org_id=org) == []
    with pytest.raises(psycopg.Error, match="was revoked or has expired"), world.as_(person, session_id=str(person.token_session_id)):
        pass


def test_a_directory_does_it_with_an_api_token_and_is_named_for_it_F05_F03(own_world: World) -> None:
    world, (account, token) = own_world, directory(own_world)
    with world.as_(account, keep=True, **token) as db:
        assert db.rpc("deprovision_member", **whom(world, "customer"))["runs_cancelled"] == 1
        assert [m["user_id"] for m in db.rpc("list_members", org_id=world.acme.id) if m["user_id"] == world.acme.people["customer"].user_id] == []
    with world.operator() as db:
        (record,) = db.all("select actor_id, actor_kind, on_behalf_of, api_token_id is not null from app.audit_event where action = 'membership.delete'"
                           " and object_id = %s", str(world.acme.people["customer"].user_id))
    assert record == (account.user_id, "service", world.acme.people["admin"].user_id, True)


def test_a_directory_takes_what_its_owner_could_and_nobody_above_F12(own_world: World) -> None:
    world, (account, token) = own_world, directory(own_world)
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("create_role", org_id=world.acme.id, name="steward", permissions=["organization.manage"])
        db.rpc("change_member", **whom(world, "builder"), role="steward")
    with world.as_(account, **token) as db:
        for above in ("builder", "owner"):
            assert said(db.rpc_error("deprovision_member", **whom(world, above))) == BEYOND_GIVING
        for able in ("analyst", "agent", "member", "auditor"):
            assert db.rpc("deprovision_member", **whom(world, able))["user_id"]
    # Of an owner's account: everybody but owners.
    world_owner = world.acme.people["owner"]
    with world.as_(world_owner, **second_factor()) as db:
        assert db.rpc("deprovision_member", **whom(world, "builder"))
    with world.operator(keep=True) as db:
        db.run("update app.membership m set service_owner_id = o.user_id, service_owner_role_id = o.role_id, service_owner_status = o.status"
               " from app.membership o where o.org_id = m.org_id and o.user_id = %s and m.user_id = %s", world_owner.user_id, account.user_id)
    with world.as_(account, **token) as db:
        assert said(db.rpc_error("deprovision_member", **whom(world, "owner"))) == (
            "PT409", "an owner is not deprovisioned: an owner gives them another role first")
        assert db.rpc("deprovision_member", **whom(world, "builder"))


@pytest.mark.parametrize("change", ["demoted", "suspended", "left", "revoked", "scope", "role"])
def test_a_directory_whose_right_is_gone_ends_nothing_from_the_next_request_F04(own_world: World, change: str) -> None:
    world, (account, token) = own_world, directory(own_world)
    with world.as_(account, **token) as db:
        assert db.rpc("deprovision_member", **whom(world, "customer"))
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        if change == "demoted":
            db.rpc("change_member", **whom(world, "admin"), role="builder")
        elif change == "suspended":
            db.rpc("suspend_member", **whom(world, "admin"))
        elif change == "left":
            db.rpc("remove_member", **whom(world, "admin"))
        elif change == "revoked":
            (made,) = [t for t in db.rpc("list_api_tokens", org_id=world.acme.id) if t["user_id"] == account.user_id]
            db.rpc("revoke_api_token", org_id=world.acme.id, token_id=made["id"])
        elif change == "role":
            db.rpc("change_member", org_id=world.acme.id, user_id=account.user_id, role="member")
    if change == "scope":
        with world.operator(keep=True) as db:
            db.run("update app.api_token set permissions = '{members.read}' where user_id = %s", account.user_id)
    if change in ("revoked", "left"):
        with pytest.raises(psycopg.Error, match="was revoked or has expired"), world.as_(account, **token):
            pass
    else:
        with world.as_(account, **token) as db:
            assert db.rpc_error("deprovision_member", **whom(world, "customer")).sqlstate == "42501"
    with world.as_(world.acme.people["customer"]) as db:
        assert db.rpc("my_orders", org_id=world.acme.id)


def test_the_token_of_a_directory_opens_nothing_else_of_members_F08(own_world: World) -> None:
    """Before and after an order, in the same transaction too."""
    world, (account, token) = own_world, directory(own_world)
    with world.as_(account, **token) as db:
        for _ in range(2):
            for name, given in (("remove_member", whom(world, "analyst")), ("suspend_member", whom(world, "analyst")),
                                ("change_member", whom(world, "analyst") | {"role": "agent"})):
                assert db.rpc_error(name, **given).sqlstate in ("42501", "PT404"), name
            assert db.error("delete from app.membership where org_id = %s", world.acme.id).sqlstate == "42501"
            assert db.error("update app.api_token set revoked_at = now() where org_id = %s", world.acme.id).sqlstate == "42501"
            if _ == 0:
                db.rpc("deprovision_member", **whom(world, "customer"))
        for forged in ("how", "ended_by", "ended_in", "ended_at"):
            assert "permission denied" in str(db.error(f"insert into app.departure (org_id, user_id, {forged}) values (%s, %s, null)", world.acme.id, account.user_id))
        assert "permission denied" in str(db.error("update app.departure set user_id = user_id"))


@pytest.mark.parametrize("claims", [{"client_id": "an app"}, {"session_id": "token"}, {"client_id": "an app", "session_id": "token"}])
def test_an_app_or_another_token_of_an_owner_ends_nothing_R44(world: World, claims: dict[str, Any]) -> None:
    owner = world.acme.people["owner"]
    claims = claims | ({"session_id": str(owner.token_session_id)} if "session_id" in claims else {})
    with world.as_(owner, **second_factor(), **claims) as db:
        assert said(db.rpc_error("deprovision_member", **whom(world, "customer")))[0] == "42501"
    with world.as_(owner, **second_factor()) as db:
        assert db.rpc("deprovision_member", **whom(world, "customer"))


def test_a_person_with_a_second_factor_uses_it_F07(own_world: World) -> None:
    world, admin = own_world, own_world.acme.people["admin"]
    with world.operator(keep=True) as db:
        db.run("insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at) values (gen_random_uuid(), %s, 'totp', 'verified', now(), now())",
               admin.user_id)
    for claims, state in (({}, "PT401"), (second_factor(16 * 60), "PT401"), (second_factor(), None)):
        with world.as_(admin, **claims) as db:
            if state:
                assert db.rpc_error("deprovision_member", **whom(world, "customer")).sqlstate == state
            else:
                assert db.rpc("deprovision_member", **whom(world, "customer"))


@pytest.mark.parametrize("who", ["builder", "analyst", "auditor", "member"])
def test_nobody_without_the_permission_does_F12(world: World, who: str) -> None:
    with world.as_(world.acme.people[who], **second_factor()) as db:
        assert said(db.rpc_error("deprovision_member", **whom(world, "customer"))) == ("42501", NOT_ALLOWED)


def test_the_permission_alone_is_not_managing_members_F12(own_world: World) -> None:
    """A person with members.deprovision and every permission of the role takes it only with members.manage."""
    world, person = own_world, own_world.acme.people["builder"]
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("create_role", org_id=world.acme.id, name="low", permissions=["bots.run"])
        db.rpc("create_role", org_id=world.acme.id, name="clerk", permissions=["bots.run", *DIRECTORY])
        db.rpc("create_role", org_id=world.acme.id, name="chief", permissions=["bots.run", "members.manage", *DIRECTORY])
        db.rpc("change_member", **whom(world, "customer"), role="low")
        db.rpc("change_member", org_id=world.acme.id, user_id=person.user_id, role="clerk")
    with world.as_(person) as db:
        assert said(db.rpc_error("deprovision_member", **whom(world, "customer"))) == BEYOND_GIVING
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("change_member", org_id=world.acme.id, user_id=person.user_id, role="chief")
    with world.as_(person) as db:
        assert db.rpc("deprovision_member", **whom(world, "customer"))


def test_oneself_somebody_absent_and_somebody_of_another_organization_R53(world: World) -> None:
    with world.as_(world.acme.people["admin"], **second_factor()) as db:
        assert db.rpc_error("deprovision_member", **whom(world, "admin")).sqlstate == "22023"
        for absent in (uuid4(), world.globex.people["member"].user_id, world.nobody.user_id, world.removed.user_id):
            assert said(db.rpc_error("deprovision_member", org_id=world.acme.id, user_id=absent)) == NOT_YOURS
        for org in (world.globex.id, uuid4()):
            assert said(db.rpc_error("deprovision_member", org_id=org, user_id=world.globex.people["member"].user_id)) == ("42501", NOT_ALLOWED)
        assert db.rpc("deprovision_member", org_id=world.acme.id, user_id=world.both.user_id)
        assert db.one("select count(*) from app.membership") > 0
    with world.as_(world.both) as db:
        assert len(db.rpc("whoami")["organizations"]) == 2  # rolled back; and in globex nobody asked


@pytest.mark.parametrize("act", ["remove_member", "leave_organization"])
def test_however_a_membership_ends_its_runs_are_cancelled_and_only_being_sent_away_is_noted_F05(own_world: World, act: str) -> None:
    world, person = own_world, own_world.acme.people["customer"]
    with world.as_(world.acme.people["owner"] if act == "remove_member" else person, keep=True) as db:
        db.rpc(act, **(whom(world, "customer") if act == "remove_member" else {"org_id": world.acme.id}))
    with world.operator() as db:
        assert db.one("select count(*) from app.run where user_id = %s and status = 'running'", person.user_id) == 0
        noted = db.all("select how, ended_by from app.departure where user_id = %s", person.user_id)
    assert noted == ([("removed", world.acme.people["owner"].user_id)] if act == "remove_member" else [])
    with world.operator() as db:
        assert db.one("select count(*) from app.run where org_id = %s and status = 'running'", world.globex.id) > 0


def test_of_two_who_deprovision_one_member_the_second_finds_nobody_R46(own_world: World) -> None:
    world = own_world
    with world.as_(world.acme.people["admin"], keep=True) as db:
        db.rpc("deprovision_member", **whom(world, "customer"))
        late = held_up(world, world.acme.people["owner"], lambda db: db.rpc("deprovision_member", **whom(world, "customer")))
    assert late.result(10) == NOT_YOURS


def test_an_admin_demoted_while_they_deprovision_ends_nothing_R46(own_world: World) -> None:
    world = own_world
    with world.as_(world.acme.people["owner"], keep=True) as db:
        db.rpc("change_member", **whom(world, "admin"), role="member")
        late = held_up(world, world.acme.people["admin"], lambda db: db.rpc("deprovision_member", **whom(world, "customer")))
    assert late.result(10)[0] == "42501"
    with world.as_(world.acme.people["customer"]) as db:
        assert UUID(db.rpc("whoami")["organizations"][0]["id"]) == world.acme.id
