"""The access matrix again, through the real edge and the real PostgREST: every function x every persona, ids of others, hostile values (R31, R53, F09, F80).

What should happen is read from the same reviewed decisions as in tests/db (`rights.py`, the registry); what happens is read from the HTTP answer alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.db.calling import caller, filled, made_first, own_ids
from tests.db.conftest import _copy, described  # noqa: F401  (a fixture)
from tests.db.matrix import Persona, bindings, personas
from tests.db.registry import CHOSEN, EITHER, RECIPES
from tests.db.rights import RIGHTS
from tests.db.session import second_factor
from tests.db.test_rights import expected
from tests.db.test_rpc_sweep import canaries
from tests.e2e.conftest import Answer
from tests.e2e.world_edge import WorldEdge, serving, side_by_side

# The status and code that the edge gives for what the database says.
SAID = {"22004": (400, "invalid_argument"), "22023": (400, "invalid_argument"), "42501": (403, "denied"), "PT401": (401, "aal_required"),
        "PT404": (404, "not_found"), "PT409": (409, "conflict")}
# Those whom no function answers, whatever it is: turned away at the edge, or by authz.pre_request() before the function.
TURNED_AWAY = {"no claims": (401, "missing_token"), "anonymous user": (401, "session_ended")}
# The whole list of tests/db would take minutes here; these are what JSON adds to it, and one of each kind.
WRONG: list[Any] = [None, "", [], {"a": None}, 1e30, "' or true --"]
_VARIES = {"date", "x-request-id"}


@pytest.fixture(scope="module")
def there(cluster: Any, described: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorldEdge]:  # noqa: F811
    """A world of its own behind an edge; in it stands what recipes need made first."""
    for world in _copy(cluster, described):
        with world.as_(world.acme.people["owner"], keep=True) as db:
            world.acme.ids |= made_first(db, world, "finish_document")
        with serving(world, tmp_path_factory.mktemp("world")) as made:
            yield made


@pytest.fixture(scope="module")
def own(there: WorldEdge) -> dict[str, Any]:
    ids = own_ids(there.world)
    return ids | {"loaded_document": there.world.acme.ids["loaded_document"]}


def said(answer: Answer) -> tuple[int, str]:
    """The status, and the code of an error, `ok` for rows, `none` for no rows."""
    body = json.loads(answer.body) if answer.body else None
    return answer.status, str(body["code"]) if answer.status >= 400 else "none" if body == [] else "ok"


def by_recipe(there: WorldEdge, name: str) -> str | None:
    """The token of whoever the recipe works for, a second factor just used."""
    return there.token(Persona(caller(there.world, name)), **second_factor())


def answered(there: WorldEdge, ask: Callable[[Any], Any], cells: dict[Any, str]) -> dict[Any, Any]:
    """The answer of each cell, whose function stands beside it. What releases a hold comes last, while one holds: it would keep others from deleting."""
    last = [cell for cell, name in cells.items() if name == "release_legal_hold"]
    first = [cell for cell in cells if cell not in last]
    found = dict(zip(first, side_by_side(ask, first), strict=True))
    acme = there.world.acme
    hold = "update app.legal_hold set released_by = %s, released_at = case when %s then now() end where id = %s"
    with there.world.operator(keep=True) as db:
        db.run(hold, None, False, acme.ids["hold"])
    try:
        return found | dict(zip(last, side_by_side(ask, last), strict=True))
    finally:
        with there.world.operator(keep=True) as db:
            db.run(hold, acme.people["owner"].user_id, True, acme.ids["hold"])


def test_each_persona_gets_from_each_function_over_http_what_was_decided_R31(there: WorldEdge, own: dict[str, Any]) -> None:
    asked = {who: p for who, p in personas(there.world).items() if p.role == "authenticated"}
    tokens = {who: there.token(p, **second_factor()) for who, p in asked.items()}
    cells = [(name, who) for name in RIGHTS for who in asked]
    with there.world.operator() as db:
        decided = {(name, who): TURNED_AWAY.get(who) or _in_http(expected(RIGHTS[name], who, asked[who], there.world, db)) for name, who in cells}

    def ask(cell: tuple[str, str]) -> tuple[int, str]:
        name, who = cell
        return said(there.rpc(tokens[who], name, filled(RECIPES[name][1], own)))

    found = answered(there, ask, {cell: cell[0] for cell in cells})
    assert {cell: (got, decided[cell]) for cell, got in found.items() if got != decided[cell]} == {}
    # Beside each denial stands somebody who is given the same; for what nobody of the matrix is given, see the next test.
    given = {name for (name, _), got in found.items() if got == (200, "ok")}
    assert RIGHTS.keys() - given == {name for name, right in RIGHTS.items() if right.works == "false"}


def _in_http(decision: str) -> tuple[int, str]:
    return (200, decision) if decision in ("ok", "none") else SAID[decision]


def test_each_recipe_works_over_http_for_its_caller_so_that_a_refusal_means_something(there: WorldEdge, own: dict[str, Any]) -> None:
    answers = answered(there, lambda name: there.rpc(by_recipe(there, name), name, filled(RECIPES[name][1], own)), {name: name for name in RECIPES})
    assert {name: (a.status, a.body[:200]) for name, a in answers.items() if a.status != 200} == {}


def test_anothers_id_and_an_absent_one_are_the_same_answer_in_status_headers_and_body_R53(there: WorldEdge, own: dict[str, Any]) -> None:
    """The caller for whom all else in the call is right; in one argument an id of the other organization, or one of nothing."""
    with there.world.operator() as db:
        theirs = bindings(there.world.globex, db)
    theirs |= {"nobody": theirs["member"], "loaded_document": theirs["loading_document"]}
    cells = []
    for name, (_, recipe) in RECIPES.items():
        for argument, value in recipe.items():
            if isinstance(value, str) and re.fullmatch(r":[a-z_]+", value) and (name, argument) not in CHOSEN and _is_id(theirs.get(value[1:])):
                cells += [(name, argument, str(theirs[of])) for of in dict.fromkeys((value[1:], "org", "document", "customer"))]

    def ask(cell: tuple[str, str, str]) -> tuple[Any, Any]:
        name, argument, foreign = cell
        alone = filled(RECIPES[name][1], own) | {other: None for group in EITHER.get(name, []) if argument in group for other in group}
        return tuple(_told(there.rpc(by_recipe(there, name), name, alone | {argument: id_}), id_) for id_ in (foreign, str(uuid4())))  # type: ignore[return-value]

    found = side_by_side(ask, cells)
    assert {cell: pair for cell, pair in zip(cells, found, strict=True) if pair[0] != pair[1]} == {}
    assert len(cells) > 500 and sum(pair[0][0] in (403, 404) for pair in found) > 400


def _is_id(value: Any) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(value)))


def _told(answer: Answer, asked: str) -> tuple[int, dict[str, str], str]:
    """Everything but what differs from request to request by nature; ids and times made on the way as words of the same length."""
    body = answer.body.decode().replace(asked or "\0", "ASKED")
    if answer.status >= 400:
        body = json.dumps({k: v for k, v in json.loads(body).items() if k != "request_id"})
    body = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "MADE", body)
    body = re.sub(r"\brf[a-z]_[\w-]{20,}|\b[0-9a-f]{64}\b", "SECRET", body)
    body = re.sub(r"20\d\d-\d\d-\d\d[ T][0-9:.]+", "TIME", body)
    varies = _VARIES | ({"content-length"} if "TIME" in body else set())  # a time may end in a zero that is not written
    return answer.status, {k: v for k, v in answer.headers.items() if k not in varies}, body


def test_hostile_values_get_no_foreign_word_and_no_internal_error_over_http_F09(there: WorldEdge, own: dict[str, Any]) -> None:
    cells = [(name, argument, number) for name, (_, recipe) in RECIPES.items() for argument in recipe for number in range(len(WRONG))]
    foreign = canaries(there.world)

    def ask(cell: tuple[str, str, int]) -> str:
        name, argument, number = cell
        answer = there.rpc(by_recipe(there, name), name, filled(RECIPES[name][1], own) | {argument: WRONG[number]})
        if answer.status not in (200, 400, 401, 403, 404, 409, 413, 429):
            return f"{answer.status} {answer.body[:200]!r}"
        return " ".join(c for c in foreign if c in answer.body.decode())

    assert {cell: wrong for cell, wrong in zip(cells, side_by_side(ask, cells), strict=True) if wrong} == {}


def test_an_answer_that_depends_on_the_other_organization_is_told_apart_over_http_R49(there: WorldEdge, own: dict[str, Any]) -> None:
    """A negative control: with the orders of all open to all, the comparison of the test above sees it."""
    def pair() -> list[Any]:
        answers = [there.rpc(by_recipe(there, "get_order"), "get_order", {"org_id": org, "number": "ORD-2000"}) for org in (str(there.world.globex.id), str(uuid4()))]
        return [_told(answer, "") for answer in answers]

    with there.world.operator(keep=True) as db:
        floor = db.one("select pg_get_expr(polqual, polrelid) from pg_policy where polname = 'customer_order_floor'")
        db.run("alter policy customer_order_floor on app.customer_order using (true)")
        db.run("create policy planted on app.customer_order for select to authenticated using (true)")
    try:
        broken = pair()
    finally:
        with there.world.operator(keep=True) as db:
            db.run("drop policy planted on app.customer_order")
            db.run(f"alter policy customer_order_floor on app.customer_order using ({floor})")
    sound = pair()
    assert broken[0] != broken[1] and there.world.globex.canary in broken[0][2]
    assert sound[0] == sound[1] and sound[0][0] == 404
