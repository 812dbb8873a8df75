"""The retrieval evaluation counts what it says: ranks, recall, and rows that are not the asker's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bench.retrieval_quality import _rank, _summary
from tests.eval.questions import Part, Question
from tests.eval.world import Home

QUESTION = Question("How fast?", document="parcels", fact="two days", passage="sent within")


@pytest.fixture
def home() -> Home:
    return Home(Part("north", ("parcels", "refunds"), (), (QUESTION,)), "org", "north/bot", None,  # type: ignore[arg-type]
                {"p": "parcels", "r": "refunds"}, frozenset({"mine"}))


def row(document: str, content: str) -> dict[str, Any]:
    return {"document_id": document, "content": content}


@pytest.mark.parametrize(("rows", "rank"), [
    ([row("p", "They are sent\nwithin two days.")], 1),
    ([row("r", "They are sent within two days."), row("p", "two days"), row("p", "Sent within two days.")], 3),
    ([row("r", "They are sent within two days.")], None),
    ([row("other", "They are sent within two days.")], None),
    ([], None),
])
def test_the_rank_is_that_of_the_first_passage_of_the_right_document_that_answers(
        home: Home, rows: list[dict[str, Any]], rank: int | None) -> None:
    assert _rank(home, QUESTION, rows) == rank


def test_recall_mean_reciprocal_rank_and_p95_are_over_all_questions_F25() -> None:
    assert _summary([1, 2, 7, None], [0.1, 0.2, 0.3, 0.4]) == pytest.approx(
        {"recall@1": 0.25, "recall@5": 0.5, "recall@10": 0.75, "mrr": (1 + 1 / 2 + 1 / 7) / 4, "median_ms": 250.0, "p95_ms": 400.0})


@pytest.mark.parametrize(("shown", "own"), [
    (row("p", ""), True), (row("x", ""), False),
    ({"id": "mine", "order_number": "NOR-1"}, True), ({"id": "of somebody else", "order_number": "NOR-1"}, False),
    ({"id": "ticket", "subject": "just written"}, True),
])
def test_a_row_that_is_not_the_askers_is_told_apart(home: Home, shown: dict[str, Any], own: bool) -> None:
    assert home.may_show(shown) is own
