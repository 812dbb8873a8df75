"""An organization's life: its name, who was active, leaving, handing over, suspending; the last active owner stays (R40, R45)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.db.calling import filled, own_ids
from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.racing import held_up, said
from tests.db.registry import RECIPES
from tests.db.session import Request, second_factor
from tests.db.test_escalation import BEYOND_GIVING
from tests.db.world import World

NOT_YOURS = ("PT404", "no such member, or not yours to change")
NOT_OWNED = ("PT404", "no such organization that you own")
LAST = ("PT409", "an organization keeps at least one owner")


def whom(world: World, role: str) -> dict[str, Any]:
    return {"org_id": world.acme.id, "user_id": world.acme.people[role].user_id}


def listed(db: Request, world: World) -> dict[Any, dict[str, Any]]:
    return {m["user_id"]: m for m in db.rpc("list_members", org_id=world.acme.id)}


def test_an_organization_is_renamed_by_who_manages_it(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        assert db.rpc("update_organization", org_id=world.acme.id, name="Acme at last")["name"] == "Acme at last"
        assert db.rpc("organization_settings", org_id=world.acme.id)["slug"] == "acme"
    for who in ("admin", "member"):
        with world.as_(world.acme.people[who]) as db:
            assert db.rpc_error("update_organization", org_id=world.acme.id, name="Mine").sqlstate == "PT404"
            assert db.rpc("organization_settings", org_id=world.acme.id)["require_mfa"] is False


def test_the_list_of_members_tells_the_confirmed_address_each_joined_with_to_members_read_and_no_other_F02(world: World) -> None:
    people = world.acme.people
    with world.as_(people["auditor"]) as db:
        told = {u: m["email"] for u, m in listed(db, world).items()}
        assert told == {p.user_id: p.email for p in (*people.values(), world.both)}
    with world.as_(people["member"]) as db:  # without members.read: oneself
        assert [m["email"] for m in listed(db, world).values()] == [people["member"].email]
        assert db.all("select email from app.membership where user_id <> authz.uid()") == []
        assert "permission denied" in str(db.error("update app.membership set email = 'owner@acme.test'"))
    with world.as_(world.globex.people["owner"]) as db:
        assert db.rpc("list_members", org_id=world.acme.id) == []


def test_the_list_of_members_tells_the_last_day_of_each_in_this_organization_and_no_other(world: World) -> None:
    with planted(world) as db:
        db.run("update app.member_activity set last_active_on = current_date - 9")
        db.run("delete from app.member_activity where user_id = %s", world.acme.people["agent"].user_id)
        today = db.one("select current_date")
        become(db, world.both)
        db.rpc("create_knowledge_base", org_id=world.acme.id, slug="fresh", name="Fresh")
        become(db, world.acme.people["auditor"])
        found = listed(db, world)
        assert found[world.both.user_id]["last_active_on"] == today
        assert found[world.acme.people["owner"].user_id]["last_active_on"] == db.one("select current_date - 9")
        assert found[world.acme.people["agent"].user_id]["last_active_on"] is None
        assert (found[world.acme.people["builder"].user_id]["teams"], found[world.acme.people["auditor"].user_id]["teams"]) == (1, 0)
        become(db, world.globex.people["owner"])
        told = {m["user_id"]: m["last_active_on"] for m in db.rpc("list_members", org_id=world.globex.id)}
        assert told[world.both.user_id] != today, "what they do elsewhere is not told here"
        become(db, world.acme.people["member"])
        assert set(listed(db, world)) == {world.acme.people["member"].user_id}


def test_leaving_is_for_everybody_but_the_last_owner_R45(world: World) -> None:
    with world.as_(world.acme.people["member"]) as db:
        assert db.rpc("leave_organization", org_id=world.acme.id)["role"] is None
        assert db.rpc("whoami")["organizations"] == []
    with world.as_(world.acme.people["owner"]) as db:
        assert said(db.rpc_error("leave_organization", org_id=world.acme.id)) == LAST
    with world.as_(world.nobody) as db:
        assert said(db.rpc_error("leave_organization", org_id=world.acme.id)) == NOT_YOURS


def test_ownership_is_handed_to_an_active_member_after_a_step_up(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["owner"])
        assert db.rpc_error("transfer_ownership", **whom(world, "admin")).sqlstate == "PT401", "always, factor or none"
        become(db, world.acme.people["owner"], **second_factor())
        assert db.rpc_error("transfer_ownership", org_id=world.acme.id, user_id=world.nobody.user_id).sqlstate == "PT404"
        db.rpc("suspend_member", **whom(world, "member"))
        assert said(db.rpc_error("transfer_ownership", **whom(world, "member"))) == ("PT404", "no such active member")
        for thief in ("admin", "builder"):
            become(db, world.acme.people[thief], **second_factor())
            assert said(db.rpc_error("transfer_ownership", **whom(world, "customer"))) == NOT_OWNED
        become(db, world.acme.people["owner"], **second_factor())
        db.rpc("transfer_ownership", **whom(world, "analyst"))
        roles = {m["user_id"]: m["role"] for m in db.rpc("list_members", org_id=world.acme.id)}
        assert roles[world.acme.people["analyst"].user_id] == "owner" and roles[world.acme.people["owner"].user_id] == "admin"
        assert said(db.rpc_error("transfer_ownership", **whom(world, "customer"))) == NOT_OWNED


def test_a_suspended_member_is_as_if_not_one_from_the_next_statement_R40(world: World) -> None:
    member = world.acme.people["customer"]
    with planted(world) as db:
        become(db, member)
        assert db.rpc("my_orders", org_id=world.acme.id)
        become(db, world.acme.people["admin"])
        assert db.rpc("suspend_member", **whom(world, "customer"))["status"] == "suspended"
        assert listed(db, world)[member.user_id]["status"] == "suspended"
        become(db, member)
        assert db.rpc("my_orders", org_id=world.acme.id) == [] and db.rpc("whoami")["organizations"] == []
        assert said(db.rpc_error("resume_member", **whom(world, "admin"))) == NOT_YOURS
        become(db, world.acme.people["admin"])
        db.rpc("resume_member", **whom(world, "customer"))
        become(db, member)
        assert db.rpc("my_orders", org_id=world.acme.id)


def test_suspending_is_taking_a_role_and_resuming_is_giving_it_F12(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["admin"])
        for act in ("suspend_member", "resume_member"):
            assert said(db.rpc_error(act, **whom(world, "owner"))) == BEYOND_GIVING
            assert db.rpc_error(act, **whom(world, "admin")).sqlstate == "22023"
        become(db, world.acme.people["builder"])
        assert said(db.rpc_error("suspend_member", **whom(world, "customer"))) == NOT_YOURS
        become(db, world.acme.people["owner"])
        assert db.rpc("suspend_member", **whom(world, "admin"))


def test_a_suspended_owner_is_no_owner_to_stay_behind_R45(own_world: World) -> None:
    world, second = own_world, own_world.nobody
    world.join(world.acme, second, "owner")
    first = world.acme.people["owner"]
    with world.as_(first) as db:
        db.rpc("suspend_member", org_id=world.acme.id, user_id=second.user_id)
        assert said(db.rpc_error("leave_organization", org_id=world.acme.id)) == LAST
        assert said(db.rpc_error("change_member", **whom(world, "owner"), role="admin")) == LAST
        db.rpc("resume_member", org_id=world.acme.id, user_id=second.user_id)
        assert db.rpc("leave_organization", org_id=world.acme.id)["role"] is None
    # Each suspends the other: whoever was suspended while waiting is no longer one who may.
    with world.as_(first, keep=True) as db:
        db.rpc("suspend_member", org_id=world.acme.id, user_id=second.user_id)
        late = held_up(world, second, lambda db: db.rpc("suspend_member", **whom(world, "owner")))
    assert late.result(10) == NOT_YOURS


def test_in_a_suspended_organization_nothing_works_but_an_owners_resuming_it(own_world: World) -> None:
    world, owner = own_world, own_world.acme.people["owner"]
    org = world.acme.id
    with world.as_(owner, keep=True) as db:
        assert db.rpc_error("suspend_organization", org_id=org).sqlstate == "PT401"
    for thief in ("admin", "member"):
        with world.as_(world.acme.people[thief], **second_factor()) as db:
            assert said(db.rpc_error("suspend_organization", org_id=org)) == NOT_OWNED
    with world.as_(owner, **second_factor(), keep=True) as db:
        assert db.rpc("suspend_organization", org_id=org) == {"org_id": str(org), "suspended": True}
    ids = own_ids(world)
    for name, (_, arguments) in RECIPES.items():
        # Suspending again and choosing it for one's session change nothing anybody sees; what is suspended may still be ended for good.
        if "org_id" not in arguments or name in ("resume_organization", "suspend_organization", "choose_organization", "purge_organization"):
            continue
        with world.as_(owner, **second_factor()) as db:
            try:
                found = db.rpc(name, **filled(arguments, ids))
            except psycopg.Error as error:
                assert error.sqlstate in ("PT404", "42501"), (name, error)
            else:
                assert found == [], name
    for thief in ("admin", "member"):
        with world.as_(world.acme.people[thief], **second_factor()) as db:
            assert said(db.rpc_error("resume_organization", org_id=org)) == NOT_OWNED
    for claims in ({"client_id": "an app"}, {"org_id": str(world.globex.id)}):
        with world.as_(owner, **second_factor(), **claims) as db:
            assert db.rpc_error("resume_organization", org_id=org).sqlstate in ("42501", "PT404")
    with world.as_(owner, **second_factor(), keep=True) as db:
        assert db.rpc("resume_organization", org_id=org)["suspended"] is False
    with world.as_(world.acme.people["customer"]) as db:
        assert db.rpc("my_orders", org_id=org)


@pytest.mark.parametrize("who", ["admin", "nobody", "globex"])
def test_attempt_11_resuming_or_suspending_what_one_does_not_own_F12(world: World, who: str) -> None:
    person = {"admin": world.acme.people["admin"], "nobody": world.nobody, "globex": world.globex.people["owner"]}[who]
    with world.as_(person, **second_factor()) as db:
        for call in ("select authz.set_suspended(%s, true)::text", "select authz.set_suspended(%s, false)::text"):
            assert said(db.error(call, world.acme.id)) == NOT_OWNED
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        assert db.one("select authz.set_suspended(%s, true)::text", world.acme.id) == ""


def test_nobody_anonymous_founds_an_organization_past_the_function_either_R43(world: World) -> None:
    with planted(world) as db:
        become(db, world.nobody, is_anonymous=True)
        assert said(db.error("select authz.found_organization('probe', 'Probe')")) == ("42501", "sign in to found an organization")
        become(db, world.nobody)
        assert db.one("select authz.found_organization('probe', 'Probe')")


def test_one_person_founds_at_most_fifty_organizations_and_those_of_others_do_not_count(world: World) -> None:
    others = f"insert into app.organization (slug, name, created_by) select 'other-' || n, 'Other', '{world.both.user_id}' from generate_series(1, 60) n"
    with planted(world, REPLICA, others,
                 f"insert into app.organization (slug, name, created_by) select 'more-' || n, 'More', '{world.nobody.user_id}' from generate_series(1, 49) n",
                 "create policy opened on app.organization for select to ringfence_owner using (true)", ORIGIN) as db:
        become(db, world.nobody)
        assert db.rpc("create_organization", slug="the-last", name="Last")
        assert said(db.rpc_error("create_organization", slug="one-more", name="More")) == ("PT429", "you have founded 50 organizations, the most one person may")
