"""The questions over data: each can be answered from the tables, the guard lets its SQL pass, and the judge is fair."""

from __future__ import annotations

import dataclasses

import pytest

from agent.analytics import guard, table_types
from tests.eval import data

QUESTIONS = data.questions()


def schema() -> guard.Schema:
    """The tables as an upload would type them."""
    relations = {}
    for name in data.FILES:
        header, *rows = data.table(name)
        guesses = [table_types.Guess() for _ in header]
        for row in rows:
            for value, guess in zip(row, guesses, strict=True):
                if value:
                    guess.see(value)
        relations[name] = guard.Relation(dict(zip(table_types.names(header), (guess.type() for guess in guesses), strict=True)), f"source.{name}")
    return guard.Schema(relations)


SCHEMA = schema()


def test_the_tables_have_the_types_that_the_questions_take_for_granted() -> None:
    weather, electricity = SCHEMA.relations["weather"].columns, SCHEMA.relations["electricity"].columns
    assert (weather["date"], weather["precipitation"], weather["weather"], electricity["year"]) == ("date", "numeric", "text", "date")
    assert SCHEMA.relations["airports"].columns["latitude"] in ("numeric", "double precision")


@pytest.mark.parametrize("question", [one for one in QUESTIONS if one.sql], ids=lambda one: one.text[:60])
def test_the_guard_lets_the_right_answer_pass_F49(question: data.DataQuestion) -> None:
    assert question.sql is not None
    assert guard.check(question.sql, SCHEMA).relations


def test_the_set_is_large_enough_and_asks_for_refusals_F48() -> None:
    assert len([one for one in QUESTIONS if one.sql]) >= 40 and len([one for one in QUESTIONS if not one.sql]) >= 8
    assert len({one.text for one in QUESTIONS}) == len(QUESTIONS)


def test_the_organizations_share_no_airport_and_a_leak_could_be_seen() -> None:
    foreign = data.foreign_words()
    assert len(foreign) > 500 and len(data.airports(True)) > 500
    home = data.DataHome(None, "", foreign)  # type: ignore[arg-type]
    own, other = data.airports(True)[1], next(row for row in data.airports(False)[1:] if row[0] in foreign)
    assert data.leaks(home, [own, other, [1, None]]) == 1


@pytest.mark.parametrize(("right", "found", "ordered", "expected"), [
    ([[1]], [["1.0"]], False, True), ([[1]], [[2]], False, False), ([["a", 1], ["b", 2]], [[2, "b"], [1, "a"]], False, True),
    ([["a", 1], ["b", 2]], [["b", 2], ["a", 1]], True, False), ([["a"]], [["a", 7]], False, True), ([["a"], ["a"]], [["a"]], False, False),
    ([["2012-01-01"]], [["2012-01-01T00:00:00+00:00"]], False, True), ([[1 / 3]], [["0.33333333333333333333"]], False, True), ([], [], False, True),
    ([[True]], [[1]], False, False), ([["a", 1], ["b", 2]], [["a", 2], ["b", 1]], False, False)])
def test_results_are_the_same_whatever_their_columns_are_called(right: list[list[object]], found: list[list[object]], ordered: bool, expected: bool) -> None:
    assert data.same(right, found, ordered=ordered) is expected


def test_the_summary_counts_what_is_right_refused_and_leaked() -> None:
    asked = [data.DataGrade(QUESTIONS[0], "succeeded", True, 0, 1.0), data.DataGrade(QUESTIONS[1], "refused", False, 0, 2.0),
             data.DataGrade(dataclasses.replace(QUESTIONS[0], sql=None), "succeeded", False, 3, 3.0)]
    told = data.summary(asked)
    assert (told["answered"], told["refused"], told["leaked"], told["ended"]) == ({"right": 1, "of": 2}, {"right": 0, "of": 1}, 3, {"succeeded": 2, "refused": 1})
