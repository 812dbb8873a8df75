"""Tool calls as a model wrote them, checked before anything touches the network (R98)."""

import json
from collections.abc import Mapping
from typing import Any

from agent.catalog import Tool
from agent.errors import BadArguments
from agent.providers.base import ToolCall, ToolResult

Prepared = tuple[ToolCall, dict[str, Any] | ToolResult]
"""A call with its valid arguments, or with the refusal that a model is told instead."""


def prepared(call: ToolCall, tools: Mapping[str, Tool]) -> Prepared:
    """Return the call with valid arguments, or with its refusal."""
    try:
        decoded = json.loads(call.arguments or "{}")
    except ValueError:
        # Some endpoints parse what they are sent back, and choke on their own broken JSON.
        return ToolCall(call.id, call.name, "{}"), ToolResult(call.name, "invalid", "The arguments are not valid JSON.")
    call = ToolCall(call.id, call.name, json.dumps(decoded, sort_keys=True, ensure_ascii=False))
    if call.name not in tools:
        return call, ToolResult(call.name, "invalid", "There is no such tool.")
    try:
        return call, tools[call.name].validated(decoded)
    except BadArguments as err:
        return call, ToolResult(call.name, "invalid", err.message)
