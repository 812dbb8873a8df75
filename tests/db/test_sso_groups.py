"""Who says which group gives which role: organization.manage, within what they hold, with a fresh second factor (F05, F12, F07)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.racing import held_up, said
from tests.db.session import second_factor
from tests.db.test_custom_roles import BEYOND_GIVING
from tests.db.world import World

NO_OWNER = ("42501", "nobody becomes an owner by a group")


def group(world: World, **more: Any) -> dict[str, Any]:
    return {"org_id": world.acme.id, "connection_id": world.acme.ids["sso_connection"], "group_name": "Probe", "role": "member"} | more


def test_an_owner_says_it_with_a_fresh_second_factor_only_F05_F07(world: World) -> None:
    owner, existing = world.acme.people["owner"], {"org_id": world.acme.id, "group_id": world.acme.ids["sso_group"]}
    for claims in ({}, {"aal": "aal2"}, second_factor(16 * 60)):
        with world.as_(owner, **claims) as db:
            assert db.rpc_error("set_sso_group", **group(world)).sqlstate == "PT401"
            assert db.rpc_error("delete_sso_group", **existing).sqlstate == "PT401"
    with world.as_(owner, **second_factor()) as db:
        db.rpc("set_sso_group", **group(world, role="admin", position=3))
        found = {g["group_name"]: (g["role"], g["position"]) for g in db.rpc("list_sso_groups", org_id=world.acme.id)}
        assert found == {"Probe": ("admin", 3), "Staff aardvark": ("member", 10), "Analysts aardvark": ("analyst", 10)}
        db.rpc("delete_sso_group", **existing)


def test_an_enrolled_owner_needs_it_at_the_table_too_F07(world: World) -> None:
    owner = world.acme.people["owner"]
    with planted(world, "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)"
                        f" values (gen_random_uuid(), '{owner.user_id}', 'totp', 'verified', now(), now())") as db:
        become(db, owner)
        assert db.error("delete from app.sso_group where org_id = %s", world.acme.id).sqlstate == "PT401"
        become(db, owner, **second_factor())
        assert db.run("delete from app.sso_group where org_id = %s", world.acme.id) == 2


@pytest.mark.parametrize("who", ["admin", "builder", "analyst", "auditor", "customer"])
def test_nobody_below_does_F12(world: World, who: str) -> None:
    with world.as_(world.acme.people[who], **second_factor()) as db:
        for name, given in (("set_sso_group", group(world)), ("set_sso_group", group(world, group_name="Staff aardvark", role="admin")),
                            ("delete_sso_group", {"org_id": world.acme.id, "group_id": world.acme.ids["sso_group"]})):
            assert db.rpc_error(name, **given).sqlstate in ("42501", "PT404"), (name, given)
        assert (db.rpc("list_sso_groups", org_id=world.acme.id) == []) == (who != "admin")


def test_attempt_12_a_group_that_gives_more_than_one_holds_F12(world: World) -> None:
    """Who may manage the organization and little else neither gives the admin's role to a group nor takes it from one."""
    steward = world.acme.people["builder"]
    with planted(world) as db:
        become(db, world.acme.people["owner"], **second_factor())
        db.rpc("create_role", org_id=world.acme.id, name="steward", permissions=["organization.manage", "bots.run", "members.read"])
        db.rpc("create_role", org_id=world.acme.id, name="runner", permissions=["bots.run"])
        db.rpc("change_member", org_id=world.acme.id, user_id=steward.user_id, role="steward")
        admins = db.rpc("set_sso_group", **group(world, group_name="Admins", role="admin"))["group_id"]
        become(db, steward, **second_factor())
        for given in ({"role": "admin"}, {"role": "member"}, {"group_name": "Admins", "role": "runner"}, {"group_name": "Staff aardvark", "role": "admin"}):
            assert said(db.rpc_error("set_sso_group", **group(world, **given))) == BEYOND_GIVING, given
        assert said(db.rpc_error("set_sso_group", **group(world, role="owner"))) == BEYOND_GIVING
        assert said(db.rpc_error("delete_sso_group", org_id=world.acme.id, group_id=admins)) == BEYOND_GIVING
        role = db.one("select id from app.role where org_id = %s and name = 'admin'", world.acme.id)
        assert said(db.error("insert into app.sso_group (org_id, connection_id, name, role_id) values (%s, %s, 'x', %s)",
                             world.acme.id, world.acme.ids["sso_connection"], role)) == BEYOND_GIVING
        assert said(db.error("update app.sso_group set role_id = %s where name = 'Staff aardvark' and org_id = %s", role, world.acme.id)) == BEYOND_GIVING
        assert db.rpc("set_sso_group", **group(world, role="runner"))["role"] == "runner"


