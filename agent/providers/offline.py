"""The offline responder: answers without a language model, from what the tools return and nothing else.

It stands in the loop where a model would. First it chooses one tool (`offline_choice`); when the result is there it
quotes it (`offline_answer`). It makes at most one tool call a question, never looks at earlier turns, and says in every
answer that no model is configured.
"""

import asyncio
import json
from collections.abc import AsyncGenerator

from agent.embedding import Embedder
from agent.providers.base import Done, ModelRequest, TextDelta, ToolCall
from agent.providers.offline_answer import NO_TOOL, compose
from agent.providers.offline_choice import Chooser


class OfflineResponder:
    """A provider without a model; sends nothing anywhere."""

    name = "offline"
    model = "offline-responder"
    escapes_html = True

    def __init__(self, embedder: Embedder) -> None:
        self._chooser = Chooser(embedder)

    async def close(self) -> None:
        """Nothing is held."""

    async def answer(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Done, None]:
        """Yield either one tool call or the whole answer."""
        question = next(message.content for message in reversed(request.messages) if message.role == "user")
        last = request.messages[-1]
        if last.result is not None:
            # In a thread: others are answered by the same event loop.
            yield TextDelta(await asyncio.to_thread(compose, question, last.result))
            yield Done((), 0, 0)
            return
        choice = await self._chooser.choose(question, request.tools)
        if choice is None:
            yield TextDelta(NO_TOOL)
            yield Done((), 0, 0)
        else:
            tool, arguments = choice
            yield Done([ToolCall("offline-1", tool.name, json.dumps(arguments, ensure_ascii=False))], 0, 0)
