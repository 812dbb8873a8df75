"""Names are found where they were meant (R5): a caller who may make temporary objects cannot put one in the way of ours.

Nobody who runs requests may make them (R6); here the right is given, to see that a second wall stands behind the first.
"""

from __future__ import annotations

import json
import re
from typing import Any

import psycopg

from tests.db.session import Request
from tests.db.world import World, embedding

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ][0-9:.+]+|datetime\.datetime\([^)]*\)+")
# Catalogs and types that bodies name without a schema, because pg_catalog is pinned first.
PLAIN_TABLES = ("pg_proc", "pg_namespace", "pg_description", "pg_type")
PLAIN_TYPES = ("uuid", "text", "jsonb", "tsquery", "timestamptz", "vector", "regnamespace", "bool", "int4")


def calls(world: World) -> dict[str, dict[str, Any]]:
    """Return for every function of api a call by acme's owner that succeeds."""
    acme, ids = world.acme, world.acme.ids
    org = {"org_id": acme.id}
    return {
        "add_chunks": org | {"document_id": ids["loading"], "chunks": [
            {"position": 7, "content": "x", "start_char": 0, "end_char": 1, "embedding": embedding(3)}]},
        "add_member": org | {"user_id": world.nobody.user_id, "role": "member"},
        "begin_document": org | {"knowledge_base_id": ids["knowledge_base"], "title": "t", "uri": "u", "sha256": "0" * 64},
        "bind_bot": org | {"bot_id": ids["hidden_bot"], "tool": "get_order"},
        "call_tool": {"run_id": ids["own_run"], "tool": "search_documents", "arguments": {"query": "passage delivery"},
                      "query_embedding": json.dumps(embedding(1))},
        "change_member": org | {"user_id": acme.people["member"].user_id, "role": "builder"},
        "create_bot": org | {"slug": "shadow", "name": "Shadow"},
        "create_knowledge_base": org | {"slug": "shadow", "name": "Shadow"},
        "create_organization": {"slug": "shadow", "name": "Shadow"},
        "create_ticket": org | {"subject": "s", "body": "b", "order_number": "ORD-1000"},
        "finish_document": org | {"document_id": ids["loading"]},
        "finish_run": {"run_id": ids["own_run"], "outcome": "succeeded", "answer": "done"},
        "get_order": org | {"number": "ORD-2000"},
        "list_bots": {},
        "list_conversations": org,
        "list_documents": org | {"knowledge_base_id": ids["knowledge_base"]},
        "list_knowledge_bases": org,
        "list_members": org,
        "list_messages": org | {"conversation_id": ids["own_conversation"]},
        "list_run_steps": org | {"run_id": ids["run"]},
        "my_orders": org,
        "place_order": org | {"order_number": "ORD-3000", "total_cents": 1, "currency": "EUR"},
        "record_step": {"run_id": ids["own_run"], "model": "m", "provider": "p", "input_tokens": 1, "output_tokens": 1, "duration_ms": 1},
        "remove_member": org | {"user_id": acme.people["auditor"].user_id},
        "search_documents": org | {"query": "passage delivery", "query_embedding": json.dumps(embedding(2))},
        "share_bot": org | {"bot_id": ids["hidden_bot"]},
        "start_run": {"bot": "acme/helpdesk", "question": "what?"},
        "tool_catalog": {},
        "whoami": {},
    }


def prepare(world: World) -> None:
    """Begin a run and a document of acme's owner, for the calls that go on with one."""
    with world.as_(world.acme.people["owner"], keep=True) as db:
        run = db.rpc("start_run", bot="acme/helpdesk", question="first?")
        world.acme.ids |= {"own_run": run["run_id"], "own_conversation": run["conversation_id"]}
        world.acme.ids["loading"] = db.rpc(
            "begin_document", org_id=world.acme.id, knowledge_base_id=world.acme.ids["knowledge_base"], title="l", uri="l", sha256="1" * 64)["document_id"]
        db.rpc("add_chunks", org_id=world.acme.id, document_id=world.acme.ids["loading"], chunks=[
            {"position": 0, "content": "x", "start_char": 0, "end_char": 1, "embedding": embedding(3)}])


def shadows(world: World) -> list[str]:
    """Return DDL for a temporary object of every private name: tables as empty tables, functions and types of the same name."""
    with world.operator() as db:
        tables = [t for (t,) in db.all("select relname from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') order by 1")]
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
    """Call each function in a transaction of its own that begins with the DDL; ids and times made on the way are blanked."""
    known = {str(v) for v in world.acme.ids.values()} | {str(world.acme.id), *(str(p.user_id) for p in world.acme.people.values())}
    made: dict[str, str] = {}
    for name in names:
        with world.as_(world.acme.people["owner"]) as db:
            for statement in ddl:
                db.connection.execute(statement.encode())
            made[name] = TIME.sub("<time>", UUID.sub(lambda found: found[0] if found[0] in known else "<new>", _answer(db, name, calls(world).get(name, {}))))
    return made


def _answer(db: Request, name: str, arguments: dict[str, Any]) -> str:
    try:
        return repr(db.rpc(name, **arguments))
    except psycopg.Error as error:
        return f"{error.sqlstate} {error}"


def test_temporary_objects_of_our_names_change_no_answer_R5(own_world: World) -> None:
    world = own_world
    prepare(world)
    with world.operator(keep=True) as db:
        db.connection.execute("do $$ begin execute format('grant temporary on database %I to authenticated', current_database()); end $$")
        # What this test finds: a function that leaves its names to the caller's path.
        db.connection.execute(
            "create function api.careless() returns bigint language sql stable set search_path = app, public as 'select count(*) from chunk';"
            "grant execute on function api.careless() to authenticated")
        names = [name for (name,) in db.all("select proname from pg_proc where pronamespace = 'api'::regnamespace order by 1")]
    assert set(names) - {"careless"} == set(calls(world))
    ddl = shadows(world)
    assert len(ddl) > 60
    plain, shadowed = answers(world, [], names), answers(world, ddl, names)
    failed = {name: answer for name, answer in plain.items() if re.match(r"[0-9A-Z]{5} ", answer)}
    assert failed == {}
    assert {name for name in names if plain[name] != shadowed[name]} == {"careless"}
    assert (plain["careless"] != "0", shadowed["careless"]) == (True, "0")
