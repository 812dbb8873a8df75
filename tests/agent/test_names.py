"""A question about something that no passage names is not answered from passages about something else."""

from typing import Any

import pytest

from agent.providers.names import unmentioned
from agent.providers.offline_answer import NOTHING, compose
from agent.providers.base import ToolResult
from agent.citations import Citations
from tests.agent.fake_postgrest import passage


@pytest.mark.parametrize(("question", "text", "names"), [
    ("Since which version is truststore the default?", "A trustworthy collection of certificates.", {"truststore"}),
    ("Since which version is truststore the default?", "Truststore is the default since 24.2.", set()),
    ("What does the tokeniser do?", "It compares tokenisers.", set()),
    ("Which licences are there?", "MIT license", set()),
    ("Which RFC does h11 implement?", "h2 implements an RFC.", {"h11"}),
    ("Where is ORD-1042?", "Order ORD-1043 is there.", {"1042"}),
    ("How do I spread my tests over all processors?", "Use all CPUs.", set()),
    ("What is a one-time password?", "A password.", set()),
    ("", "", set()),
])
def test_a_name_is_what_the_vocabulary_does_not_hold_and_is_compared_by_its_letters(question: str, text: str, names: set[str]) -> None:
    assert unmentioned(question, [text]) == names


def found(*rows: dict[str, Any]) -> ToolResult:
    return ToolResult("search_documents", "ok", "", rows, Citations().add(rows))


def test_passages_that_do_not_mention_what_is_asked_about_are_not_quoted() -> None:
    certificates = passage(1, "A collection of certificates for verifying hosts.")
    question = "Since which version is truststore the default for verifying certificates?"
    assert compose(question, found(certificates)) == NOTHING
    assert "[2]" in compose(question, found(certificates, passage(2, "Since 24.2.", title="truststore: description")))


def test_a_name_that_stands_only_in_a_passage_far_from_the_question_does_not_count() -> None:
    rows = passage(1, "A collection of certificates."), passage(2, "truststore", similarity=0.1)
    assert compose("What is truststore?", found(*rows)) == NOTHING
