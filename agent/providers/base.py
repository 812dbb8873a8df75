"""What the loop and a provider say to each other."""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agent.catalog import Tool
from agent.citations import Passage

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A provider asks for a tool; `arguments` is JSON text as the model wrote it, not checked yet."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool call came to."""

    tool: str
    outcome: str
    """ok, denied, not_found, invalid, conflict, failed or needs_approval."""
    message: str
    rows: Sequence[Row] = ()
    passages: Sequence[Passage] = ()
    """The rows as numbered passages, when they are passages of documents."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the talk with a provider."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: Sequence[ToolCall] = ()
    tool_call_id: str = ""
    result: ToolResult | None = None
    """For role tool: the same as `content`, before it was rendered and fenced for a model."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One model call."""

    messages: Sequence[Message]
    tools: Sequence[Tool]

    def text(self) -> str:
        """Return everything a model would read, to be counted; how it is framed is the endpoint's affair."""
        said = [message.content for message in self.messages]
        called = [call.name + call.arguments for message in self.messages for call in message.tool_calls]
        offered = [f"{tool.name} {tool.description} {json.dumps(tool.parameters)}" for tool in self.tools]
        return "\n".join([*said, *called, *offered])


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The end of one model call; every call ends with exactly one."""

    tool_calls: Sequence[ToolCall] = field(default=())
    input_tokens: int | None = None
    """None: the provider did not say."""
    output_tokens: int | None = None


class Provider(Protocol):
    """Something that answers; it never sees a token, a person or an organization's id."""

    name: str
    """As the operator registered it with the database; `offline` for what this process does itself."""
    model: str

    def answer(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Done, None]:
        """Yield the pieces of the answer, then Done. Raises: ModelError."""

    async def close(self) -> None:
        """Let go of connections."""
