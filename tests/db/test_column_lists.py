"""What the columns of an uploaded table may be: SQL is made of them, so each rule of the list is tried alone (F55)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.db.world import World

COLUMN = {"name": "a", "type": "bigint"}
LISTS: dict[str, tuple[Any, bool]] = {
    "one": ([COLUMN], True), "one with a meaning": ([COLUMN | {"meaning": "x" * 500}], True), "two": ([COLUMN, COLUMN | {"name": "b"}], True),
    "two hundred": ([COLUMN | {"name": f"a{n}"} for n in range(200)], True), "two hundred and one": ([COLUMN | {"name": f"a{n}"} for n in range(201)], False),
    "none": ([], False), "an object": (COLUMN, False), "a word": ("a", False), "a list of words": (["a"], False), "a list of numbers": ([1], False), "a list of lists": ([["name"]], False),
    "a meaning that is a number": ([COLUMN | {"meaning": 5}], False), "a meaning that is an object": ([COLUMN | {"meaning": {}}], False),
    "a meaning that is too long": ([COLUMN | {"meaning": "x" * 501}], False), "one more key": ([COLUMN | {"more": "x"}], False), "one name twice": ([COLUMN, COLUMN], False),
    "no name": ([{"type": "bigint"}], False), "a name to quote": ([COLUMN | {"name": "A b"}], False), "no type": ([{"name": "a"}], False), "another type": ([COLUMN | {"type": "regclass"}], False),
}


@pytest.mark.parametrize("what", LISTS)
def test_a_list_of_columns_is_one_that_sql_can_be_made_of_F55(world: World, what: str) -> None:
    columns, may = LISTS[what]
    with world.as_(world.acme.people["owner"]) as db:
        assert db.one("select authz.are_columns(c) from (select %s::text::jsonb offset 0) t (c)", json.dumps(columns)) is may
        given = {"org_id": world.acme.id, "source": "shop", "name": "planted", "columns": Jsonb(columns)}
        if may:
            assert db.rpc("create_uploaded_table", **given)["table_id"]
        else:
            assert db.rpc_error("create_uploaded_table", **given).sqlstate == "22023"
