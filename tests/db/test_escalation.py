"""The named attempts to get more than one has, each beside what the same person may do (F12, R45).

The attacker is the lead: they may give roles and make roles, and hold three permissions besides.
"""

from __future__ import annotations

from typing import Any

from tests.db.matrix import become
from tests.db.racing import said
from tests.db.session import Request, second_factor
from tests.db.test_custom_roles import ABSENT, APP, BEYOND, BEYOND_GIVING, BUILT_IN, LEAD, with_lead
from tests.db.world import World


def role(db: Request, world: World, name: str) -> Any:
    return next(r["id"] for r in db.rpc("list_roles", org_id=world.acme.id) if r["name"] == name)


def test_attempt_1_making_a_role_that_carries_more_than_its_maker_F12(world: World) -> None:
    with with_lead(world) as (db, _):
        for more in (["organization.manage"], [*LEAD, "documents.manage"], ["audit.read", "bots.run"]):
            assert said(db.rpc_error("create_role", org_id=world.acme.id, name="probe", permissions=more)) == BEYOND
        assert "probe" not in {r["name"] for r in db.rpc("list_roles", org_id=world.acme.id)}
        assert db.rpc("create_role", org_id=world.acme.id, name="probe", permissions=LEAD)["id"]


def test_attempt_2_adding_to_ones_own_role_F12(world: World) -> None:
    with with_lead(world) as (db, lead):
        assert said(db.rpc_error("update_role", org_id=world.acme.id, role_id=lead, permissions=[*LEAD, "documents.manage"])) == BEYOND
        # Downward one may, to the point of losing the right to.
        assert db.rpc("update_role", org_id=world.acme.id, role_id=lead, permissions=["bots.run"])["permissions"] == ["bots.run"]
        assert db.rpc_error("update_role", org_id=world.acme.id, role_id=lead, permissions=LEAD).sqlstate == "42501"


def test_attempt_3_cutting_down_renaming_or_deleting_a_role_that_carries_more_F12(world: World) -> None:
    """Who could take from the roles above their own would end above them."""
    with with_lead(world) as (db, _):
        become(db, world.acme.people["owner"])
        above = db.rpc("create_role", org_id=world.acme.id, name="above", permissions=["organization.manage", "bots.run"])["id"]
        become(db, world.acme.people["analyst"])
        for act, given in (("update_role", {"permissions": ["bots.run"]}), ("update_role", {"permissions": []}), ("update_role", {"name": "below"}),
                           ("update_role", {"permissions": ["organization.manage", "bots.run", "documents.read"]}), ("delete_role", {})):
            assert said(db.rpc_error(act, org_id=world.acme.id, role_id=above, **given)) == BEYOND, (act, given)
        become(db, world.acme.people["owner"])
        assert db.rpc("update_role", org_id=world.acme.id, role_id=above, permissions=["bots.run"])
        become(db, world.acme.people["analyst"])
        assert db.rpc("delete_role", org_id=world.acme.id, role_id=above)


def test_attempt_4_giving_a_role_that_carries_more_to_oneself_or_an_accomplice_F12(world: World) -> None:
    with with_lead(world) as (db, _):
        for whom in ("analyst", "customer"):
            for above in ("owner", "admin", "builder", "member"):
                assert said(db.rpc_error("change_member", org_id=world.acme.id, user_id=world.acme.people[whom].user_id, role=above)) == BEYOND_GIVING
        become(db, world.acme.people["owner"])
        db.rpc("change_member", org_id=world.acme.id, user_id=world.acme.people["customer"].user_id, role="helper")
        become(db, world.acme.people["analyst"])
        assert db.rpc("change_member", org_id=world.acme.id, user_id=world.acme.people["customer"].user_id, role="lead")["role"] == "lead"


def test_attempt_5_taking_the_role_of_somebody_above_F12(world: World) -> None:
    with with_lead(world) as (db, _):
        for whom in ("owner", "admin", "builder", "customer"):
            person = world.acme.people[whom].user_id
            assert said(db.rpc_error("remove_member", org_id=world.acme.id, user_id=person)) == BEYOND_GIVING
            assert said(db.rpc_error("change_member", org_id=world.acme.id, user_id=person, role="helper")) == BEYOND_GIVING
        become(db, world.acme.people["owner"])
        db.rpc("change_member", org_id=world.acme.id, user_id=world.acme.people["customer"].user_id, role="helper")
        become(db, world.acme.people["analyst"])
        assert db.rpc("remove_member", org_id=world.acme.id, user_id=world.acme.people["customer"].user_id)["role"] is None


