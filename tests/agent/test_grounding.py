"""Whether a passage holds what an answer says: by its words, figures exactly."""

import pytest

from agent.providers.grounding import is_grounded, says_nothing_new

PASSAGE = """Uvicorn currently supports HTTP/1.1, HTTP/2 and WebSockets. As of 0.18 the preferred way is `uvloop.run()`; passing a
password longer than 72 bytes raises a ValueError. Run it with `--reload`, or -n auto. Encodings: gzip, brotli, zstd."""


@pytest.mark.parametrize("answer", [
    "It supports HTTP/1.1, HTTP/2 and WebSockets.", "Use uvloop.run().", "A ValueError is raised.", "It raises a ValueError for more than 72 bytes.",
    "--reload", "-n auto", "The encoding is zstd.", "Yes.", "No, it is not.", "", "WEBSOCKETS", "uvicorn’s reload",
])
def test_words_of_the_passage_are_held(answer: str) -> None:
    assert is_grounded(answer, "", PASSAGE)


@pytest.mark.parametrize("answer", [
    "It supports HTTP/3.", "More than 73 bytes.", "Since 0.19.", "The capital of France is Paris.", "A TypeError is raised by Gunicorn.",
    "It was written by Ada Lovelace in London.", "7", "HTTP/1.0",
])
def test_words_that_are_not_there_are_refused(answer: str) -> None:
    assert not is_grounded(answer, "", PASSAGE)


def test_the_questions_own_words_need_not_stand_in_the_passage() -> None:
    question = "Which exception does the hashing of a password of 80 letters raise?"
    assert is_grounded("Hashing a password of 80 letters raises ValueError.", question, PASSAGE)
    assert not is_grounded("Hashing a password of 80 letters raises KeyError.", question, PASSAGE)


@pytest.mark.parametrize(("answer", "nothing"), [
    ("Yes.", True), ("No, it is not.", True), ("The password", True), ("A ValueError.", False), ("72", False), ("", True),
])
def test_an_answer_without_a_word_of_its_own_is_told(answer: str, nothing: bool) -> None:
    assert says_nothing_new(answer, "Does it take any password?") is nothing
