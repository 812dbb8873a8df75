"""API tokens in the database: a session narrowed to one organization and some permissions, and never more than its owner (F08, R44)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.db.registry.decision import PERSONAL, ROLES
from tests.db.session import Person, Request, request, second_factor
from tests.db.test_claims import refused
from tests.db.world import World

ENROL = ("insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)"
         " values (gen_random_uuid(), %s, 'totp', 'verified', now(), now())")


def new_session(world: World, person: Person, age: str = "0 minutes", level: str = "aal1") -> Any:
    """Open one more session of the person, as Supabase Auth does."""
    session = uuid4()
    with world.operator(keep=True) as db:
        db.run("insert into auth.sessions (id, user_id, created_at, aal) values (%s, %s, now() - %s::interval, %s::auth.aal_level)",
               session, person.user_id, age, level)
    return session


def wish(world: World, session: Any, *permissions: str, **changes: Any) -> dict[str, Any]:
    return {"org_id": world.acme.id, "name": "script", "permissions": list(permissions or ["documents.read"]), "expires_in": 3600,
            "session_id": session, "token_sha256": uuid4().hex * 2, "prefix": "rft_AbCdEfGh"} | changes


def make(world: World, person: Person, *permissions: str, **changes: Any) -> tuple[Person, dict[str, Any]]:
    """Return the person as their new token acts, and what the database says of the token."""
    session = new_session(world, person)
    with world.as_(person, keep=True) as db:
        made = db.rpc("create_api_token", **wish(world, session, *permissions, **changes))
    return replace(person, session_id=session), made


def permitted(db: Request) -> set[str]:
    return {p for (p,) in db.all("select p.name from app.permission p where exists (select authz.orgs_with(p.name))")}


def test_a_token_has_what_it_was_made_for_and_its_owners_session_all_F08(own_world: World) -> None:
    owner = own_world.acme.people["owner"]
    acting, made = make(own_world, owner, "documents.read", "bots.run")
    assert made["permissions"] == ["bots.run", "documents.read"] and made["with_second_factor"] is False
    with own_world.as_(acting) as db:
        assert permitted(db) == {"documents.read", "bots.run"}
        assert db.one("select authz.api_token_id()") == UUID(made["id"])
        assert db.rpc("list_knowledge_bases", org_id=own_world.acme.id)
        assert db.rpc_error("create_knowledge_base", org_id=own_world.acme.id, slug="no", name="No").sqlstate == "42501"
        assert [o["slug"] for o in db.rpc("whoami")["organizations"]] == ["acme"]
    with own_world.as_(owner) as db:
        assert permitted(db) == ROLES["owner"]
        assert db.one("select authz.api_token_id()") is None


def test_a_token_reaches_its_one_organization_F08_R10(own_world: World) -> None:
    acting, _ = make(own_world, own_world.both, "documents.read")
    with own_world.as_(own_world.both) as db:
        assert len(db.all("select authz.org_ids()")) == 2
        assert db.rpc("list_knowledge_bases", org_id=own_world.globex.id)
    with own_world.as_(acting) as db:
        assert db.all("select authz.org_ids()") == [(own_world.acme.id,)]
        assert db.rpc("list_knowledge_bases", org_id=own_world.globex.id) == []
    with own_world.as_(acting, org_id=str(own_world.globex.id)) as db:
        assert db.all("select authz.org_ids()") == []


@pytest.mark.parametrize("change", ["revoked_at = now()", "expires_at = now()", "expires_at = now() - interval '1 second', created_at = now() - interval '1 hour'"])
def test_a_token_that_is_over_is_refused_on_the_next_request_F08_R40_R41(own_world: World, change: str) -> None:
    acting, _ = make(own_world, own_world.acme.people["member"])
    with own_world.as_(acting) as db:
        assert db.rpc("list_knowledge_bases", org_id=own_world.acme.id)
    with own_world.operator(keep=True) as db:
        db.run(f"update app.api_token set {change} where session_id = %s", acting.session_id)
    with request(own_world.authenticator_url, acting.claims(), pre_request=False) as db:
        assert refused(db.error("select authz.pre_request()")) == "this API token was revoked or has expired"
        # And whoever skipped that check would see nothing.
        assert db.all("select authz.org_ids()") == []
        assert db.rpc("touch_api_token", token_sha256="0" * 64) is False
    with own_world.as_(own_world.acme.people["member"]) as db:
        assert db.rpc("list_knowledge_bases", org_id=own_world.acme.id)


def test_a_permission_its_owner_loses_the_token_loses_on_the_next_request_F08_R40(own_world: World) -> None:
    builder, owner = own_world.acme.people["builder"], own_world.acme.people["owner"]
    acting, _ = make(own_world, builder, "documents.manage", "documents.read")
    with own_world.as_(acting) as db:
        assert permitted(db) == {"documents.manage", "documents.read"}
    with own_world.as_(owner, keep=True) as db:
        db.rpc("change_member", org_id=own_world.acme.id, user_id=builder.user_id, role="member")
    with own_world.as_(acting) as db:
        assert permitted(db) == {"documents.read"}


def test_who_is_removed_and_comes_back_comes_back_without_the_tokens_of_before_F08_R40(own_world: World) -> None:
    member, owner, org = own_world.acme.people["member"], own_world.acme.people["owner"], own_world.acme.id
    acting, made = make(own_world, member)
    with own_world.as_(owner, keep=True) as db:
        db.rpc("remove_member", org_id=org, user_id=member.user_id)
    own_world.join(own_world.acme, member, "member")
    with own_world.as_(owner) as db:
        assert [t["revoked_at"] is not None for t in db.rpc("list_api_tokens", org_id=org) if str(t["id"]) == made["id"]] == [True]
    # Even one that slipped through: it was made before this membership.
    with own_world.operator(keep=True) as db:
        db.run("alter table app.api_token disable trigger user; update app.api_token set revoked_at = null; alter table app.api_token enable trigger user")
    with own_world.as_(acting) as db:
        assert db.all("select authz.org_ids()") == []
    with own_world.as_(member) as db:
        assert db.all("select authz.org_ids()") == [(org,)]


def test_nobody_makes_a_token_with_a_permission_they_do_not_hold_F08_F12(own_world: World) -> None:
    member = own_world.acme.people["member"]
    session = new_session(own_world, member)
    with own_world.as_(member) as db:
        error = db.rpc_error("create_api_token", **wish(own_world, session, "documents.read", "documents.manage"))
        assert (error.sqlstate, error.diag.message_primary) == (
            "42501", "an API token can have only permissions you hold yourself, and documents.manage is none of yours here")
        assert db.rpc("create_api_token", **wish(own_world, session, "documents.read"))["id"]


@pytest.mark.parametrize("permission", [*sorted(PERSONAL), "nothing.known", "", "*", "DOCUMENTS.READ"])
def test_no_token_carries_a_personal_or_unknown_permission_F08_R44(own_world: World, permission: str) -> None:
    owner = own_world.acme.people["owner"]
    session = new_session(own_world, owner)
    with own_world.as_(owner) as db:
        error = db.rpc_error("create_api_token", **wish(own_world, session, "documents.read", permission))
        says = f"{permission} is for people alone" if permission in PERSONAL else f"names of the registry, and '{permission}' is none"
        assert (error.sqlstate, says in str(error)) == ("22023", True)
        assert db.rpc("create_api_token", **wish(own_world, session, "documents.read"))["id"]


@pytest.mark.parametrize("which", ["one's own present session", "an old one", "somebody else's", "none at all", "one that is over"])
def test_a_token_needs_a_session_its_owner_opened_for_it_F08(own_world: World, which: str) -> None:
    member, other = own_world.acme.people["member"], own_world.acme.people["agent"]
    session = {"one's own present session": lambda: member.session_id, "an old one": lambda: new_session(own_world, member, "6 minutes"),
               "somebody else's": lambda: new_session(own_world, other), "none at all": uuid4,
               "one that is over": lambda: new_session(own_world, member)}[which]()
    if which == "one that is over":
        with own_world.operator(keep=True) as db:
            db.run("update auth.sessions set not_after = now() where id = %s", session)
    with own_world.as_(member) as db:
        assert db.rpc_error("create_api_token", **wish(own_world, session)).sqlstate == "PT404"
        assert db.rpc("create_api_token", **wish(own_world, new_session(own_world, member, "4 minutes")))["id"]


def test_a_session_has_one_token_F08(own_world: World) -> None:
    member = own_world.acme.people["member"]
    session = new_session(own_world, member)
    with own_world.as_(member) as db:
        db.rpc("create_api_token", **wish(own_world, session))
        assert db.rpc_error("create_api_token", **wish(own_world, session)).sqlstate == "PT409"


def test_who_has_a_second_factor_makes_tokens_with_it_only_F07_F08_R42(own_world: World) -> None:
    member = own_world.acme.people["member"]
    with own_world.operator(keep=True) as db:
        db.run(ENROL, member.user_id)
    weak, strong = new_session(own_world, member), new_session(own_world, member, level="aal2")
    asked = {"org_id": own_world.acme.id, "name": "script", "permissions": ["documents.read"], "expires_in": 3600}
    with own_world.as_(member) as db:
        assert db.rpc_error("check_api_token", **asked).sqlstate == "PT401"
    with own_world.as_(member, **second_factor()) as db:
        assert db.rpc("check_api_token", **asked) == {"email": member.email, "code_needed": True}
        assert db.rpc_error("create_api_token", **wish(own_world, weak)).sqlstate == "PT401"
        assert db.rpc("create_api_token", **wish(own_world, strong))["with_second_factor"] is True
    with own_world.as_(own_world.acme.people["agent"]) as db:
        assert db.rpc("check_api_token", **asked)["code_needed"] is False


def test_an_organization_that_requires_a_second_factor_counts_a_token_made_with_one_F06_F08_R42(own_world: World) -> None:
    owner, org = own_world.acme.people["owner"], own_world.acme.id
    sessions = {level: new_session(own_world, owner, level=level) for level in ("aal1", "aal2")}
    with own_world.as_(owner, keep=True, **second_factor()) as db:
        for session in sessions.values():
            db.rpc("create_api_token", **wish(own_world, session))
        db.rpc("set_mfa_policy", org_id=org, required=True)
        assert db.rpc_error("create_api_token", **wish(own_world, new_session(own_world, owner))).sqlstate == "PT401"
    with own_world.as_(replace(owner, session_id=sessions["aal1"])) as db:
        assert db.all("select authz.org_ids()") == []
    with own_world.as_(replace(owner, session_id=sessions["aal2"]), **second_factor()) as db:
        assert db.all("select authz.org_ids()") == [(org,)]
        assert db.error("select authz.require_step_up()").sqlstate == "42501", "the factor was used when the token was made"


def acts(world: World) -> dict[str, dict[str, Any]]:
    """What only people do, each with arguments that work for an owner who just used a second factor."""
    org, people = world.acme.id, world.acme.people
    return {
        "create_invitation": {"org_id": org, "email": world.nobody.email, "role": "member"},
        "change_member": {"org_id": org, "user_id": people["customer"].user_id, "role": "agent"},
        "remove_member": {"org_id": org, "user_id": people["analyst"].user_id},
        "set_mfa_policy": {"org_id": org, "required": True},
        "create_organization": {"slug": "another", "name": "Another"},
        "check_api_token": {"org_id": org, "name": "x", "permissions": ["documents.read"], "expires_in": 3600},
        "create_api_token": wish(world, people["owner"].token_session_id),
        "revoke_api_token": {"org_id": org, "token_id": world.acme.ids["api_token"]},
        "choose_organization": {"org_id": org},
        "choose_no_organization": {},
    }


@pytest.mark.parametrize("act", ["create_invitation", "change_member", "remove_member", "set_mfa_policy", "create_organization",
                                 "check_api_token", "create_api_token", "revoke_api_token", "choose_organization", "choose_no_organization"])
def test_an_app_and_a_token_do_none_of_what_only_people_do_R44_F08(own_world: World, act: str) -> None:
    owner = own_world.acme.people["owner"]
    acting, _ = make(own_world, owner, *sorted(ROLES["owner"] - PERSONAL))
    arguments = acts(own_world)[act]
    if act == "create_api_token":
        arguments["session_id"] = new_session(own_world, owner)
    for person, claims in ((owner, {"client_id": "an app"}), (acting, {})):
        with own_world.as_(person, **second_factor(), **claims) as db:
            error = db.rpc_error(act, **arguments)
            assert (error.sqlstate, error.diag.message_primary) == ("42501", "an app acting for you cannot do this: sign in yourself")
    with own_world.as_(owner, **second_factor()) as db:
        db.rpc(act, **arguments)


def test_an_app_does_not_even_leave_for_its_person_R44(own_world: World) -> None:
    member, org = own_world.acme.people["member"], own_world.acme.id
    with own_world.as_(member, client_id="an app") as db:
        assert db.rpc_error("remove_member", org_id=org, user_id=member.user_id).sqlstate == "42501"
        assert permitted(db) == ROLES["member"] - PERSONAL
    with own_world.as_(member) as db:
        db.rpc("remove_member", org_id=org, user_id=member.user_id)


def test_a_token_sees_its_owners_own_rows_with_a_permission_for_them_only_F08(own_world: World) -> None:
    customer, org = own_world.acme.people["customer"], own_world.acme.id
    tables = {"conversation": "bots.run", "message": "bots.run", "run": "bots.run", "run_step": "bots.run",
              "customer_order": "orders.place", "support_ticket": "tickets.create"}
    without, _ = make(own_world, customer, "documents.read")
    having, _ = make(own_world, customer, *sorted(set(tables.values())))
    for table in tables:
        query = f"select count(*) from app.{table} where org_id = %s"
        with own_world.as_(without) as db:
            assert db.one(query, org) == 0, table
        with own_world.as_(having) as db:
            assert db.one(query, org) > 0, table
