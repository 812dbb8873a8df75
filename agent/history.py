"""Which earlier turns of a conversation a model is shown."""

import asyncio
from collections.abc import Sequence
from typing import Any

from agent.providers.base import Message
from agent.tokens import count_tokens


async def latest_turns(history: Sequence[dict[str, Any]], limit: int) -> list[Message]:
    """Return the latest turns of `history` (oldest first) that together are at most `limit` tokens.

    The oldest are left out first, and never a turn between two others; a cut history begins with the person's turn.
    """
    turns = [Message(turn["role"], turn["content"]) for turn in history]
    # A token has a byte at least: a short history need not be counted.
    if sum(len(turn.content.encode(errors="replace")) for turn in turns) <= limit:
        return turns
    return await asyncio.to_thread(_cut, turns, limit)


def _cut(turns: list[Message], limit: int) -> list[Message]:
    first = len(turns)
    while first > 0 and (limit := limit - count_tokens(turns[first - 1].content)) >= 0:
        first -= 1
    while first < len(turns) and turns[first].role == "assistant":
        first += 1
    return turns[first:]
