"""Every function of schema api with ids of another organization, with ids that do not exist, and with nonsense (R10, R53, F09, F20, F21).

The sweep tries every id the other organization has in every uuid argument, beside a random one: the two answers must be the same.
"""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.db.calling import caller, filled, made_first, own_ids
from tests.db.matrix import bindings
from tests.db.registry import CHOSEN, EITHER, HOSTILE, RECIPES
from tests.db.session import Request, second_factor
from tests.db.world import World

CASTS = {"extensions.vector", "jsonb", "uuid", "uuid[]", "boolean", "integer", "bigint", "text", "text[]", "timestamp with time zone"}
# They concern the caller alone: somebody without an organization gets the same as anybody.
ABOUT_ONESELF = {"tool_catalog", "whoami", "create_organization", "touch_api_token", "choose_no_organization", "list_providers", "list_personal_data"}
# What a person can be told: invalid, not allowed, not found, conflict, too large. Never XX000, never a bare P0001.
SPEAKABLE = re.compile(r"22...|23502|23505|23514|42501|54000|PT404|PT409|PT429")


@pytest.fixture
def signatures(world: World) -> dict[str, dict[str, str]]:
    """Argument types by name, by function, from the catalog."""
    with world.operator() as db:
        rows = db.all("select p.proname, a.name, format_type(t.type, null) from pg_proc p"
                      " left join lateral unnest(p.proargtypes) with ordinality t (type, n) on true"
                      " left join lateral (select p.proargnames[t.n] as name) a on true where p.pronamespace = 'api'::regnamespace order by p.proname, t.n")
    found: dict[str, dict[str, str]] = {}
    for function, argument, type_ in rows:
        found.setdefault(function, {}).update({argument: type_} if argument else {})
    return found


def call(db: Request, name: str, types: dict[str, str], arguments: dict[str, Any], keep: bool = False) -> tuple[Any, ...]:
    """What the caller sees of a call, undone afterwards unless `keep`: ("ok", row count, text) or (SQLSTATE, message, detail, hint)."""
    assert set(types.values()) <= CASTS
    given = ", ".join(f'"{a}" => %s::{types[a]}' for a in arguments)
    values = [literal(v, types[a]) for a, v in arguments.items()]
    try:
        with db.connection.transaction(force_rollback=not keep):
            cursor = db.connection.execute(f"select r::text from api.{name}({given}) r", values)
            rows = cursor.fetchall()
            return ("ok", len(rows), "\n".join(str(r[0]) for r in rows))
    except psycopg.Error as error:
        return (error.sqlstate, error.diag.message_primary, error.diag.message_detail, error.diag.message_hint)


def literal(value: Any, type_: str) -> Any:
    """What PostgREST would hand to the database for it."""
    if value is None:
        return None
    if type_.endswith("[]"):
        return [None if v is None else str(v) for v in value] if isinstance(value, list) else str(value)
    return json.dumps(value) if type_ == "jsonb" else str(value)


def masked(answer: tuple[Any, ...], *ids: Any) -> tuple[Any, ...]:
    """The answer without the id that was asked for, new ids and times: these differ between any two calls."""
    text = json.dumps(answer, default=str)
    for id_ in ids:
        text = text.replace(str(id_), "ASKED")
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "NEW", text)
    return tuple(json.loads(re.sub(r"20\d\d-\d\d-\d\d[ T][0-9:.+]+", "TIME", text)))


def everything_of(world: World) -> dict[str, UUID]:
    """Every uuid that stands in any row of the other organization, by value once."""
    with world.operator() as db:
        found: dict[str, UUID] = {"organization": world.globex.id}
        columns = db.all("select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid"
                         " where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' and a.atttypid = 'uuid'::regtype and a.attnum > 0"
                         " and (c.relname = 'organization' or exists (select from pg_attribute o where o.attrelid = c.oid and o.attname = 'org_id'))")
        for table, column in columns:
            key = "id" if table == "organization" else "org_id"
            for number, (value,) in enumerate(db.all(f"select distinct {column} from app.{table} where {key} = %s and {column} is not null", world.globex.id)):
                if value not in found.values() and value not in (world.both.user_id, world.both.session_id) and number < 2:
                    found[f"{table}.{column}.{number}"] = value
    return found


