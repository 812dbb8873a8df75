"""A model that is asked for one JSON object, once, and for nothing else."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from agent.config import Endpoint
from agent.errors import ModelMalformed
from agent.schema import Schema


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote."""

    value: dict[str, Any]
    input_tokens: int | None = None
    """None: the endpoint did not say."""
    output_tokens: int | None = None


class Writer(Protocol):
    """The same endpoints as those that answer; it never sees a token, a person or an organization's id."""

    name: str
    model: str

    async def write(self, messages: Sequence[dict[str, str]], schema: Schema, max_tokens: int) -> Written:
        """Return the object, JSON but not checked against the schema. Raises: ModelError."""

    async def close(self) -> None:
        """Let go of connections."""


def create_writer(model: Endpoint | None, style: Literal["tools", "schema"]) -> Writer | None:
    """Return the writer for the configured endpoint, None where there is none; nothing is connected yet."""
    if model is None:
        return None
    if style == "schema":
        from agent.providers.schema_constrained import SchemaConstrained

        return SchemaConstrained(model)
    from agent.providers.openai_compatible import OpenAICompatible

    return OpenAICompatible(model)


def json_object(text: str) -> dict[str, Any]:
    """Return the one object that the text is. Raises: ModelMalformed."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise ModelMalformed from err
    if not isinstance(value, dict):
        raise ModelMalformed
    return value
