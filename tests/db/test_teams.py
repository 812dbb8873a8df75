"""Teams: teams.manage does everything, a team's managers choose its ordinary members, and a refusal says which gate it was (F16)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.racing import held_up, said
from tests.db.world import World

ABSENT = ("PT404", "no such team in this organization")
NO_MANAGER = ("42501", "you are not a manager of this team, and do not hold teams.manage")
MANAGER_ONLY = ("42501", "a manager chooses ordinary members only: this needs teams.manage")
NO_MEMBER = ("PT404", "not a member of the organization")


def team(world: World, user: str | None = None, **more: Any) -> dict[str, Any]:
    """Name the team of acme that the builder manages, and somebody of acme."""
    named = {"org_id": world.acme.id, "team_id": world.acme.ids["team"]} | more
    return named | ({"user_id": world.acme.people[user].user_id} if user else {})


def test_a_manager_chooses_the_ordinary_members_of_their_own_team_F16(world: World) -> None:
    with world.as_(world.acme.people["builder"]) as db:
        assert db.rpc("add_team_member", **team(world, "analyst"))["manager"] is False
        assert said(db.rpc_error("add_team_member", **team(world, "analyst"))) == ("PT409", "already in the team")
        assert db.rpc("remove_team_member", **team(world, "analyst"))
        assert said(db.rpc_error("remove_team_member", **team(world, "analyst"))) == ("PT404", "not in the team")
        assert db.rpc("rename_team", **team(world), name="Helpers")["name"] == "Helpers"


@pytest.mark.parametrize(("act", "given"), [
    ("add_team_member", {"user": "analyst", "manager": True}), ("set_team_manager", {"user": "customer", "manager": True}), ("delete_team", {}),
])
def test_a_manager_is_told_that_more_needs_teams_manage_F16(world: World, act: str, given: dict[str, Any]) -> None:
    with world.as_(world.acme.people["builder"]) as db:
        assert said(db.rpc_error(act, **team(world, **given))) == MANAGER_ONLY
    with world.as_(world.acme.people["admin"]) as db:
        assert db.rpc(act, **team(world, **given))


def test_a_manager_takes_out_no_other_manager_F16(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["admin"])
        db.rpc("set_team_manager", **team(world, "customer", manager=True))
        become(db, world.acme.people["builder"])
        assert said(db.rpc_error("remove_team_member", **team(world, "customer"))) == MANAGER_ONLY
        become(db, world.acme.people["customer"])
        assert db.rpc("remove_team_member", **team(world, "customer")), "anybody may leave"


@pytest.mark.parametrize("act", ["add_team_member", "remove_team_member", "rename_team", "delete_team", "set_team_manager"])
def test_a_manager_of_another_team_and_a_member_are_told_they_manage_not_this_one_F16(world: World, act: str) -> None:
    given = {"add_team_member": team(world, "agent"), "remove_team_member": team(world, "builder"), "rename_team": team(world, name="Mine"),
             "delete_team": team(world), "set_team_manager": team(world, "customer", manager=True)}[act]
    with planted(world) as db:
        become(db, world.acme.people["admin"])
        other = db.rpc("create_team", org_id=world.acme.id, slug="other", name="Other")["id"]
        db.rpc("add_team_member", org_id=world.acme.id, team_id=other, user_id=world.acme.people["analyst"].user_id, manager=True)
        for who in ("analyst", "customer", "member"):
            become(db, world.acme.people[who])
            assert said(db.rpc_error(act, **given)) == NO_MANAGER
        for outsider in (world.globex.people["owner"], world.nobody, world.removed):
            become(db, outsider)
            assert said(db.rpc_error(act, **given)) == ABSENT, "to whom sees no team there is none"
        become(db, world.acme.people["admin"])
        assert db.rpc(act, **given)


def test_only_members_of_the_organization_are_put_into_a_team_F16(world: World) -> None:
    with world.as_(world.acme.people["admin"]) as db:
        for stranger in (world.nobody, world.removed, world.globex.people["owner"]):
            assert said(db.rpc_error("add_team_member", **team(world, user_id=stranger.user_id))) == NO_MEMBER
        assert db.rpc("add_team_member", **team(world, user_id=world.both.user_id))


def test_a_manager_no_more_while_adding_adds_nobody_R46(own_world: World) -> None:
    world = own_world
    with world.as_(world.acme.people["admin"], keep=True) as db:
        db.rpc("set_team_manager", **team(world, "customer", manager=True))
        late = held_up(world, world.acme.people["customer"], lambda db: db.rpc("add_team_member", **team(world, "agent")))
    assert late.result(10)["manager"] is False, "the twin: a manager since a moment ago"
    with world.as_(world.acme.people["admin"], keep=True) as db:
        db.rpc("set_team_manager", **team(world, "customer", manager=False))
        late = held_up(world, world.acme.people["customer"], lambda db: db.rpc("add_team_member", **team(world, "analyst")))
    assert late.result(10) == NO_MANAGER


@pytest.mark.parametrize(("who", "which"), [("customer", "acme"), ("builder", "acme"), ("customer", "globex"), ("builder", "")])
def test_which_gate_refused_is_told_to_those_only_who_see_the_team_F16(world: World, who: str, which: str) -> None:
    """Asked directly: of a team of another organization, or of none, no more is said than that there is no such team."""
    named = getattr(world, which).ids["team"] if which else uuid4()
    with world.as_(world.acme.people[who]) as db:
        words = {"customer": NO_MANAGER, "builder": MANAGER_ONLY}[who] if which == "acme" else ABSENT
        assert said(db.error("select authz.refuse_team(%s)", named)) == words