def test_no_group_makes_an_owner_R45(world: World) -> None:
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        assert said(db.rpc_error("set_sso_group", **group(world, role="owner"))) == NO_OWNER
        assert said(db.error("update app.sso_group set role_id = (select id from app.role r where r.org_id = %s and name = 'owner') where org_id = %s",
                             world.acme.id, world.acme.id)) == NO_OWNER


def test_the_provider_of_another_organization_cannot_be_named_R53(world: World) -> None:
    foreign = world.globex.ids["sso_connection"]
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        answers = [said(db.rpc_error("set_sso_group", **group(world, connection_id=c))) for c in (foreign, uuid4())]
        assert answers[0] == answers[1] == ("PT404", "no such identity provider of this organization")
        role = db.one("select id from app.role where org_id = %s and name = 'member'", world.acme.id)
        states = [db.error("insert into app.sso_group (org_id, connection_id, name, role_id) values (%s, %s, 'x', %s)", world.acme.id, c, role).sqlstate
                  for c in (foreign, uuid4())]
        assert states == ["23503", "23503"]


def test_connections_are_the_operators_and_who_follows_groups_the_databases_F05(world: World) -> None:
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        for statement in ("insert into app.sso_connection (org_id, provider) values (%s, 'custom:mine')", "delete from app.sso_connection where org_id = %s",
                          "update app.sso_connection set provider = 'custom:mine' where org_id = %s", "delete from app.sso_member where org_id = %s",
                          "insert into app.sso_member (org_id, user_id, connection_id) values (%s, authz.uid(), gen_random_uuid())"):
            assert "permission denied for table" in str(db.error(statement, world.acme.id))


@pytest.mark.parametrize("claims", [{"client_id": "an app"}, {"session_id": "token"}])
def test_what_acts_for_an_owner_does_not_R44(world: World, claims: dict[str, str]) -> None:
    owner = world.acme.people["owner"]
    claims = claims | ({"session_id": str(owner.token_session_id)} if "session_id" in claims else {})
    with world.as_(owner, **second_factor(), **claims) as db:
        assert db.rpc_error("set_sso_group", **group(world)).sqlstate == "42501"
        assert db.error("delete from app.sso_group where org_id = %s", world.acme.id).sqlstate == "42501"


@pytest.mark.parametrize("name", ["", "x" * 257, "a\nb", "a\x01b", "\u0085"])
def test_a_name_nobody_could_read_is_none_F09(world: World, name: str) -> None:
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        assert db.rpc_error("set_sso_group", **group(world, group_name=name)).sqlstate == "22023"
        for odd in ("'; drop table app.bot; --", "*", "%", "\u202e", "CN=Staff,OU=Ä,DC=acme", "x" * 256):
            assert db.rpc("set_sso_group", **group(world, group_name=odd))["group_name"] == odd


def test_an_owner_demoted_while_they_say_it_says_nothing_R46(own_world: World) -> None:
    world, second = own_world, own_world.nobody
    world.join(world.acme, second, "owner")
    with world.as_(world.acme.people["owner"], keep=True) as db:
        db.rpc("change_member", org_id=world.acme.id, user_id=second.user_id, role="member")
        late = held_up(world, second, lambda db: db.rpc("set_sso_group", **group(world, role="admin")), **second_factor())
    assert late.result(10)[0] in ("42501", "PT404")
