"""Names are found where they were meant (R5): a caller who may make temporary objects cannot put one in the way of ours.

Nobody who runs requests may make them (R6); here the right is given, to see that a second wall stands behind the first.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg

from tests.db.calling import arguments, caller
from tests.db.registry import OWNER_ALONE, RECIPES
from tests.db.session import Request, request, second_factor
from tests.db.world import World

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SECRET = re.compile(r"\brf[a-z]_[\w-]{43}")
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ][0-9:.+]+|datetime\.datetime\([^)]*\)+")
# Catalogs and types that bodies name without a schema, because pg_catalog is pinned first.
PLAIN_TABLES = ("pg_proc", "pg_namespace", "pg_description", "pg_type")
PLAIN_TYPES = ("uuid", "text", "jsonb", "tsquery", "timestamptz", "vector", "regnamespace", "bool", "int4")


def shadows(world: World) -> list[str]:
    """Return DDL for a temporary object of every private name: tables as empty tables, functions and types of the same name."""
    with world.operator() as db:
        tables = [t for (t,) in db.all("select relname from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') order by 1") if f"app.{t}" not in OWNER_ALONE]
        functions = db.all(
            "select p.proname, pg_get_function_identity_arguments(p.oid) from pg_proc p"
            " where p.pronamespace::regnamespace::text in ('api', 'authz') and p.prorettype <> 'trigger'::regtype order by 1")
    return [
        *(f"create temp table {table} (like app.{table})" for table in tables),
        *(f"create temp table {table} (like pg_catalog.{table})" for table in PLAIN_TABLES),
        *(f"create domain pg_temp.{name} as pg_catalog.money" for name in PLAIN_TYPES),
        *(f"create function pg_temp.{name}({arguments}) returns pg_catalog.int4 language sql as 'select 1 / 0'" for name, arguments in functions),
        "create function pg_temp.now() returns pg_catalog.timestamptz language sql as $$select pg_catalog.timestamptz 'epoch'$$",
        "create function pg_temp.char_length(pg_catalog.text) returns pg_catalog.int4 language sql as 'select 0'",
    ]


def answers(world: World, ddl: list[str], names: list[str]) -> dict[str, str]:
    """Call each function in a transaction of its own, in one session that has made the objects; ids, secrets and times made on the way are blanked."""
    known = {str(v) for v in world.acme.ids.values()} | {str(world.acme.id), *(str(p.user_id) for p in world.acme.people.values())}
    made = {}
    with psycopg.connect(world.authenticator_url) as connection:
        connection.execute("set role authenticated")
        connection.execute("; ".join(["select 1", *ddl]).encode())
        connection.execute("reset role")
        connection.commit()
        for name in names:
            person = caller(world, name) if name in RECIPES else world.acme.people["owner"]
            with request(world.authenticator_url, person.claims(**second_factor()), connection=connection) as db:
                answer = _answer(db, name, arguments(db, world, name) if name in RECIPES else {})
            answer = SECRET.sub("<secret>", answer)
            made[name] = TIME.sub("<time>", UUID.sub(lambda found: found[0] if found[0] in known else "<new>", answer))
    return made


def _answer(db: Request, name: str, given: dict[str, Any]) -> str:
    try:
        return repr(db.rpc(name, **given))
    except psycopg.Error as error:
        return f"{error.sqlstate} {error}"


def test_temporary_objects_of_our_names_change_no_answer_R5(own_world: World) -> None:
    world = own_world
    with world.operator(keep=True) as db:
        db.connection.execute("do $$ begin execute format('grant temporary on database %I to authenticated', current_database()); end $$")
        # What this test finds: a function that leaves its names to the caller's path.
        db.connection.execute(
            "create function api.careless() returns bigint language sql stable set search_path = app, public as 'select count(*) from chunk';"
            "grant execute on function api.careless() to authenticated")
        names = [name for (name,) in db.all("select proname from pg_proc where pronamespace = 'api'::regnamespace order by 1")]
    assert set(names) - {"careless"} == set(RECIPES)
    ddl = shadows(world)
    assert len(ddl) > 60
    plain, shadowed = answers(world, [], names), answers(world, ddl, names)
    failed = {name: answer for name, answer in plain.items() if re.match(r"[0-9A-Z]{5} ", answer)}
    assert failed == {}
    assert {name for name in names if plain[name] != shadowed[name]} == {"careless"}
    assert (plain["careless"] != "0", shadowed["careless"]) == (True, "0")