def test_attempt_6_widening_a_built_in_role_or_passing_ones_own_off_as_one_F12(world: World) -> None:
    with with_lead(world) as (db, lead):
        for name in ("member", "owner", "auditor"):
            assert said(db.rpc_error("update_role", org_id=world.acme.id, role_id=role(db, world, name), permissions=LEAD)) == BUILT_IN
            assert said(db.error("insert into app.role_permission (org_id, role_id, permission) values (%s, %s, 'members.manage')",
                                 world.acme.id, role(db, world, name))) == BUILT_IN
        assert db.error("update app.role set built_in = true where id = %s", lead).sqlstate == "42501"
        assert db.error("insert into app.role (org_id, name, built_in) values (%s, 'probe', true)", world.acme.id).sqlstate == "42501"
        assert db.run("insert into app.role (org_id, name) values (%s, 'probe')", world.acme.id) == 1


def test_attempt_7_reaching_into_the_roles_of_another_organization_F12(world: World) -> None:
    """The builder of acme who owns an organization of their own, where they hold everything."""
    both = world.both
    with with_lead(world) as (db, lead):
        become(db, both)
        own = db.rpc("create_organization", slug="own", name="Own")["id"]
        made = db.rpc("create_role", org_id=own, name="all", permissions=["organization.manage"])["id"]
        for org in (own, world.acme.id):
            assert db.rpc_error("update_role", org_id=org, role_id=lead, permissions=["organization.manage"]).sqlstate in ("PT404", "42501")
        assert said(db.rpc_error("update_role", org_id=world.acme.id, role_id=made, permissions=[])) == ABSENT
        assert db.error("insert into app.role_permission (org_id, role_id, permission) values (%s, %s, 'organization.manage')", own, lead).sqlstate == "23503"
        assert db.error("insert into app.role_permission (org_id, role_id, permission) values (%s, %s, 'organization.manage')",
                        world.acme.id, lead).sqlstate == "42501"
        assert db.rpc("update_role", org_id=own, role_id=made, permissions=[])["permissions"] == []


def test_attempt_8_having_an_app_do_it_that_acts_for_an_owner_F12_R44(world: World) -> None:
    owner, org = world.acme.people["owner"], world.acme.id
    with world.as_(owner, **second_factor(), client_id="app") as db:
        for act, given in (("create_role", {"name": "probe", "permissions": ["bots.run"]}),
                           ("update_role", {"role_id": role(db, world, "helper"), "permissions": LEAD}),
                           ("delete_role", {"role_id": role(db, world, "helper")})):
            assert said(db.rpc_error(act, org_id=org, **given)) == APP
    with world.as_(owner, **second_factor()) as db:
        assert db.rpc("create_role", org_id=org, name="probe", permissions=["bots.run"])["id"]


def test_attempt_9_inviting_somebody_into_a_role_above_ones_own_F12(world: World) -> None:
    with with_lead(world) as (db, _):
        for above in ("owner", "admin", "member"):
            assert said(db.rpc_error("create_invitation", org_id=world.acme.id, email=world.nobody.email, role=above)) == BEYOND_GIVING
        token = db.rpc("create_invitation", org_id=world.acme.id, email=world.nobody.email, role="lead")["token"]
        become(db, world.nobody)
        assert db.rpc("accept_invitation", token=token)["role"] == "lead"


def test_attempt_10_having_an_accomplice_accept_what_one_could_not_give_any_more_F12(world: World) -> None:
    with with_lead(world) as (db, _):
        token = db.rpc("create_invitation", org_id=world.acme.id, email=world.nobody.email, role="lead")["token"]
        db.run("savepoint before")
        for role in ("analyst", "helper", None):
            become(db, world.acme.people["owner"])
            whom = {"org_id": world.acme.id, "user_id": world.acme.people["analyst"].user_id}
            db.rpc("change_member", **whom, role=role) if role else db.rpc("remove_member", **whom)
            become(db, world.nobody)
            assert said(db.rpc_error("accept_invitation", token=token)) == ("PT404", "no such invitation to you, or it is over")
            db.run("rollback to savepoint before")
        become(db, world.nobody)
        assert db.rpc("accept_invitation", token=token)["role"] == "lead"
