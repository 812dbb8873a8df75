"""One model call with pseudonyms in place of personal data, and its answer with the data back in place."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from agent.citations import Passage
from agent.prompt import render_result
from agent.providers.base import Done, Message, ModelRequest, Provider, TextDelta, ToolCall, ToolResult
from agent.redaction.pseudonyms import Pseudonyms


class Redacted:
    """A provider that is shown no personal data; one object a run, since it remembers what stands for what."""

    def __init__(self, provider: Provider, pseudonyms: Pseudonyms, result_characters: int) -> None:
        """`result_characters`: how much of one tool result a model sees."""
        self.name, self.model = provider.name, provider.model
        self._provider, self._pseudonyms, self._limit = provider, pseudonyms, result_characters
        self._hidden: dict[int, tuple[Message, Message]] = {}

    async def answer(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Done, None]:
        """Yield the pieces of the answer, restored, then Done. Raises: ModelError."""
        # In a thread: a long conversation takes long to look through, and the loop serves others.
        shown = await asyncio.to_thread(self._shown, request)
        stream = self._pseudonyms.stream()
        pieces = self._provider.answer(shown)
        try:
            async for piece in pieces:
                if isinstance(piece, Done):
                    if rest := stream.end():
                        yield TextDelta(rest)
                    yield replace(piece, tool_calls=[
                        replace(call, arguments=self._pseudonyms.show_json(call.arguments)) for call in piece.tool_calls])
                elif text := stream.show(piece.text):
                    yield TextDelta(text)
        finally:
            await pieces.aclose()

    async def close(self) -> None:
        """The provider is closed by whom it belongs to."""

    def _shown(self, request: ModelRequest) -> ModelRequest:
        return ModelRequest([self._hide(message) for message in request.messages], request.tools)

    def _hide(self, message: Message) -> Message:
        # Once each: a message is sent again with every later call, and fenced with the same marker.
        known = self._hidden.get(id(message))
        if known is None:
            known = self._hidden[id(message)] = (message, self._hidden_message(message))
        return known[1]

    def _hidden_message(self, message: Message) -> Message:
        hide = self._pseudonyms
        calls = [ToolCall(call.id, call.name, hide.hide_json(call.arguments)) for call in message.tool_calls]
        if message.result is None:
            return replace(message, content=hide.hide(message.content), tool_calls=calls)
        # The rows and not their text: in JSON what stands before an address may look like a part of it.
        result = self._hidden_result(message.result)
        return replace(message, content=render_result(result, self._limit), tool_calls=calls, result=result)

    def _hidden_result(self, result: ToolResult) -> ToolResult:
        hide = self._pseudonyms
        return replace(
            result, message=hide.hide(result.message), rows=hide.hide_all(list(result.rows)),
            passages=[Passage(passage.n, hide.hide_all(passage.row)) for passage in result.passages])
