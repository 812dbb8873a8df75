"""A small model behind the OpenAI wire format, held to a JSON schema in everything it writes.

It does two things, one call each: choose a tool, and answer from numbered passages with the number first. What it cannot be
trusted with it does not do: rows and refusals of the database are repeated as they are, passages that are not near the question
are never shown to it, and an answer whose words do not stand in the passage it names is refused. The tool is chosen before any
text of a document is read, so no document can choose one.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from agent.config import Endpoint
from agent.errors import ModelMalformed
from agent.openai_client import LazyClient, typed_model_errors
from agent.providers import schema_prompt
from agent.providers.base import Done, ModelRequest, TextDelta, ToolCall, ToolResult
from agent.providers.grounding import is_grounded, says_nothing_new
from agent.providers.offline_answer import about, excerpt, inert, item, sentence
from agent.providers.structured import Written, json_object
from agent.schema import Schema

NOTHING = "I did not find an answer to this in what you may read."
NO_TOOL = "This bot has no tool that could answer this."
MAX_TOKENS = 400
QUOTE_CHARACTERS = 240
# A small model on a slow machine reads for a while before its first word; the run's wall time bounds the whole.
READ_S = 120.0

_YES_OR_NO = re.compile(r"(?:yes|no)\b", re.IGNORECASE)
_MARK = re.compile(r"\s*\[\d[\d, ]*\]")


class SchemaConstrained:
    """A language model that can follow a schema, and not much more."""

    escapes_html = True

    def __init__(self, endpoint: Endpoint, read_s: float = READ_S) -> None:
        self.name, self.model = endpoint.provider, endpoint.model
        self._client = LazyClient(endpoint, read_s)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def answer(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Done, None]:
        """Yield either one tool call or the whole answer, then Done. Raises: ModelError."""
        result = request.messages[-1].result
        if result is not None:
            async for piece in self._from_result(request, result):
                yield piece
        elif not request.tools:
            yield TextDelta(NO_TOOL)
            yield Done((), 0, 0)
        else:
            choice, used = await self._ask(schema_prompt.choice_messages(request), schema_prompt.choice_schema(request.tools))
            if not isinstance(choice.get("tool"), str) or not isinstance(choice.get("arguments"), dict):
                raise ModelMalformed
            yield Done([ToolCall("schema-1", choice["tool"], json.dumps(choice["arguments"], ensure_ascii=False))], *used)

    async def _from_result(self, request: ModelRequest, result: ToolResult) -> AsyncGenerator[TextDelta | Done, None]:
        if result.outcome != "ok":
            text = inert(sentence(result.message))
        elif result.passages:
            text, used = await self._from_passages(request, result)
            yield TextDelta(text)
            yield Done((), *used)
            return
        else:
            text = "\n".join(["Found:", "", *map(item, result.rows)]) if result.rows else NOTHING
        yield TextDelta(text)
        yield Done((), 0, 0)

    async def _from_passages(self, request: ModelRequest, result: ToolResult) -> tuple[str, tuple[int | None, int | None]]:
        """Return the answer with its citation, or that there is none; and the tokens used."""
        question = schema_prompt.question_of(request.messages)
        near = (await asyncio.to_thread(about, question, result.passages))[:schema_prompt.MAX_PASSAGES]
        if not near:
            return NOTHING, (0, 0)
        said, used = await self._ask(schema_prompt.answer_messages(request, near), schema_prompt.answer_schema(near))
        answer = _MARK.sub("", said["answer"]).strip() if isinstance(said.get("answer"), str) else ""
        passage = next((p for p in near if p.n == said.get("passage")), None)
        if passage is None or not answer or not is_grounded(answer, question, f"{passage.row['title']}\n{passage.row['content']}"):
            return NOTHING, used
        text = f"{inert(answer)} [{passage.n}]"
        if says_nothing_new(answer, question):
            if not _YES_OR_NO.match(answer):
                return NOTHING, used
            quote = " ".join(excerpt(question, passage.row["content"], QUOTE_CHARACTERS).split())
            text += f"\n\n> {inert(quote)[:QUOTE_CHARACTERS]}"
        return text, used

    async def _ask(self, messages: schema_prompt.Wire, schema: Schema) -> tuple[dict[str, Any], tuple[int | None, int | None]]:
        """Return the object the model wrote and the tokens in and out. Raises: ModelError."""
        written = await self.write(messages, schema, MAX_TOKENS)
        return written.value, (written.input_tokens, written.output_tokens)

    async def write(self, messages: Sequence[dict[str, str]], schema: Schema, max_tokens: int) -> Written:
        """Return the object the model wrote, held to the schema while it writes. Raises: ModelError."""
        client = await self._client.get()
        written, usage, finish = "", None, None
        body: Any = {
            "model": self.model, "messages": messages, "stream": True, "stream_options": {"include_usage": True}, "store": False,
            "temperature": 0, "seed": 0, "max_tokens": max_tokens,
            "response_format": {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}}
        with typed_model_errors():
            # Streamed although it is used whole: a server stops working when the reader goes away.
            async with await client.chat.completions.create(**body) as stream:
                async for chunk in stream:
                    usage = chunk.usage or usage
                    for choice in chunk.choices or ():
                        finish = choice.finish_reason or finish
                        written += choice.delta.content or ""
        if finish is None:
            raise ModelMalformed
        return Written(json_object(written), usage.prompt_tokens if usage else None, usage.completion_tokens if usage else None)
