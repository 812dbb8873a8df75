"""Every function of schema api x every persona: it works for those for whom it was decided, and is refused the others as decided (R31, R32, F80)."""

from __future__ import annotations

import pytest

from tests.db.calling import caller, filled, made_first, own_ids
from tests.db.matrix import Persona, bindings, calling, decided, fill, personas
from tests.db.registry import RECIPES
from tests.db.rights import RIGHTS, Right
from tests.db.session import Request, second_factor
from tests.db.test_rpc_sweep import call, signatures  # noqa: F401  (a fixture)
from tests.db.world import World


def test_every_function_has_a_right_and_every_right_a_function_F80(world: World) -> None:
    with world.operator() as db:
        found = {name for (name,) in db.all("select proname from pg_proc where pronamespace = 'api'::regnamespace")}
    assert found == set(RIGHTS) == set(RECIPES)


def holds(rule: str, persona: Persona, world: World, db: Request) -> bool:
    ids = bindings(world.acme, db)
    share = db.one("select id from app.bot_runner where bot_id = %s and team_id is not null", world.acme.ids["desk_bot"])
    role = persona.roles["acme"]
    text = decided(rule, role, persona).replace(":role", f":{role}_role")
    return bool(db.one(f"select {fill(text, ids | {'desk_bot_share': share})}"))


def expected(right: Right, name: str, persona: Persona, world: World, db: Request) -> str:
    """What was decided for this persona: `ok`, `none` or an SQLSTATE. `db` is the superuser's."""
    if name in dict(right.other):
        return dict(right.other)[name]
    if right.personal and not persona.in_person:
        return "42501"
    if "acme" not in persona.roles:
        return right.elsewhere or (right.refused if right.refused != "by sight" else "PT404")
    if holds(right.works, persona, world, db):
        return "ok"
    return right.refused if right.refused != "by sight" else "42501" if holds(right.sight, persona, world, db) else "PT404"


@pytest.mark.parametrize("name", RIGHTS)
def test_each_persona_gets_from_the_function_what_was_decided_R31(world: World, signatures: dict[str, dict[str, str]], name: str) -> None:  # noqa: F811
    own, wrong = own_ids(world), {}
    for who, persona in personas(world).items():
        if persona.role == "anon":
            continue
        with world.operator() as db:
            should = expected(RIGHTS[name], who, persona, world, db)
        acting = Persona(persona.person, claims=persona.claims | second_factor(), live=False)
        with calling(world, acting) as db:
            # What the recipe needs and the world does not hold is made by its own caller.
            ids = own | made_first(db, world, name) if persona.person == caller(world, name) and "acme" in persona.roles else own
            answer = call(db, name, signatures[name], filled(RECIPES[name][1], ids))
        got = str(answer[0]) if answer[0] != "ok" else "ok" if answer[1] else "none"
        if got != should:
            wrong[who] = (got, should, answer[1])
    assert wrong == {}, wrong
