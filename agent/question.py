"""What is asked, and what comes back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from agent.providers.base import TextDelta


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which bot."""

    bot: str
    """`org-slug/bot-slug`, or the two ids."""
    text: str
    conversation_id: str | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """The database has opened the run; before this nothing is recorded and nothing was sent to a provider."""

    run_id: str
    conversation_id: str
    escaped_html: bool = False
    """The answer quotes what others wrote with `<` of tags as `&lt;`: whoever shows it as plain text may turn that back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a run ended well."""

    run_id: str
    conversation_id: str
    text: str
    citations: list[dict[str, Any]]
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool of the bot is about to be called, with arguments that were checked."""

    name: str
    arguments: str
    """JSON of one object."""


@dataclass(frozen=True, slots=True)
class ToolReturned:
    """What came of it: `ok`, `denied` and so on."""

    name: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Spent:
    """A call of the model took so many tokens, sent and received."""

    tokens: int


Event = Started | TextDelta | ToolCalled | ToolReturned | Spent
Emit = Callable[[Event], Awaitable[None]]
"""Is told what happens while it happens; the text deltas joined are the answer's text."""
