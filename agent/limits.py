"""What one run may use, in one place, and the count of what it has used (R102)."""

from collections import Counter
from dataclasses import dataclass, field

from agent.errors import OutOfTokens, RepeatedCall, TooManyModelCalls, TooManyToolCalls

ANSWER_TOKENS = 8_192
"""What one model call may write, as far as a budget of the organization is reserved for it; settled to what it wrote."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings of one run."""

    model_calls: int = 8
    """Calls of the model."""
    tool_calls: int = 16
    """Calls of tools, all together."""
    repeated_calls: int = 2
    """How often the very same call (tool and arguments) may be made."""
    total_tokens: int = 60_000
    """Input and output of all model calls together; checked before each call, with what it would send, and after it."""
    history_tokens: int = 6_000
    """How much of a conversation's earlier turns a model sees: each of its calls sends them again."""
    answer_characters: int = 50_000
    """Of what a model writes, and of the answer."""
    answers_at_once: int = 4
    """Answers made for one person at a time; further questions wait for their turn."""
    wall_s: float = 120.0
    """Seconds from the first byte to the last, the client's own slowness included."""
    result_characters: int = 24_000
    """How much of one tool result a model sees."""


@dataclass(slots=True)
class Budget:
    """Counts one run against its limits; every method raises a LimitExceeded when the ceiling is passed."""

    limits: Limits
    model_calls: int = 0
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    _seen: Counter[str] = field(default_factory=Counter)

    @property
    def tokens_left(self) -> int:
        return self.limits.total_tokens - self.input_tokens - self.output_tokens

    def spend_model_call(self, about_to_send: int = 0) -> None:
        """`about_to_send`: tokens of the request, or anything above them."""
        if self.model_calls >= self.limits.model_calls:
            raise TooManyModelCalls
        if about_to_send > self.tokens_left:
            raise OutOfTokens
        self.model_calls += 1

    def spend_tokens(self, input_tokens: int, output_tokens: int) -> None:
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens
        if self.tokens_left < 0:
            raise OutOfTokens

    def spend_tool_call(self, fingerprint: str) -> None:
        """`fingerprint`: the tool and its canonical arguments."""
        if self.tool_calls >= self.limits.tool_calls:
            raise TooManyToolCalls
        if self._seen[fingerprint] >= self.limits.repeated_calls:
            raise RepeatedCall
        self.tool_calls += 1
        self._seen[fingerprint] += 1
