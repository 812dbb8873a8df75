"""Another organization's id and one of nothing are the same work: the same functions are called, as often (R53, R58).

What takes time in a call are the functions behind it, so that this is its timing class, counted and not measured. `make bench` measures.
Under the name of another organization a row is found that a policy must be asked about, which nothing would save but asking in vain: this
is measured there alone. Who tries that knows two random identifiers already.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.db.calling import caller, filled, made_first, own_ids
from tests.db.matrix import become, planted
from tests.db.registry import CHOSEN, EITHER, RECIPES
from tests.db.session import Request, second_factor
from tests.db.test_rpc_sweep import call, foreign_names, signatures  # noqa: F401  (a fixture)
from tests.db.world import World

NAMING = {name: [a for a, v in recipe.items() if isinstance(v, str) and v.startswith(":") and (name, a) not in CHOSEN] for name, (_, recipe) in RECIPES.items()}

# These find the row in any organization of the person's: an id is looked for without one.
NAMES_ITS_ORGANIZATION = {(name, argument) for name, arguments in NAMING.items() for argument in arguments if argument in ("org_id", "run_id")}
NAMES_ITS_ORGANIZATION.add(("resume_run", "approval_id"))


def work(db: Request, name: str, types: dict[str, str], arguments: dict[str, Any]) -> dict[str, int]:
    """How often each function of ours is called."""
    def counted() -> dict[str, int]:
        return dict(db.all("select funcid::regprocedure::text, calls from pg_stat_xact_user_functions"))

    before = counted()
    call(db, name, types, arguments)
    return {f: n - before.get(f, 0) for f, n in counted().items() if n != before.get(f, 0)}


@pytest.mark.parametrize("name", [n for n, arguments in NAMING.items() if set(arguments) - {"org_id", "run_id"}])
def test_anothers_and_absent_are_the_same_work_R58(world: World, signatures: dict[str, dict[str, str]], name: str) -> None:  # noqa: F811
    types, recipe = signatures[name], RECIPES[name][1]
    theirs = foreign_names(world)
    with planted(world, "set local track_functions = 'all'", "set local plan_cache_mode = 'force_generic_plan'") as db:
        become(db, caller(world, name), **second_factor())
        ids = own_ids(world) | made_first(db, world, name)
        own = filled(recipe, ids)
        assert work(db, name, types, own), "nothing is counted"
        for argument in NAMING[name]:
            if types[argument] != "uuid" or (name, argument) in NAMES_ITS_ORGANIZATION:
                continue
            alone = own | {other: None for group in EITHER.get(name, []) if argument in group for other in group}
            # The first call plans, which calls functions too; the plans are kept.
            _, foreign, absent = (work(db, name, types, alone | {argument: id_}) for id_ in (uuid4(), theirs[recipe[argument][1:]], uuid4()))
            assert foreign == absent, argument
