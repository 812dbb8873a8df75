"""JSON read strictly: what two parsers could read in two ways is refused (R66, R86)."""

from __future__ import annotations

import json
from typing import Any, NoReturn


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


def _too_deep(value: Any, depth: int) -> bool:
    """Return whether containers nest deeper than `depth`; level by level, so that it cannot itself recurse."""
    level = [value]
    for _ in range(depth):
        inner: list[Any] = []
        for item in level:
            inner.extend(x for x in (item.values() if type(item) is dict else item) if type(x) in (dict, list))
        if not inner:
            return False
        level = inner
    return True


def strict_object(data: bytes, *, depth: int) -> dict[str, Any]:
    """Return the JSON object in `data`: UTF-8 without a byte order mark, at most `depth` levels. Raises: NotStrict."""
    try:
        # str, not bytes: json.loads would guess UTF-16 and UTF-32.
        value = _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as err:
        raise NotStrict("not JSON") from err
    if type(value) is not dict:
        raise NotStrict("not an object")
    # Fewer brackets than levels cannot nest too deep: the usual body skips the walk.
    if data.count(b"{") + data.count(b"[") > depth and _too_deep(value, depth):
        raise NotStrict("too deep")
    return value
