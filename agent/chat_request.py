"""Read an OpenAI chat completion request into a question.

Taken: `model` (the bot), the text of the last message, which must be the user's, `stream`, `stream_options.include_usage`
`ringfence.conversation_id` and `ringfence.tool_calls` (show which tools the bot calls). Earlier messages and system messages are ignored: history is what the database holds, and
instructions are the bot's. Ignored as well, because they only tune sampling or label the request: the names in IGNORED.
`user` is among them: a label never selects an identity (F56). Refused, because leaving it out would silently change what
the client gets: tools of its own, more than one choice, audio, other response formats, stop words, and anything unknown.
"""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from agent.errors import BadRequest
from agent.schema import storable

MAX_BODY_BYTES = 1024 * 1024
MAX_QUESTION_CHARACTERS = 8000

IGNORED = frozenset({
    "frequency_penalty", "max_completion_tokens", "max_tokens", "metadata", "parallel_tool_calls", "presence_penalty",
    "prompt_cache_key", "prompt_cache_retention", "reasoning_effort", "safety_identifier", "seed", "service_tier", "store",
    "temperature", "top_p", "user", "verbosity"})
# What these may be set to: exactly what happens anyway.
HARMLESS: dict[str, tuple[Any, ...]] = {
    "n": (1,), "tools": ([],), "tool_choice": ("none", "auto"), "functions": ([],), "function_call": ("none", "auto"),
    "logprobs": (False,), "top_logprobs": (0,), "logit_bias": ({},), "stop": ([],), "audio": (), "modalities": (["text"],),
    "response_format": ({"type": "text"},), "prediction": (), "web_search_options": ()}
_TAKEN = frozenset({"model", "messages", "stream", "stream_options", "ringfence"})


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A question as it came over the wire."""

    bot: str
    question: str
    conversation_id: str | None
    stream: bool
    include_usage: bool
    tool_calls: bool
    """Whether the answer tells which tools the bot called."""


def parse_chat_request(body: bytes) -> ChatRequest:
    """Return the question. Raises: BadRequest, naming the field."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise BadRequest("The body must be JSON.") from err
    if not isinstance(fields, dict):
        raise BadRequest("The body must be a JSON object.")
    for name, value in fields.items():
        if name in HARMLESS:
            if value is not None and value not in HARMLESS[name]:
                raise BadRequest(f"{name}: this value is not supported; the bot decides about tools and format.")
        elif name not in IGNORED and name not in _TAKEN:
            raise BadRequest("The request has a field that is not supported.")
    model = fields.get("model")
    # isprintable also refuses what neither UTF-8 nor PostgreSQL can hold.
    if not isinstance(model, str) or not 0 < len(model) <= 200 or not model.isprintable():
        raise BadRequest("model: must name a bot, as organization/bot.")
    options = _object(fields, "stream_options", ("include_usage", "include_obfuscation"))
    ours = _object(fields, "ringfence", ("conversation_id", "tool_calls"))
    return ChatRequest(model, _question(fields.get("messages")), _conversation_id(ours),
                       _flag(fields, "stream"), _flag(options, "include_usage"), _flag(ours, "tool_calls"))


def _question(messages: Any) -> str:
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict):
        raise BadRequest("messages: must be a list that is not empty.")
    content = messages[-1].get("content")
    if isinstance(content, list):
        texts = [part["text"] for part in content if isinstance(part, dict) and part.get("type") == "text"
                 and isinstance(part.get("text"), str)]
        content = "\n".join(texts) if len(texts) == len(content) else None
    if messages[-1].get("role") != "user" or not isinstance(content, str):
        raise BadRequest("messages: the last one must be the user's, and be text.")
    if not content.strip() or len(content) > MAX_QUESTION_CHARACTERS or not storable(content):
        raise BadRequest(f"messages: the last one must have 1 to {MAX_QUESTION_CHARACTERS} characters of text.")
    return content


def _conversation_id(ours: dict[str, Any]) -> str | None:
    value = ours.get("conversation_id")
    if value is None:
        return None
    try:
        return str(uuid.UUID(value))
    except (ValueError, AttributeError, TypeError) as err:
        raise BadRequest("ringfence.conversation_id: must be a UUID.") from err


def _object(fields: dict[str, Any], name: str, known: tuple[str, ...]) -> dict[str, Any]:
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict) or not value.keys() <= set(known):
        raise BadRequest(f"{name}: must be an object with only {' and '.join(known)}.")
    return value


def _flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadRequest(f"{name}: must be true or false.")
    return bool(value)