def canaries(world: World) -> list[str]:
    return [world.globex.canary, "globex", str(world.globex.id), *(str(v) for v in world.globex.ids.values())]


def assert_no_canary(world: World, answer: tuple[Any, ...], asked: Any = None) -> None:
    text = json.dumps(answer, default=str).replace(str(asked), "ASKED")
    assert [c for c in canaries(world) if c in text] == [], answer


def test_every_function_has_a_recipe_that_names_all_its_arguments(signatures: dict[str, dict[str, str]]) -> None:
    assert {name: set(types) for name, types in signatures.items()} == {name: set(arguments) for name, (_, arguments) in RECIPES.items()}


@pytest.mark.parametrize("name", RECIPES)
def test_the_recipe_works_for_the_caller_so_that_a_refusal_means_something(world: World, signatures: dict[str, dict[str, str]], name: str) -> None:
    _, arguments = RECIPES[name]
    with world.as_(caller(world, name), **second_factor()) as db:
        ids = own_ids(world) | made_first(db, world, name)
        answer = call(db, name, signatures[name], filled(arguments, ids))
        assert answer[0] == "ok", answer
        assert answer[1] > 0 or name in ("list_members", "list_service_accounts")


@pytest.mark.parametrize("name", [n for n, (_, a) in RECIPES.items() if any(isinstance(v, str) and v.startswith(":") for v in a.values())])
def test_an_id_of_another_organization_is_answered_like_one_that_does_not_exist_R53(world: World, signatures: dict[str, dict[str, str]], name: str) -> None:
    _, recipe = RECIPES[name]
    types = signatures[name]
    foreign = everything_of(world)
    assert len(foreign) > 30
    tried = 0
    with world.as_(caller(world, name), **second_factor()) as db:
        ids = own_ids(world) | made_first(db, world, name)
        arguments = filled(recipe, ids)
        for argument in (a for a in recipe if types[a] == "uuid" and (name, a) not in CHOSEN):
            absent = uuid4()
            alone = arguments | {other: None for group in EITHER.get(name, []) if argument in group for other in group}
            expected = masked(call(db, name, types, alone | {argument: absent}), absent)
            assert expected[0] == "ok" or (expected[0] in ("PT404", "42501") and expected[2:] == (None, None)), expected
            for what, value in foreign.items():
                answer = call(db, name, types, alone | {argument: value})
                assert masked(answer, value) == expected, (argument, what)
                assert_no_canary(world, answer, value)
                tried += 1
        if name == "start_run":
            absent = uuid4()
            expected = masked(call(db, name, types, arguments | {"bot": f"{absent}/{absent}"}), absent)
            assert expected[0] == "PT404"
            for bot in ("globex/helpdesk", "globex/hidden", f"{world.globex.id}/{world.globex.ids['bot']}", f"acme/{world.globex.ids['bot']}",
                        f"{world.acme.id}/{world.globex.ids['bot']}", f"{world.globex.id}/helpdesk", "*", "/", "acme/*", "%/%", ""):
                assert masked(call(db, name, types, arguments | {"bot": bot})) == expected, bot
        # All ids of the other organization at once, in the places they belong: a whole foreign call.
        whole = filled(recipe, ids | foreign_names(world))
        random = filled(recipe, {k: uuid4() for k in ids})
        assert masked(call(db, name, types, whole), *whole.values()) == masked(call(db, name, types, random), *random.values())
    assert tried > 30 or "uuid" not in types.values()


def foreign_names(world: World) -> dict[str, Any]:
    with world.operator() as db:
        theirs = bindings(world.globex, db)
    return theirs | {"nobody": theirs["member"], "loaded_document": theirs["loading_document"], "open_hold": theirs["hold"]}


@pytest.mark.parametrize("name", [n for n, (_, a) in RECIPES.items() if a])
def test_hostile_values_get_no_foreign_row_and_no_internal_error_F09(world: World, signatures: dict[str, dict[str, str]], name: str) -> None:
    _, recipe = RECIPES[name]
    types = signatures[name]
    with world.as_(caller(world, name), **second_factor()) as db:
        arguments = filled(recipe, own_ids(world) | made_first(db, world, name))
        for argument in recipe:
            for value in HOSTILE:
                as_it_is = types[argument] == "jsonb" or types[argument].endswith("[]") and isinstance(value, list)
                text = value if as_it_is else json.dumps(value) if isinstance(value, list | dict) else value
                answer = call(db, name, types, arguments | {argument: text})
                if answer[0] != "ok":
                    assert SPEAKABLE.fullmatch(answer[0]), (argument, str(value)[:60], answer)
                assert_no_canary(world, answer)


