"""A text that a regular expression of a check matches: `^[a-z0-9-]{3,40}$`, `^rf_[0-9a-f]{8}$`."""

from __future__ import annotations

import random
import re
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

LONGEST = 60
_POOL = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-. @/:+#"


def matching(pattern: str) -> str | None:
    """Return a random text the pattern matches, or None where it is too much for us. PostgreSQL's and Python's expressions are alike enough."""
    try:
        tree = parser.parse(pattern)
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return None
    for _ in range(4):
        made = _sequence(tree)
        if compiled.search(made):
            return made
    return None


def _sequence(tree: Any) -> str:
    return "".join(_one(operator, argument) for operator, argument in tree)


def _one(operator: Any, argument: Any) -> str:
    if operator is sre.LITERAL:
        return chr(argument)
    if operator is sre.ANY:
        return random.choice("abcdef0123456789")
    if operator is sre.NOT_LITERAL:
        return next(c for c in _POOL if c != chr(argument))
    if operator is sre.IN:
        return random.choice(_class(argument) or ["a"])
    if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT, getattr(sre, "POSSESSIVE_REPEAT", None)):
        low, high, inner = argument
        # Long enough to be told apart, never longer than allowed.
        times = min(high, max(low, 12 if high > 12 else low if low else min(high, 1)), LONGEST) if high > low else low
        return "".join(_sequence(inner) for _ in range(int(times)))
    if operator is sre.SUBPATTERN:
        return _sequence(argument[-1])
    if operator is sre.BRANCH:
        return _sequence(argument[1][0])
    return ""


def _class(items: Any) -> list[str]:
    """Return characters of a class, from those that are easy to tell apart first."""
    negated = any(op is sre.NEGATE for op, _ in items)
    chosen = [c for c in _POOL if any(_in(op, value, c) for op, value in items if op is not sre.NEGATE) != negated]
    return [c for c in chosen if c.isalnum()] or chosen


def _in(operator: Any, value: Any, character: str) -> bool:
    if operator is sre.LITERAL:
        return ord(character) == value
    if operator is sre.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    if operator is sre.CATEGORY:
        kinds = {sre.CATEGORY_DIGIT: character.isdigit(), sre.CATEGORY_WORD: character.isalnum() or character == "_", sre.CATEGORY_SPACE: character.isspace(),
                 sre.CATEGORY_NOT_DIGIT: not character.isdigit(), sre.CATEGORY_NOT_WORD: not (character.isalnum() or character == "_"), sre.CATEGORY_NOT_SPACE: not character.isspace()}
        return bool(kinds.get(value, False))
    return False
