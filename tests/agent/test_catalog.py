"""Tools come from the database's own description of its functions, or not at all."""

from typing import Any

import pytest

from agent.catalog import parse_catalog, parse_comment, parse_tool
from agent.errors import BadArguments, Misconfigured
from tests.agent.fake_postgrest import CATALOG, CREATE_TICKET, Row, function

TOOLS = parse_catalog(CATALOG)


def tool_row(prose: str, pg_type: str = "text", name: str = "thing", effect: str = "read") -> Row:
    volatility = "stable" if effect == "read" else "volatile"
    return function("do_it", f"Do it.\n\n@audience bot\n@param {name}  {prose}\n@effect {effect}", volatility,
                    f"{name} {pg_type}")


def test_a_comment_is_read_by_its_grammar() -> None:
    comment = parse_comment(
        "Search the notes\nof the tenant.\n\n@param query     free text;\n                 1..200 characters\n"
        "@context org_id  the organization\n\n@returns  rows\n@errors  22023, 42501\n@effect  read\n@audience bot")
    assert comment.summary == "Search the notes of the tenant."
    assert comment.params == {"query": "free text; 1..200 characters"}
    assert comment.context == {"org_id": "the organization"}
    assert comment.tags == {"returns": "rows", "errors": "22023, 42501", "effect": "read", "audience": "bot"}


@pytest.mark.parametrize("text", [
    "", "@effect read", "Do.\n@surprise x", "Do.\n@param", "Do.\n@param 1x  y", "Do.\n@effect read\n@effect write",
    "Do.\n@param a  x\n@param a  y"])
def test_a_comment_outside_the_grammar_is_an_error(text: str) -> None:
    with pytest.raises(Misconfigured):
        parse_comment(text)


def test_a_tool_has_types_from_the_catalog_and_bounds_from_the_prose_F40() -> None:
    assert TOOLS.keys() == {"search_documents", "my_orders", "get_order", "create_ticket"}, "app functions are no tools"
    assert TOOLS["search_documents"].parameters == {
        "type": "object", "additionalProperties": False, "required": ["query"], "properties": {
            "query": {"type": "string", "minLength": 1, "maxLength": 2000,
                      "description": "the question in plain words; 1..2000 characters"},
            "max_rows": {"type": "integer", "minimum": 1, "maximum": 50, "description": "number of passages; 1..50"}}}
    assert TOOLS["search_documents"].needs_embedding and not TOOLS["my_orders"].needs_embedding
    assert TOOLS["create_ticket"].idempotent and not TOOLS["get_order"].idempotent
    assert TOOLS["create_ticket"].effect == "write"
    tool = parse_tool(tool_row("which one", "uuid"))
    assert tool is not None and tool.parameters["properties"]["thing"]["format"] == "uuid"


FORBIDDEN_NAMES = ["sql", "where_sql", "url", "callback_url", "table_name", "schema", "role", "role_id", "user_id", "for_user",
                   "org_id", "tenant", "owner_id", "member_email", "token"]


@pytest.mark.parametrize(("name", "prose"), [
    *[(name, "1..9 characters") for name in FORBIDDEN_NAMES], ("filter", "an SQL condition; 1..9 characters"),
    ("target", "the URL to call; 1..9 characters"), ("target", "the user id; 1..9 characters")])
def test_no_tool_takes_sql_a_url_a_table_a_role_or_a_person_R99(name: str, prose: str) -> None:
    with pytest.raises(Misconfigured, match="must not take"):
        parse_tool(tool_row(prose, name=name))
    assert parse_tool(tool_row("any; 1..9 characters", name="subject")) is not None


@pytest.mark.parametrize(("prose", "pg_type"), [
    ("no bounds", "text"), ("1..9", "text"), ("no bounds", "integer"), ("1..9 characters", "jsonb"), ("x", "regclass"),
    ("1..9 characters", "name"), ("1..9 characters", "text[]"), ("1..9", "numeric")])
def test_an_argument_without_bounds_or_of_an_open_type_is_an_error_R99(prose: str, pg_type: str) -> None:
    with pytest.raises(Misconfigured):
        parse_tool(tool_row(prose, pg_type))


@pytest.mark.parametrize("change", [
    {"volatility": "volatile"},
    {"comment": "Do it.\n\n@audience bot\n@param thing  1..9 characters\n@effect read\n@changes nothing"},
    {"comment": "Do it.\n\n@audience bot\n@param thing  1..9 characters"},
    {"comment": "Do it.\n\n@audience bot\n@param thing  1..9 characters\n@effect maybe"},
    {"comment": "Do it.\n\n@audience bot\n@effect read"},
    {"comment": "Do it.\n\n@audience bot\n@param thing  1..9 characters\n@param more  1..9 characters\n@effect read"},
    {"comment": "Do it.\n\n@audience bot\n@param thing  1..9 characters\n@context thing  x\n@effect read"},
    {"name": "Do It"}])
def test_a_tool_that_contradicts_itself_is_an_error(change: Row) -> None:
    good = tool_row("1..9 characters")
    assert parse_tool(good) is not None
    with pytest.raises(Misconfigured):
        parse_tool(good | change)


def test_two_functions_of_one_name_are_an_error() -> None:
    with pytest.raises(Misconfigured, match="twice"):
        parse_catalog([*CATALOG, CATALOG[0]])


def test_a_context_argument_is_never_offered_R99() -> None:
    for tool in TOOLS.values():
        assert not tool.context & tool.parameters["properties"].keys()
        assert "org_id" in tool.context
    moved = CREATE_TICKET.replace("@context org_id", "@param org_id")
    row = next(row for row in CATALOG if row["name"] == "create_ticket") | {"comment": moved}
    with pytest.raises(Misconfigured):
        parse_tool(row)


UUID = "0c0f3b0e-8a5c-4d57-9d26-0c64b1a4f1aa"


@pytest.mark.parametrize(("pg_type", "prose", "good", "bad"), [
    ("text", "1..3 characters", ["a", "äöü", "😀😀😀"], ["", "abcd", "a\x00", "\ud800", 1, True, ["a"], {"a": 1}]),
    ("integer", "-2..3", [-2, 0, 3], [-3, 4, 1.0, "1", True, [1]]),
    ("uuid", "which", [UUID], ["", "x", UUID.replace("-", ""), f"{{{UUID}}}", f"urn:uuid:{UUID}", 7]),
    ("boolean", "whether", [True, False], [0, 1, "true", []])])
def test_a_value_is_taken_only_when_it_fits_exactly_F40(pg_type: str, prose: str, good: list[Any], bad: list[Any]) -> None:
    tool = parse_tool(tool_row(prose, pg_type))
    assert tool is not None
    for value in good:
        assert tool.validated({"thing": value}) == {"thing": value}
    for value in [*bad, None]:
        with pytest.raises(BadArguments) as raised:
            tool.validated({"thing": value})
        assert "thing" in raised.value.message
    refused: tuple[Any, ...] = ({}, {"thing": good[0], "more": 1}, {"Thing": good[0]}, [], "x", None)
    for arguments in refused:
        with pytest.raises(BadArguments):
            tool.validated(arguments)
