"""The organization a person chose for a session: it goes into the next token of that session, and only ever narrows (F11)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.db.session import Person, Request
from tests.db.test_access_token_hook import event, hook
from tests.db.world import World


def make_token(world: World, person: Person, **app_metadata: Any) -> dict[str, Any]:
    """What Supabase Auth puts into the next token of the person's session."""
    return dict(hook(world, event(person, **app_metadata))["claims"])


def choose(world: World, person: Person, org: Any) -> None:
    with world.as_(person, keep=True) as db:
        if org is None:
            db.rpc("choose_no_organization")
        else:
            assert db.rpc("choose_organization", org_id=org) == {"org_id": str(org)}


def orgs(db: Request) -> set[Any]:
    return {o for (o,) in db.all("select authz.org_ids()")}


def test_the_next_token_of_the_session_sees_the_chosen_organization_only_F11(own_world: World) -> None:
    world, both = own_world, own_world.both
    choose(world, both, world.globex.id)
    with world.as_(both) as db:
        assert orgs(db) == {world.acme.id, world.globex.id}, "the token of before says nothing of it"
    claims = make_token(world, both)
    assert claims["org_id"] == str(world.globex.id) and list(claims["org_roles"]) == [str(world.globex.id)]
    with world.as_(both, org_id=claims["org_id"]) as db:
        assert orgs(db) == {world.globex.id}
    assert "org_id" not in make_token(world, replace(both, session_id=uuid4())), "another session of theirs is not narrowed"
    # From the narrowed token another one can be chosen, and none.
    with world.as_(both, keep=True, org_id=str(world.globex.id)) as db:
        db.rpc("choose_organization", org_id=world.acme.id)
    assert make_token(world, both)["org_id"] == str(world.acme.id)
    choose(world, both, None)
    assert "org_id" not in make_token(world, both)


def test_the_operators_choice_comes_first_F11(own_world: World) -> None:
    choose(own_world, own_world.both, own_world.globex.id)
    claims = make_token(own_world, own_world.both, org_id=str(own_world.acme.id))
    assert claims["org_id"] == str(own_world.acme.id)


@pytest.mark.parametrize("which", ["foreign", "random"])
def test_an_organization_of_others_cannot_be_chosen_and_looks_like_none_F11_R53(world: World, which: str) -> None:
    member = world.acme.people["member"]
    with world.as_(member) as db:
        error = db.rpc_error("choose_organization", org_id=world.globex.id if which == "foreign" else uuid4())
        assert (error.sqlstate, error.diag.message_primary) == ("PT404", "no such organization of yours")
        db.rpc("choose_organization", org_id=world.acme.id)


def test_a_choice_ends_with_the_membership_F11_R40(own_world: World) -> None:
    world, both = own_world, own_world.both
    choose(world, both, world.globex.id)
    with world.as_(world.globex.people["owner"], keep=True) as db:
        db.rpc("remove_member", org_id=world.globex.id, user_id=both.user_id)
    claims = make_token(world, both)
    assert "org_id" not in claims and list(claims["org_roles"]) == [str(world.acme.id)]


def test_a_choice_of_somebody_else_narrows_nobody_F11(own_world: World) -> None:
    world, both = own_world, own_world.both
    choose(world, both, world.globex.id)
    with world.operator(keep=True) as db:
        db.run("update app.session_choice set user_id = %s, org_id = %s where user_id = %s", world.acme.people["member"].user_id, world.acme.id, both.user_id)
    assert "org_id" not in make_token(world, both)
