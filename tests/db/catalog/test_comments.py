"""Comments of api functions are their schema: each must parse and agree with the catalog (R24)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from agent.catalog import Comment, parse_catalog, parse_comment
from agent.errors import Misconfigured
from tests.conftest import Database

# Bounds a reader finds: 1..200 characters, 1..100. Of text from a fixed list or from another answer the prose says that instead.
BOUNDED = re.compile(r"(\d+)\.\.(\d+)")
NAMED = re.compile(r"^\w+(, \w+)* or \w+$|^name of a|^organization/bot, by slug or by id$|^ISO 4217 code$")
ERRORS = re.compile(r"[0-9A-Z]{5}(, [0-9A-Z]{5})*")
AUDIENCES, EFFECTS = ("app", "bot"), ("read", "write", "destructive")


def problems(row: dict[str, Any]) -> list[str]:
    """Return what is wrong with the comment of one row of api.tool_catalog()."""
    try:
        comment = parse_comment(row["comment"] or "")
    except Misconfigured as err:
        return [err.message]
    return [*_tags(row, comment), *_arguments(row, comment)]


def _tags(row: dict[str, Any], comment: Comment) -> list[str]:
    text, tags = row["comment"], comment.tags
    effect = tags.get("effect")
    wrong = {
        "the summary is not one line and an empty one": not re.match(r"[A-Z][^\n]+[.]\n\n@", text),
        "@audience": tags.get("audience") not in AUDIENCES,
        "@effect": effect not in EFFECTS,
        "@effect and volatility disagree": (effect == "read" and tags.get("changes") != "nothing") != (row["volatility"] == "stable"),
        "@returns": not tags.get("returns"),
        "@errors": "errors" in tags and not ERRORS.fullmatch(tags["errors"]),
    }
    return [name for name, is_wrong in wrong.items() if is_wrong]


def _arguments(row: dict[str, Any], comment: Comment) -> list[str]:
    described = [*comment.params, *comment.context]
    declared = [argument["name"] for argument in row["arguments"]]
    wrong = [f"{name}: described and not declared" for name in described if name not in declared]
    wrong += [f"{name}: described {described.count(name)} times" for name in declared if described.count(name) != 1]
    for argument in row["arguments"]:
        prose = comment.params.get(argument["name"])
        if prose is None or argument["type"] not in ("text", "integer", "bigint") or BOUNDED.search(prose):
            continue
        if argument["type"] != "text" or not NAMED.search(prose):
            wrong.append(f"{argument['name']}: no bounds")
    return wrong


def catalog_rows(database: Database) -> list[dict[str, Any]]:
    with database.connect() as connection:
        connection.execute("set local role authenticated")
        (rows,) = connection.execute("select api.tool_catalog()").fetchone() or ((),)
        return list(rows)


def test_every_function_of_api_says_what_it_is_in_the_grammar_R24(catalog: Database) -> None:
    rows = catalog_rows(catalog)
    with catalog.connect() as connection:
        functions = {name for (name,) in connection.execute("select proname from pg_proc where pronamespace = 'api'::regnamespace")}
    assert {row["name"] for row in rows} == functions
    assert {row["name"]: found for row in rows if (found := problems(row))} == {}


def test_the_agent_takes_the_whole_catalog_R24(catalog: Database) -> None:
    tools = parse_catalog(catalog_rows(catalog))
    assert {"search_documents", "my_orders", "get_order", "create_ticket"} <= set(tools)
    assert all(tool.summary and tool.returns for tool in tools.values())


GOOD = {
    "name": "note", "volatility": "stable", "returns": "jsonb",
    "arguments": [{"name": "org_id", "type": "uuid", "required": True}, {"name": "query", "type": "text", "required": True}],
    "comment": "Search notes.\n\n@audience bot\n@context org_id  the organization\n@param query  words; 1..200 characters\n@returns {id}\n@errors 22023, PT404\n@effect read",
}


def test_a_comment_in_order_has_no_problem() -> None:
    assert problems(GOOD) == []


@pytest.mark.parametrize(("old", "new", "problem"), [
    ("Search notes.\n\n", "", "comment: the summary is missing"),
    ("Search notes.\n\n", "Search notes.\nMore.\n\n", "the summary is not one line and an empty one"),
    ("@audience bot", "@audience model", "@audience"),
    ("@audience bot\n", "", "@audience"),
    ("@effect read", "@effect write", "@effect and volatility disagree"),
    ("\n@effect read", "", "@effect"),
    ("@returns {id}\n", "", "@returns"),
    ("@errors 22023, PT404", "@errors when it fails", "@errors"),
    ("@context org_id  the organization\n", "", "org_id: described 0 times"),
    ("@context org_id", "@param org_id  x\n@context org_id", "org_id: described 2 times"),
    ("@param query", "@param q  1..2\n@param query", "q: described and not declared"),
    ("1..200 characters", "short", "query: no bounds"),
    ("1..200 characters", "this or that, or more", "query: no bounds"),
    ("@effect read", "@efect read", "comment: unknown tag @efect"),
    # Changes nothing but its own record: then it has to be volatile.
    ("@effect read", "@effect read\n@changes nothing", "@effect and volatility disagree"),
])
def test_a_comment_out_of_order_is_seen_R24(old: str, new: str, problem: str) -> None:
    assert old in GOOD["comment"]
    assert problem in problems(GOOD | {"comment": GOOD["comment"].replace(old, new)})  # type: ignore[attr-defined]
