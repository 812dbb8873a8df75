"""Argument schemas of tools: made from PostgreSQL types and the bounds in the prose, linted, and enforced."""

import re
import uuid
from datetime import datetime
from typing import Any

from agent.errors import BadArguments, Misconfigured

Schema = dict[str, Any]
"""The JSON schema of one argument or of an argument object."""

_CHARACTERS = re.compile(r"\b(\d+)\.\.(\d+) characters\b")
_ITEMS = re.compile(r"\b(\d+)\.\.(\d+) items\b")
_RANGE = re.compile(r"(?<![\d.-])(-?\d+)\.\.(-?\d+)\b")

# R99: what a model must never be able to name. The database decides the tenant and the person.
_FORBIDDEN_NAME = re.compile(
    r"(^|_)(sql|statement|url|uri|href|link|host|endpoint|table|relation|column|schema|role|grant|org|organization|"
    r"tenant|user|owner|member|token|password|secret)(s|_id|_ids|_name|_names|_email)?($|_)")
_FORBIDDEN_PROSE = re.compile(r"\b(sql|urls?|table name|role name|user id|organization id)\b", re.IGNORECASE)


def argument_schema(name: str, pg_type: str, prose: str) -> Schema:
    """Return the JSON schema of one argument. Raises: Misconfigured for a type or prose without bounds."""
    schema: Schema = {"description": prose}
    if pg_type.endswith("[]"):
        bounds = _ITEMS.search(prose)
        if bounds is None:
            raise Misconfigured(f"argument {name}: the comment must say how many, like 1..10 items")
        item = argument_schema(name, pg_type.removesuffix("[]"), prose)
        del item["description"]
        return schema | {"type": "array", "items": item, "minItems": int(bounds[1]), "maxItems": int(bounds[2])}
    if pg_type in ("text", "character varying"):
        bounds = _CHARACTERS.search(prose)
        if bounds is None:
            raise Misconfigured(f"argument {name}: the comment must say how many characters, like 1..200 characters")
        return schema | {"type": "string", "minLength": int(bounds[1]), "maxLength": int(bounds[2])}
    if pg_type in ("integer", "bigint", "smallint"):
        bounds = _RANGE.search(prose)
        if bounds is None:
            raise Misconfigured(f"argument {name}: the comment must say the range, like 1..100")
        return schema | {"type": "integer", "minimum": int(bounds[1]), "maximum": int(bounds[2])}
    if pg_type == "uuid":
        return schema | {"type": "string", "format": "uuid"}
    if pg_type == "timestamp with time zone":
        return schema | {"type": "string", "format": "date-time"}
    if pg_type == "boolean":
        return schema | {"type": "boolean"}
    raise Misconfigured(f"argument {name}: type {pg_type} cannot be offered to a model")


def lint_argument(name: str, prose: str) -> None:
    """Check that a model may be offered this argument (R99). Raises: Misconfigured."""
    if _FORBIDDEN_NAME.search(name) or _FORBIDDEN_PROSE.search(prose):
        raise Misconfigured(f"argument {name}: a tool must not take SQL, a URL, a table, a role, a tenant or a person")


def validate(schema: Schema, arguments: Any) -> dict[str, Any]:
    """Return `arguments` in the schema's order, without the optional ones that are null.

    Raises: BadArguments, saying which argument and what it must be (never its value).
    """
    if not isinstance(arguments, dict):
        raise BadArguments("The arguments must be one JSON object.")
    properties: dict[str, Schema] = schema["properties"]
    for name in arguments:
        if name not in properties:
            raise BadArguments(f"Unknown argument. Known are: {', '.join(properties) or 'none'}.")
    given: dict[str, Any] = {}
    for name, rule in properties.items():
        value = arguments.get(name)
        if value is not None:
            given[name] = _checked(name, rule, value)
        elif name in schema["required"]:
            raise BadArguments(f"{name}: is required.")
    return given


def _checked(name: str, rule: Schema, value: Any) -> Any:
    kind = rule["type"]
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "integer" and isinstance(value, int) and not isinstance(value, bool):
        if rule["minimum"] <= value <= rule["maximum"]:
            return value
        raise BadArguments(f"{name}: must be {rule['minimum']} to {rule['maximum']}.")
    if kind == "array" and isinstance(value, list):
        if not rule["minItems"] <= len(value) <= rule["maxItems"]:
            raise BadArguments(f"{name}: must have {rule['minItems']} to {rule['maxItems']} items.")
        return [_checked(name, rule["items"], item) for item in value]
    if kind == "string" and isinstance(value, str):
        return _STRINGS.get(rule.get("format", ""), _text)(name, rule, value)
    raise BadArguments(f"{name}: must be of type {kind}.")


def _uuid(name: str, rule: Schema, value: str) -> str:
    try:
        parsed = str(uuid.UUID(value))
    except ValueError as err:
        raise BadArguments(f"{name}: must be a UUID.") from err
    # uuid.UUID also takes braces, urn: and bare hexadecimal digits; one spelling is enough.
    if parsed != value.lower():
        raise BadArguments(f"{name}: must be a UUID.")
    return parsed


def _text(name: str, rule: Schema, value: str) -> str:
    if not rule["minLength"] <= len(value) <= rule["maxLength"]:
        raise BadArguments(f"{name}: must have {rule['minLength']} to {rule['maxLength']} characters.")
    if not storable(value):
        raise BadArguments(f"{name}: must be valid text.")
    return value


def _time(name: str, rule: Schema, value: str) -> str:
    """Return the time as it was given. PostgreSQL would also take `yesterday`, which nobody can check afterwards."""
    try:
        datetime.fromisoformat(value)
    except ValueError as err:
        raise BadArguments(f"{name}: must be a date or a time, like 2026-01-31 or 2026-01-31T09:00:00Z.") from err
    return value


_STRINGS = {"uuid": _uuid, "date-time": _time}


def storable(text: str) -> bool:
    """Return whether PostgreSQL can hold the text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
