"""The bounds that comments state are the bounds that hold (R24): one more or one fewer is refused, the bounds themselves are not."""

from __future__ import annotations

from typing import Any

import psycopg

from agent.catalog import parse_comment
from tests.db.calling import arguments, caller
from tests.db.catalog.test_comments import BOUNDED
from tests.db.registry import EITHER
from tests.db.session import second_factor
from tests.db.world import World

REFUSED = ("22023", "23514")
# Made of anything else, these would be refused for their form and not for their length.
FORMED = {"slug": "a", "sha256": "0", "token_sha256": "0"}
# Held to a form that says more than a length; of it only "too long" and "too short" are tried.
PATTERNED = ("place_order.order_number", "create_api_token.prefix", "create_invitation.email", "begin_document.media_type", "add_file_part.content", "export_audit_events.since",
             "set_data_policy.region")


def stated(world: World) -> dict[tuple[str, str], tuple[str, int, int]]:
    """Return (function, argument) -> (type, least, most) for every argument whose comment states bounds."""
    found = {}
    with world.as_(world.acme.people["owner"]) as db:
        for row in db.rpc("tool_catalog"):
            params = parse_comment(row["comment"]).params
            for argument in row["arguments"]:
                bounds = BOUNDED.search(params.get(argument["name"], ""))
                if bounds and argument["type"] in ("text", "integer", "bigint"):
                    found[row["name"], argument["name"]] = (argument["type"], int(bounds[1]), int(bounds[2]))
    return found


def test_the_bounds_in_comments_are_those_that_hold_R24(own_world: World) -> None:
    world = own_world
    bounds = stated(world)
    assert len(bounds) >= 25
    wrong = []
    for (name, argument), (kind, least, most) in bounds.items():
        def outcome(size: int) -> str:
            value: Any = FORMED.get(argument, "x") * size if kind == "text" else size
            with world.as_(caller(world, name), **second_factor()) as db:
                alone = {other: None for group in EITHER.get(name, []) if argument in group for other in group}
                given = arguments(db, world, name) | alone | {argument: value}
                try:
                    db.rpc(name, **given)
                except psycopg.Error as error:
                    return str(error.sqlstate)
            return "ok"

        # What does not fit the type itself never reaches the function.
        outside = [size for size in (least - 1, most + 1) if (size >= 0 or kind != "text") and size < 2**31]
        wrong += [f"{name}.{argument}: {size} gives {found}" for size in outside if (found := outcome(size)) not in REFUSED]
        if f"{name}.{argument}" not in PATTERNED:
            wrong += [f"{name}.{argument}: {size} is refused" for size in (least, most) if outcome(size) in REFUSED]
    assert wrong == []
