"""The list of what the edge must do (REQUIREMENTS.md, R60 to R96): each of them is proven by a test that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"def test_\w*?_((?:[RF]\d+_?)+)\(")
FEATURES = ("F01", "F04", "F09", "F74", "F76", "F77", "F78")
"""The features of the edge; of F76 the signing keys."""


def proofs() -> dict[str, list[str]]:
    """Return the files with a test of each id."""
    found: dict[str, list[str]] = {}
    for file in sorted(TESTS.rglob("test_*.py")):
        for ids in NAMED.findall(file.read_text()):
            for one in ids.strip("_").split("_"):
                found.setdefault(one, []).append(file.name)
    return found


PROOFS = proofs()


@pytest.mark.parametrize("requirement", [*(f"R{number}" for number in range(60, 97)), *FEATURES])
def test_every_requirement_of_the_edge_is_named_by_a_test(requirement: str) -> None:
    assert PROOFS.get(requirement), f"no test is named for {requirement}"


def test_the_list_knows_when_nothing_proves_an_id() -> None:
    assert "R999" not in PROOFS and len(PROOFS) > 60
