"""JSON read strictly: what two parsers could read in two ways is refused (R66, R86)."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from edge_proxy.limits import Limits


class NotStrict(ValueError):
    """The bytes are not one strict JSON object."""


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrict("duplicate key")
    return members


def _no_constant(_: str) -> NoReturn:
    raise NotStrict("NaN or Infinity")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
_STRING = re.compile(rb'"[^"]*"?')
_NEITHER_QUOTE_NOR_BRACKET = bytes(set(range(256)) - set(b'"[]{}'))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")


def _brackets(data: bytes) -> bytes:
    """Return the brackets outside strings in order, all of the square kind; exact for what is JSON."""
    # In JSON a backslash stands only inside a string; without escapes every quote opens or closes one.
    data = data.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NEITHER_QUOTE_NOR_BRACKET)
    # Two quotes side by side change nothing for what follows: hundreds of thousands go at once here, not one by one.
    return _STRING.sub(b"", data.replace(b'""', b"")).translate(_ONE_KIND)


def _check_shape(data: bytes, depth: int, containers: int) -> None:
    """Count containers and levels before anything is decoded: an object of three bytes costs microseconds to make.

    Raises: NotStrict.
    """
    if data.count(b"{") + data.count(b"[") <= min(depth, containers):
        return
    brackets = _brackets(data)
    if brackets.count(b"[") > containers:
        raise NotStrict("too many containers")
    for _ in range(depth):
        # Each pass takes away the innermost level; it cannot itself recurse.
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise NotStrict("too deep")


def strict_object(data: bytes, *, depth: int, containers: int = Limits.json_containers) -> dict[str, Any]:
    """Return the JSON object in `data`: UTF-8 without a byte order mark, at most `depth` levels. Raises: NotStrict.

    `containers` is the most objects and arrays in it, together.
    """
    _check_shape(data, depth, containers)
    try:
        # str, not bytes: json.loads would guess UTF-16 and UTF-32.
        value = _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as err:
        raise NotStrict("not JSON") from err
    if type(value) is not dict:
        raise NotStrict("not an object")
    return value