@pytest.mark.parametrize("name", [n for n, (_, a) in RECIPES.items() if "org_id" in a])
def test_a_missing_organization_is_an_error_and_never_means_all_F20(world: World, signatures: dict[str, dict[str, str]], name: str) -> None:
    _, recipe = RECIPES[name]
    with world.as_(world.both) as db:  # who could mean either
        arguments = filled(recipe, own_ids(world))
        answer = call(db, name, signatures[name], arguments | {"org_id": None})
    assert answer[:2] == ("22004", "name the organization: org_id is required")


@pytest.mark.parametrize("name", RECIPES)
def test_somebody_without_an_organization_gets_nothing_from_any_function_F20(world: World, signatures: dict[str, dict[str, str]], name: str) -> None:
    _, recipe = RECIPES[name]
    with world.as_(world.nobody, **second_factor()) as db:
        for ids in (own_ids(world), foreign_names(world)):
            answer = call(db, name, signatures[name], filled(recipe, ids))
            assert_no_canary(world, answer, world.globex.id)
            assert world.acme.canary not in str(answer)
            if name not in ABOUT_ONESELF:
                assert answer[0] in ("PT404", "42501") or answer[1] == 0, answer


@pytest.mark.parametrize("name", ["search_documents", "my_orders", "get_order", "create_ticket"])
def test_a_tool_called_by_a_bot_answers_foreign_arguments_like_absent_ones_R10(world: World, name: str) -> None:
    """The same through call_tool: nothing a model puts into the arguments chooses another organization, run or person."""
    _, recipe = RECIPES[name]
    own = {a: v for a, v in recipe.items() if v is not None and a not in ("org_id", "run_id", "query_embedding", "idempotency_key")}
    with world.as_(world.acme.people["customer"]) as db:
        # A run of its own: the world's has read what nobody vouches for, and writes nothing without an approval.
        run = db.rpc("start_run", bot="acme/helpdesk", question="Probe?")["run_id"]

        def tool(**arguments: Any) -> dict[str, Any]:
            return dict(db.rpc("call_tool", run_id=run, tool=name, arguments=arguments))

        assert tool(**own)["outcome"] == "ok"
        for context, value in (("org_id", world.globex.id), ("run_id", world.globex.ids["running_run"]), ("user_id", world.globex.people["owner"].user_id),
                               ("idempotency_key", uuid4()), ("query_embedding", "[1]")):
            answers = [tool(**own, **{context: str(given)}) for given in (value, uuid4())]
            assert [(a["outcome"], a["code"], a["message"], a["rows"]) for a in answers] == [
                ("invalid", "22023", "arguments: a name this tool does not have", [])] * 2
        for argument in own:
            for value in HOSTILE:
                answer = tool(**own | {argument: value if value == value and value not in (float("inf"),) else None})
                assert answer["outcome"] in ("ok", "invalid", "not_found"), (argument, str(value)[:60], answer)
                assert_no_canary(world, tuple(answer.items()))


def test_the_sweep_sees_a_function_that_answers_for_another_organization(own_world: World, signatures: dict[str, dict[str, str]]) -> None:
    """A negative control: a function that trusts its argument is caught by the comparison and by the canary."""
    world = own_world
    with world.operator(keep=True) as db:
        db.run("create function api.list_messages_of(org_id uuid) returns setof text language sql security definer as"
               " $$ select content from app.message m where m.org_id = list_messages_of.org_id $$; grant execute on function api.list_messages_of to authenticated")
    with world.as_(world.acme.people["customer"]) as db:
        answer = call(db, "list_messages_of", {"org_id": "uuid"}, {"org_id": world.globex.id})
        assert masked(answer) != masked(call(db, "list_messages_of", {"org_id": "uuid"}, {"org_id": uuid4()}))
        with pytest.raises(AssertionError, match="gazelle"):
            assert_no_canary(world, answer)
