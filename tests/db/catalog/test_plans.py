"""How policies are executed (R21): each call once a statement, then an index. Shapes of plans only; no clock is read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.db.catalog.breaking import broken, org, tables, tenant_tables
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Request, request
from tests.db.world import World

ORGANIZATIONS, CHUNKS = 500, 110_000
CONDITIONS = ("Filter", "Index Cond", "Recheck Cond", "Join Filter", "Hash Cond", "Merge Cond", "One-Time Filter")
CALL = re.compile(r"\b(?:auth|authz)\.\w+\(")


def plan(db: Request, statement: str) -> dict[str, Any]:
    return dict(db.one(f"explain (verbose, format json) {statement}")[0]["Plan"])


def nodes(node: dict[str, Any], once: bool = False) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield every node, and whether it runs once a statement: whether it is, or is in, an InitPlan."""
    once = once or node.get("Parent Relationship") == "InitPlan"
    yield node, once
    for child in node.get("Plans", []):
        yield from nodes(child, once)


def calls_for_every_row(root: dict[str, Any]) -> list[str]:
    """Return the conditions outside InitPlans that call an identity function."""
    return [f"{node['Node Type']}: {node[c]}" for node, once in nodes(root) if not once for c in CONDITIONS if c in node and CALL.search(node[c])]


def scans(root: dict[str, Any], table: str) -> list[dict[str, Any]]:
    """Return the scans of the table that the statement itself asks for."""
    return [n for n, once in nodes(root) if not once and n.get("Relation Name") == table]


def index_conditions(root: dict[str, Any]) -> str:
    return " ".join(n["Index Cond"] for n, once in nodes(root) if not once and "Index Cond" in n)


def test_no_policy_calls_an_identity_function_for_every_row_R21(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        for table in tables(world):
            root = plan(db, f"select * from app.{table}")
            assert calls_for_every_row(root) == [], table
            # None was left out either: the calls are there, in InitPlans.
            assert [n for n, once in nodes(root) if once and CALL.search(json.dumps(n))], table
        for statement in ("update app.document set title = title", "delete from app.document", "delete from app.membership"):
            assert calls_for_every_row(plan(db, statement)) == [], statement


@pytest.mark.parametrize("condition", ["user_id = authz.uid()", "org_id in (select o.id from app.organization o where o.created_by = authz.uid())"])
def test_a_policy_that_calls_for_every_row_is_seen_R21(world: World, condition: str) -> None:
    """The second hides the call where the eye takes it for wrapped."""
    with broken(world, [f"create policy planted on app.run for select to authenticated using ({condition})"], world.acme.people["member"]) as db:
        assert calls_for_every_row(plan(db, "select * from app.run")) != []


def test_the_floor_of_every_table_can_use_an_index_R21(world: World) -> None:
    with world.as_(world.acme.people["member"]) as db:
        db.run("set local enable_seqscan = off")  # the tables are small: the question is whether an index fits, not whether it pays
        for table in tenant_tables(world):
            assert re.search(rf"\b{org(table)} = ANY \(", index_conditions(plan(db, f"select * from app.{table}"))), table


def fill(db: Request) -> None:
    """Add organizations and chunks as an operator who loads a copy: without firing triggers, foreign keys' included."""
    # Minutes of building an index that no statement here asks for.
    db.run("drop index app.chunk_embedding_idx")
    db.run(REPLICA)
    db.run("insert into app.organization (slug, name, created_by) select 'volume-' || i, 'Volume', gen_random_uuid() from generate_series(1, %s) i", ORGANIZATIONS)
    db.run(
        "with org as (select id, row_number() over () - 1 as place from app.organization where slug like 'volume-%%')"
        " insert into app.chunk (org_id, document_id, knowledge_base_id, visibility, owner_id, position, content, start_char, end_char, embedding)"
        " select org.id, org.id, org.id, 'organization', org.id, i, 'passage', 0, 1, vector from generate_series(1, %s) i"
        " join org on org.place = i %% %s cross join (select array_fill(0.05, array[384])::extensions.vector as vector) v", CHUNKS, ORGANIZATIONS)
    db.run("analyze app.chunk")
    db.run(ORIGIN)


def test_among_a_hundred_thousand_chunks_a_member_is_answered_by_an_index_R21(own_world: World) -> None:
    """In a world of its own: what is rolled back stays on disk for a while, and would slow its neighbours."""
    world = own_world
    person = world.acme.people["member"]
    with world.operator() as db:
        fill(db)
        assert db.one("select count(*) from app.chunk") > 100_000
        assert db.one("select count(distinct org_id) from app.chunk") > 50
        db.run("set local session authorization authenticator")
        with request(world.superuser_url, person.claims(), connection=db.connection) as member:
            statement = "select id, content from app.chunk"
            root = plan(member, statement)
            (scan,) = scans(root, "chunk")
            assert scan["Node Type"] in ("Index Scan", "Index Only Scan", "Bitmap Heap Scan")
            assert "org_id = ANY (" in index_conditions(root)
            # One InitPlan for each distinct call, nothing called for a row, and no join added by a policy.
            assert calls_for_every_row(root) == []
            assert [n["Node Type"] for n, once in nodes(root) if not once and "Join" in n["Node Type"] or n["Node Type"] == "SubPlan"] == []
            (executed,) = member.one(f"explain (analyze, timing off, summary off, format json) {statement}")
            initplans = [n for n, _ in nodes(executed["Plan"]) if n.get("Parent Relationship") == "InitPlan"]
            assert len(initplans) >= 2 and all(n["Actual Loops"] <= 1 for n in initplans)
            visible = member.one("select count(*) from app.chunk")
            assert visible == executed["Plan"]["Actual Rows"]
            # Of 110,000 chunks only the organization's own were looked at.
            (looked_at,) = scans(executed["Plan"], "chunk")
            assert looked_at["Actual Rows"] + looked_at.get("Rows Removed by Filter", 0) + looked_at.get("Rows Removed by Index Recheck", 0) < 100
    assert world.rows("chunk", f"org_id = '{world.acme.id}'") > visible > 0
