"""Any OpenAI-compatible chat endpoint, always streamed, never stored."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from agent.config import Endpoint
from agent.errors import ModelMalformed
from agent.openai_client import READ_S, LazyClient, typed_model_errors
from agent.providers.base import Done, Message, ModelRequest, TextDelta, ToolCall
from agent.providers.structured import Written, json_object
from agent.schema import Schema

_REPLY = "reply"
_CHARACTERS_A_TOKEN = 8


class OpenAICompatible:
    """A language model behind the OpenAI wire format."""

    def __init__(self, endpoint: Endpoint, read_s: float = READ_S) -> None:
        self.name, self.model = endpoint.provider, endpoint.model
        self._client = LazyClient(endpoint, read_s)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def answer(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Done, None]:
        """Yield the text as it arrives, then Done with the tool calls and the usage. Raises: ModelError."""
        client = await self._client.get()
        calls = _CallParts()
        usage = finish = None
        with typed_model_errors():
            async with await client.chat.completions.create(**self._body(request)) as stream:
                async for chunk in stream:
                    usage = chunk.usage or usage
                    for choice in chunk.choices or ():
                        finish = choice.finish_reason or finish
                        calls.add(choice.delta.tool_calls or ())
                        if choice.delta.content:
                            yield TextDelta(choice.delta.content)
        # An endpoint that breaks off must not pass for one that had nothing more to say.
        if finish is None:
            raise ModelMalformed
        yield Done(calls.whole(), usage.prompt_tokens if usage else None, usage.completion_tokens if usage else None)

    async def write(self, messages: Sequence[dict[str, str]], schema: Schema, max_tokens: int) -> Written:
        """Return the object the model wrote, as the arguments of the one call it has to make. Raises: ModelError."""
        client = await self._client.get()
        calls, said, usage, finish = _CallParts(), "", None, None
        body: Any = {
            "model": self.model, "messages": messages, "stream": True, "stream_options": {"include_usage": True}, "store": False,
            "tool_choice": {"type": "function", "function": {"name": _REPLY}},
            "tools": [{"type": "function", "function": {"name": _REPLY, "description": "The reply.", "parameters": schema, "strict": True}}]}
        with typed_model_errors():
            async with await client.chat.completions.create(**body) as stream:
                async for chunk in stream:
                    usage = chunk.usage or usage
                    for choice in chunk.choices or ():
                        finish = choice.finish_reason or finish
                        calls.add(choice.delta.tool_calls or ())
                        said += choice.delta.content or ""
                        # Counted here: of the two names for this limit each endpoint knows another one.
                        if calls.characters + len(said) > max_tokens * _CHARACTERS_A_TOKEN:
                            raise ModelMalformed
        made = calls.whole()
        if finish is None or len(made) > 1:
            raise ModelMalformed
        # Endpoints that know no forced call write the object as their answer.
        value = json_object(made[0].arguments if made else said)
        return Written(value, usage.prompt_tokens if usage else None, usage.completion_tokens if usage else None)

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model, "messages": [_wire(message) for message in request.messages],
            "stream": True, "stream_options": {"include_usage": True}, "store": False}
        if request.tools:
            body["tools"] = [{"type": "function", "function": {
                "name": tool.name, "description": tool.description, "parameters": tool.parameters}}
                for tool in request.tools]
        return body


def _wire(message: Message) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        wire["tool_calls"] = [{"id": call.id, "type": "function", "function": {
            "name": call.name, "arguments": call.arguments}} for call in message.tool_calls]
    if message.tool_call_id:
        wire["tool_call_id"] = message.tool_call_id
    return wire


class _CallParts:
    """Tool calls arrive in pieces, told apart by their index."""

    def __init__(self) -> None:
        self._parts: dict[int, tuple[str, str, str]] = {}
        self.characters = 0

    def add(self, deltas: Any) -> None:
        for delta in deltas:
            call_id, name, arguments = self._parts.get(delta.index, ("", "", ""))
            function = delta.function
            self.characters += len((function and function.arguments) or "")
            self._parts[delta.index] = (
                delta.id or call_id,
                (function and function.name) or name,
                arguments + ((function and function.arguments) or ""))

    def whole(self) -> list[ToolCall]:
        """Return the calls in order. Raises: ModelMalformed for one without an id or a name."""
        calls = [ToolCall(*parts) for _, parts in sorted(self._parts.items())]
        if not all(call.id and call.name for call in calls) or len({call.id for call in calls}) != len(calls):
            raise ModelMalformed
        return calls
