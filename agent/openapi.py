"""The OpenAPI 3.1 document of everything that can be called: the edge's routes, and every function as the database describes it.

Types and required arguments come from the catalog, prose and bounds from the comments, so the document cannot fall behind the database.
"""

import re
from collections.abc import Iterable
from typing import Any

from agent.catalog import Comment, parse_comment
from agent.errors import database_error
from agent.openapi_routes import COMPONENTS, ROUTES, TAGS

Document = dict[str, Any]
"""A decoded OpenAPI document, or a part of one."""

_TYPES: dict[str, Document] = {
    "text": {"type": "string"}, "character varying": {"type": "string"}, "uuid": {"type": "string", "format": "uuid"},
    "boolean": {"type": "boolean"}, "smallint": {"type": "integer", "minimum": -(2**15), "maximum": 2**15 - 1},
    "integer": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}, "bigint": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "real": {"type": "number"}, "double precision": {"type": "number"}, "numeric": {"type": "number"},
    "timestamp with time zone": {"type": "string", "format": "date-time"}, "date": {"type": "string", "format": "date"},
    "jsonb": {"type": ["object", "array", "string", "number", "boolean", "null"]},
    "extensions.vector": {"type": "string", "pattern": r"^\[.*\]$"}, "vector": {"type": "string", "pattern": r"^\[.*\]$"},
}
_CHARACTERS = re.compile(r"\b(\d+)\.\.(\d+) characters\b")
_ITEMS = re.compile(r"\b(\d+)\.\.(\d+) items\b")
_RANGE = re.compile(r"(?<![\d.-])(-?\d+)\.\.(-?\d+)\b")



def document(functions: Iterable[dict[str, Any]], url: str) -> Document:
    """Return the document for the functions of `api.tool_catalog()` at an edge reached at `url`. Raises: Misconfigured for a comment out of grammar."""
    paths: Document = {path: dict(operations) for path, operations in ROUTES.items()}
    for row in sorted(functions, key=lambda row: row["name"]):
        paths[f"/rest/v1/rpc/{row['name']}"] = {"post": _operation(row)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ringfence", "version": "1", "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Every call reaches the database as the person whose access token it carries; row-level security decides."},
        "servers": [{"url": url or "/"}],
        "security": [{"access_token": []}],
        "tags": TAGS, "paths": paths, "components": COMPONENTS,
    }


def _operation(row: dict[str, Any]) -> Document:
    comment = parse_comment(row["comment"] or "")
    properties = {argument["name"]: _argument(argument, comment) for argument in row["arguments"]}
    body: Document = {"type": "object", "properties": properties, "additionalProperties": False}
    required = [argument["name"] for argument in row["arguments"] if argument["required"]]
    if required:
        body["required"] = required
    effect = comment.tags.get("effect", "read")
    return {
        "operationId": row["name"], "tags": ["functions"], "summary": comment.summary,
        "description": f"Effect: {effect}." + (" Offered to bots as a tool." if comment.tags.get("audience") == "bot" else ""),
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": _responses(comment),
    }


def _argument(argument: dict[str, Any], comment: Comment) -> Document:
    prose = comment.params.get(argument["name"]) or comment.context.get(argument["name"]) or ""
    schema = _bounded(argument["type"], prose)
    if not argument["required"] and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    return schema | ({"description": prose} if prose else {})


def _bounded(pg_type: str, prose: str) -> Document:
    """Return the schema of a type, narrowed by what the prose says."""
    if pg_type.endswith("[]"):
        schema: Document = {"type": "array", "items": _bounded(pg_type.removesuffix("[]"), prose)}
        if bounds := _ITEMS.search(prose):
            schema |= {"minItems": int(bounds[1]), "maxItems": int(bounds[2])}
        return schema
    schema = dict(_TYPES.get(pg_type, {}))
    if schema.get("type") == "string" and (bounds := _CHARACTERS.search(prose)):
        schema |= {"minLength": int(bounds[1]), "maxLength": int(bounds[2])}
    elif schema.get("type") == "integer" and (bounds := _RANGE.search(prose)):
        schema |= {"minimum": int(bounds[1]), "maximum": int(bounds[2])}
    return schema


def _responses(comment: Comment) -> Document:
    said = comment.tags.get("returns") or "null"
    responses: Document = {
        "200": {"description": said, "content": {"application/json": {"schema": {}}}},
        # A function that returns nothing.
        "204": {"description": "done"},
    }
    statuses = {str(database_error(code.strip(), "").status) for code in comment.tags.get("errors", "").split(",") if code.strip()}
    # The edge may refuse any call with these, whatever the function says.
    for status in sorted(statuses | {"400", "401", "403", "404", "413", "415", "429", "502", "503", "504"}):
        responses[status] = {"$ref": "#/components/responses/Refused"}
    return responses
