"""A description of a data source holds what is of that source in its organization, one condition at a time, where the policies say nothing (F48, F55).

The policies of the definers' owner show every source, table, metric, meaning and example; beside those of the source stand others that differ
from them in one thing: the organization, the source, the relation or the column.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.session import Request
from tests.db.world import World

DESCRIBED = ("data_source", "column_meaning", "uploaded_table", "metric", "accepted_query")


@pytest.fixture
def seeing(world: World) -> Iterator[Request]:
    """A session for which the definers see what any source of any organization holds; no column of ours has a meaning yet."""
    with planted(world, *(f"create policy opened on app.{t} for select to ringfence_owner using (true)" for t in DESCRIBED),
                 REPLICA, "delete from app.column_meaning", "update app.data_source set relations = '{orders,tickets}'") as db:
        yield db


def described(db: Request, world: World, org_id: UUID, source_id: UUID) -> Any:
    """What the owner of acme is told; afterwards the superuser plants again."""
    become(db, world.acme.people["owner"])
    told = db.one("select authz.describe_source(%s, %s)", org_id, source_id)
    db.run("select set_config('role', 'none', true)")
    return told


OTHERS = {"of globex, under the same id": ("globex", "data_source"), "of another source": ("acme", "books_source")}
ROWS = {
    "figure": "insert into app.metric (org_id, data_source_id, name, version, description, sql, created_by) values ({of}, 'planted', 1, 'Planted', 'select 1', {by})",
    "newer figure": "insert into app.metric (org_id, data_source_id, name, version, description, sql, created_by) values ({of}, 'order_count', 99, 'Planted', 'select 1', {by})",
    "example": "insert into app.accepted_query (org_id, data_source_id, question, sql, created_by) values ({of}, 'Planted?', 'select 1', {by})",
    "uploaded table": "insert into app.uploaded_table (org_id, data_source_id, name, columns, state, created_by)"
                      " values ({of}, 'planted', '[{{\"name\": \"a\", \"type\": \"bigint\"}}]', 'ready', {by})",
    "meaning of a relation": "insert into app.column_meaning (org_id, data_source_id, relation, column_name, meaning) values ({of}, 'orders', 'status', 'Planted')",
    "meaning of a table": "insert into app.column_meaning (org_id, data_source_id, relation, column_name, meaning) values ({of}, 'targets', 'word', 'Planted')",
}


@pytest.mark.parametrize("what", ROWS)
def test_a_source_is_described_by_what_is_of_it_in_its_organization_F55(world: World, seeing: Request, what: str) -> None:
    acme, by = world.acme, f"'{world.acme.people['owner'].user_id}'"
    before = described(seeing, world, acme.id, acme.ids["data_source"])
    assert [r["name"] for r in before["relations"]] == ["orders", "tickets", "loading", "targets"] and "Planted" not in str(before)
    for other, (organization, source) in OTHERS.items():
        seeing.run(ROWS[what].format(of=f"'{getattr(world, organization).id}', '{acme.ids[source]}'", by=by))
        assert described(seeing, world, acme.id, acme.ids["data_source"]) == before, other
    seeing.run(ROWS[what].format(of=f"'{acme.id}', '{acme.ids['data_source']}'", by=by))
    assert "planted" in str(described(seeing, world, acme.id, acme.ids["data_source"])).lower()


@pytest.mark.parametrize(("relation", "column"), [("orders", "status"), ("targets", "word")])
def test_a_meaning_is_of_one_column_of_one_relation_F55(world: World, seeing: Request, relation: str, column: str) -> None:
    acme = world.acme
    mean = "insert into app.column_meaning (org_id, data_source_id, relation, column_name, meaning) values (%s, %s, %s, %s, 'Planted')"
    for place in ((relation, "another"), ("another", column), (relation, column)):
        seeing.run(mean, acme.id, acme.ids["data_source"], *place)
        told = described(seeing, world, acme.id, acme.ids["data_source"])
        meant = {(r["name"], c["name"]) for r in told["relations"] for c in r["columns"] if c["meaning"] == "Planted"}
        assert meant == ({place} if place == (relation, column) else set())


def test_the_relations_described_are_the_views_for_sources_that_the_source_has_F55(world: World, seeing: Request) -> None:
    """Not those of its name elsewhere, not a table beside them, and no view that the source does not have."""
    acme = world.acme
    seeing.run("alter table app.data_source drop constraint data_source_relations_check")
    seeing.run("update app.data_source set relations = '{orders,planted}'")
    before = described(seeing, world, acme.id, acme.ids["data_source"])
    assert [r["name"] for r in before["relations"]] == ["orders", "loading", "targets"]
    for statement in ("create table source.planted (a integer)", "create view public.planted as select 1 as a", "create view public.orders as select 1 as a", "create view source.planted_too as select 1 as a"):
        seeing.run(statement)
        assert described(seeing, world, acme.id, acme.ids["data_source"]) == before, statement
    seeing.run("drop table source.planted")
    seeing.run("create view source.planted as select 1 as a")
    after = described(seeing, world, acme.id, acme.ids["data_source"])
    assert [r["name"] for r in after["relations"]] == ["orders", "planted", "loading", "targets"]
    assert [c["name"] for c in after["relations"][1]["columns"]] == ["a"]


def test_a_source_is_described_in_its_own_organization_alone_F55(world: World, seeing: Request) -> None:
    source = world.globex.ids["data_source"]
    assert described(seeing, world, world.acme.id, source) is None
    assert described(seeing, world, world.globex.id, source)["id"] == str(source)


def test_a_name_that_two_sources_have_names_neither_R51(world: World) -> None:
    """Who makes a source is not told of one they do not see, so two may have one name: whoever sees both uses the id."""
    org, books = world.acme.id, world.acme.ids["books_source"]
    with planted(world, f"update app.data_source set slug = 'shop' where id = '{books}'") as db:
        for who, sees, code in (("analyst", 2, "PT409"), ("customer", 1, None)):
            become(db, world.acme.people[who])
            assert db.one("select count(*) from app.data_source where slug = 'shop'") == sees
            if code:
                assert db.rpc_error("describe_data_source", org_id=org, source="shop").sqlstate == code
                assert db.rpc("describe_data_source", org_id=org, source=str(books))["id"] == str(books)
            else:
                assert db.rpc("describe_data_source", org_id=org, source="shop")["id"] == str(world.acme.ids["data_source"])
