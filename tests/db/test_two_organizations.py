"""Somebody who belongs to two organizations: what is named by one of them and an id of the other is nothing at all (R10, R53).

For everybody else the policies hide the other organization's rows, and a function that looked for an id alone would not be noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.db.calling import filled, own_ids
from tests.db.matrix import become, planted
from tests.db.registry import CHOSEN, RECIPES
from tests.db.session import Request, second_factor
from tests.db.test_moving_rows import OWNS_BOTH
from tests.db.test_rpc_sweep import call, masked, signatures  # noqa: F401  (a fixture)
from tests.db.world import World


@pytest.fixture
def owning_both(world: World) -> Iterator[Request]:
    """A session of somebody who owns both organizations, with a second factor just used."""
    with planted(world, *(OWNS_BOTH.format(user=world.both.user_id, org=o.id) for o in (world.acme, world.globex))) as db:
        become(db, world.both, **second_factor())
        yield db


def named(name: str) -> list[str]:
    """The arguments of a recipe that name rows of its organization."""
    return [a for a, v in RECIPES[name][1].items() if a != "org_id" and isinstance(v, str) and v.startswith(":") and (name, a) not in CHOSEN]


@pytest.mark.parametrize("name", [n for n, (_, recipe) in RECIPES.items() if "org_id" in recipe and named(n)])
def test_an_id_of_one_organization_under_the_name_of_the_other_is_like_one_of_nothing_R53(
    world: World, owning_both: Request, signatures: dict[str, dict[str, str]], name: str,  # noqa: F811
) -> None:
    own = filled(RECIPES[name][1], own_ids(world))
    for argument in named(name):
        absent = uuid4()
        answers = [masked(call(owning_both, name, signatures[name], own | {"org_id": world.globex.id, argument: value}), value) for value in (own[argument], absent)]
        assert answers[0] == answers[1], argument
    everything = {a: own[a] for a in named(name)}
    nothing = {a: uuid4() for a in named(name)}
    answers = [masked(call(owning_both, name, signatures[name], own | {"org_id": world.globex.id} | given), *given.values()) for given in (everything, nothing)]
    assert answers[0] == answers[1]


HELPERS: dict[str, str] = {
    # A helper asked with an organization and an id, and which id of acme it is asked with.
    "authz.can_read_document({org}, {id})": "document", "authz.digest({org}, {id}, 'text')": "own_conversation",
    "authz.run_tools({org}, {id})": "bot",
    "authz.sees_object({org}, 'document', {id})": "document", "authz.sees_object({org}, 'knowledge_base', {id})": "knowledge_base", "authz.sees_object({org}, 'bot', {id})": "bot",
    "authz.sees_object({org}, 'order', {id})": "order", "authz.sees_object({org}, 'ticket', {id})": "ticket", "authz.sees_object({org}, 'run', {id})": "own_run",
    "authz.sees_object({org}, 'conversation', {id})": "own_conversation",
    "authz.take_over_document({org}, {id})": "left_document",
    "authz.may_be_message({org}, {conversation}, {id}, 'user', 'Mine?', '[]')": "own_run",
    "authz.may_be_step({org}, {id}, 'tool', 'my_orders', null, repeat('0', 64), '[]', 0, null, null, 'ok')": "own_run",
}


@pytest.mark.parametrize("helper", HELPERS)
def test_a_helper_of_two_ids_wants_both_to_fit_R53(world: World, owning_both: Request, helper: str) -> None:
    """Asked as whoever is in both, and has a run in acme. The twin, both of acme, is answered otherwise."""
    run = owning_both.rpc("start_run", bot="acme/helpdesk", question="Mine?")
    ids = world.acme.ids | {"own_run": run["run_id"], "own_conversation": run["conversation_id"]}

    def asked(org: Any, of: Any) -> str:
        text = helper.format(org=f"'{org}'::uuid", id=f"'{of}'::uuid", conversation=f"'{run['conversation_id']}'::uuid")
        return str(owning_both.one(f"select {text}"))

    nothing = asked(world.globex.id, uuid4())
    assert asked(world.globex.id, ids[HELPERS[helper]]) == nothing
    assert asked(world.acme.id, ids[HELPERS[helper]]) != nothing
