"""Invitations taken, revoked and given up at the same moment: one order counts, whichever it is (R45, R46)."""

from __future__ import annotations

import pytest

from tests.db.racing import held_up
from tests.db.test_invitations import OVER
from tests.db.world import World, make_person


def test_two_people_racing_one_invitation_are_one_member_R45(own_world: World) -> None:
    """Two accounts with the same confirmed address, as single sign-on makes them, and the same person twice."""
    world = own_world
    with world.operator(keep=True) as db:
        db.run("update auth.users set is_sso_user = true where id = %s", world.nobody.user_id)
    twin = make_person(world.superuser_url, world.nobody.email)
    for other in (twin, world.nobody):
        with world.as_(world.acme.people["owner"], keep=True) as db:
            token = db.rpc("create_invitation", org_id=world.acme.id, email=world.nobody.email, role="member")["token"]
        with world.as_(world.nobody, keep=True) as db:
            assert db.rpc("accept_invitation", token=token)["role"] == "member"
            late = held_up(world, other, lambda db: db.rpc("accept_invitation", token=token))  # noqa: B023  waited for below
        assert late.result(10) == OVER
        assert world.rows("membership", f"org_id = '{world.acme.id}' and user_id in ('{world.nobody.user_id}', '{twin.user_id}')") == 1
        with world.as_(world.acme.people["owner"], keep=True) as db:
            db.rpc("remove_member", org_id=world.acme.id, user_id=world.nobody.user_id)


@pytest.mark.parametrize("first", ["demotes the inviter", "removes the inviter", "revokes it", "widens the role"])
def test_who_accepts_while_it_is_being_taken_back_gets_nothing_R46(own_world: World, first: str) -> None:
    world, people, org = own_world, own_world.acme.people, own_world.acme.id
    with world.as_(people["admin"], keep=True) as db:
        made = db.rpc("create_invitation", org_id=org, email=world.nobody.email, role="helper")
    admin = people["admin"].user_id
    act = {
        "demotes the inviter": ("change_member", {"user_id": admin, "role": "builder"}), "removes the inviter": ("remove_member", {"user_id": admin}),
        "revokes it": ("revoke_invitation", {"invitation_id": made["id"]}),
        "widens the role": ("update_role", {"permissions": ["organization.manage"]}),
    }[first]
    with world.as_(people["owner"], keep=True) as db:
        more = {"role_id": db.one("select id from app.role where name = 'helper'")} if first == "widens the role" else {}
        db.rpc(act[0], org_id=org, **act[1], **more)
        late = held_up(world, world.nobody, lambda db: db.rpc("accept_invitation", token=made["token"]))
    assert late.result(10) == OVER
    assert world.rows("membership", f"user_id = '{world.nobody.user_id}'") == 0


def test_an_inviter_demoted_while_inviting_invites_nobody_R46(own_world: World) -> None:
    world, people, org = own_world, own_world.acme.people, own_world.acme.id
    insert = ("insert into app.invitation (org_id, email, role_id, token_sha256, expires_at)"
              " select org_id, 'new@acme.test', id, repeat('0', 64), now() + interval '1 day' from app.role where name = 'helper'")
    with world.as_(people["owner"], keep=True) as db:
        db.rpc("change_member", org_id=org, user_id=people["admin"].user_id, role="builder")
        late = held_up(world, people["admin"], lambda db: db.run(insert))
    assert late.result(10) == ("42501", "giving and taking roles needs members.manage")
    with world.as_(people["owner"], keep=True) as db:
        db.rpc("change_member", org_id=org, user_id=people["admin"].user_id, role="admin")
    with world.as_(people["owner"], keep=True) as db:
        db.rpc("change_member", org_id=org, user_id=people["customer"].user_id, role="helper")
        late = held_up(world, people["admin"], lambda db: db.run(insert))
    assert late.result(10) == 1
