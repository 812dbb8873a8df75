"""What a recipe is: a call of one function of schema api that works for its caller, argument by argument.

`:name` stands for an id of the caller's own organization: its `org`, one of its people by role, or a name in `Organization.ids`.
"""

from __future__ import annotations

from typing import Any

Recipe = tuple[str, dict[str, Any]]
"""Who calls it (a key of `Organization.people`, or `guest`), and with what."""


def embedding(direction: int) -> list[float]:
    """A unit vector of 384 numbers along one axis."""
    return [1.0 if i == direction else 0.0 for i in range(384)]


HOSTILE: list[Any] = [
    None, "", " ", "*", "%", "null", "'; drop table app.bot; --", "\\", "a" * 3000, "ä" * 5000, "a & b | !c", "\u202e\u0001", "../..", "{}", "[]",
    0, -1, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**400, 1.5, float("nan"), float("inf"), True,
    [], {}, [None], [[]], ["*"], [{}], {"a": None}, [1, [2, [3]]], {"query": {"$ne": None}}, [{"embedding": []}], [{"position": "x"}],
    "00000000-0000-0000-0000-000000000000", "{00000000-0000-4000-8000-000000000001}",
]
