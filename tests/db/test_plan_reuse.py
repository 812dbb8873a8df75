"""One connection serves many people, with plans kept from the one before: each gets exactly what a fresh connection gives (R39)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.db.matrix import become
from tests.db.session import Request, request
from tests.db.world import World, embedding

ALTERNATIONS = 10
PLANS = {
    "table": "select id, content from app.chunk order by id",
    "where": "select id from app.document where org_id = any (array(select id from app.organization)) order by id",
    "cte": "with mine as (select * from app.customer_order) select m.id, (select count(*) from mine) from mine m order by 1",
    "cte materialized": "with seen as materialized (select id, org_id from app.bot) select * from seen order by id",
    "below a sub-select": "select (select count(*) from app.membership), exists (select from app.audit_event), (select min(id::text) from app.role)",
    "join": "select m.id, r.status from app.message m join app.run r on r.id = m.run_id order by m.id",
    "sql function": "select id from api.list_bots()",
    "sql function in a sub-select": "select (select array_agg(b order by b) from authz.runnable_bots() b)",
    "whoami": "select api.whoami() -> 'organizations'",
    "plpgsql": "select m.id, m.content from (select id from app.conversation limit 1) c, lateral api.list_messages((select org_id from app.conversation"
               " where id = c.id), c.id) m",
    "uid": "select authz.uid(), array(select authz.org_ids() order by 1), array(select authz.orgs_with('documents.read') order by 1)",
}
PER_ORGANIZATION = {
    "list_members": "select user_id, role from api.list_members($1) order by 1",
    "list_documents": "select id from api.list_documents($1, $2) order by 1",
    "list_conversations": "select id, title from api.list_conversations($1) order by 1",
    "my_orders": "select id, items from api.my_orders($1)",
    "search_documents": f"select chunk_id, score from api.search_documents($1, 'delivery', '{embedding(1)}')",
}


def answers(db: Request, prepared: bool, world: World) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for number, (name, query) in enumerate(PLANS.items()):
        result[name] = db.all(f"execute plan_{number}" if prepared else query)
    # Everybody asks about both organizations, so the argument does not tell the sessions apart.
    for number, (name, query) in enumerate(PER_ORGANIZATION.items()):
        for organization in (world.acme, world.globex):
            given = [f"'{organization.id}'::uuid", f"'{organization.ids['knowledge_base']}'::uuid"][: 2 if "$2" in query else 1]
            literal = query
            for place, value in enumerate(given, 1):
                literal = literal.replace(f"${place}", value)
            result[f"{name} {organization.slug}"] = db.all(f"execute asked_{number}({', '.join(given)})" if prepared else literal)
    return result


def prepare(connection: psycopg.Connection) -> None:
    for number, query in enumerate(PLANS.values()):
        connection.execute(f"prepare plan_{number} as {query}")
    for number, query in enumerate(PER_ORGANIZATION.values()):
        connection.execute(f"prepare asked_{number}({'uuid, uuid' if '$2' in query else 'uuid'}) as {query}")


@pytest.mark.parametrize("mode", ["force_generic_plan", "auto"])
def test_a_plan_made_for_one_person_serves_the_next_with_their_own_rows_R39(world: World, mode: str) -> None:
    people = {"acme customer": world.acme.people["customer"], "globex customer": world.globex.people["customer"], "owner": world.acme.people["owner"],
              "nobody": world.nobody, "both": world.both}
    alone: dict[str, Any] = {}
    for name, person in people.items():
        with request(world.authenticator_url, person.claims()) as db:
            alone[name] = answers(db, False, world)
    for query in alone["nobody"]:
        assert alone["acme customer"][query] != alone["globex customer"][query], f"{query} tells nobody apart"
    with psycopg.connect(world.authenticator_url, options=f"-c plan_cache_mode={mode}", prepare_threshold=None) as connection:
        with request(world.authenticator_url, people["acme customer"].claims(), connection=connection):
            prepare(connection)
        for turn in range(ALTERNATIONS):
            for name in ("acme customer", "globex customer", *(("owner", "nobody", "both") if turn in (0, 9) else ())):
                with request(world.authenticator_url, people[name].claims(), connection=connection) as db:
                    assert answers(db, True, world) == alone[name], (turn, name)
        counts = connection.execute("select sum(generic_plans), sum(custom_plans) from pg_prepared_statements where name ~ '^(plan|asked)_'").fetchone()
        assert counts is not None and counts[0] > 0
        assert mode == "auto" or counts[1] == 0


def shared_chunks(world: World) -> int:
    return world.rows("chunk", f"visibility = 'organization' and org_id = '{world.acme.id}'")


def test_a_driver_that_prepares_by_itself_gets_each_person_their_own_rows_R39(world: World) -> None:
    query = "select count(*), min(org_id::text), max(org_id::text) from app.chunk where position >= %s"
    with psycopg.connect(world.authenticator_url, prepare_threshold=1) as connection:
        for _ in range(ALTERNATIONS):
            for organization in (world.acme, world.globex):
                with request(world.authenticator_url, organization.people["customer"].claims(), connection=connection) as db:
                    count, first, last = db.all(query, 0)[0]
                    assert (count, first, last) == (shared_chunks(world), str(organization.id), str(organization.id))


def test_a_plan_kept_from_a_role_without_row_security_does_not_serve_a_person_R39(world: World) -> None:
    with world.operator() as db:
        db.run("set local plan_cache_mode = force_generic_plan")
        db.run("prepare everything as select count(*) from (select * from app.chunk) c")
        total = db.one("execute everything")
        become(db, world.acme.people["customer"])
        assert 0 < db.one("execute everything") == shared_chunks(world) < total
        become(db, world.nobody)
        assert db.one("execute everything") == 0
        db.run("reset role")
        assert db.one("execute everything") == total
