"""What the database refused is rolled back, and its record would be with it: it is made by a call of its own, before the client hears (F64).

With the same token, so that nobody is named but who was refused. It waits in no line that the person could fill, and goes on when the
client does not wait for the answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from edge_proxy import log
from edge_proxy.database_errors import DatabaseRefused
from edge_proxy.errors import ProxyError
from edge_proxy.tokens import Identity

RECORD = "record_denial"
_RECORDED = frozenset({"42501", "PT401"})
_MESSAGE_LENGTH = 500
# Which of the person's organizations the call was about; the database looks whether it is one of theirs.
_IDS = {"org_id": "named_org", "run_id": "run_id"}
_BOT_LENGTH = 200
Ask = Callable[[str, dict[str, Any], Identity, str], Awaitable[Any]]


class Denials:
    """Records refusals, each exactly once."""

    def __init__(self, ask: Ask, unrecorded: Callable[[], None]) -> None:
        self._ask, self._unrecorded = ask, unrecorded
        # A task that nobody holds may be collected before it has run.
        self._going: set[asyncio.Task[None]] = set()

    async def note(self, name: str, body: bytes, identity: Identity, request_id: str, refused: DatabaseRefused) -> None:
        """Return when the refusal is recorded, or could not be: that is logged and counted, and the refusal stands."""
        if refused.sqlstate not in _RECORDED or name == RECORD:
            return
        told = {"function_name": name, "code": refused.sqlstate, "message": refused.said[:_MESSAGE_LENGTH], **_about(body)}
        task = asyncio.create_task(self._record(told, identity, request_id))
        self._going.add(task)
        task.add_done_callback(self._going.discard)
        await asyncio.shield(task)

    async def _record(self, told: dict[str, Any], identity: Identity, request_id: str) -> None:
        try:
            await self._ask(RECORD, told, identity, request_id)
        except ProxyError as err:
            if isinstance(err, DatabaseRefused) and err.sqlstate == "PT404":
                return  # none of the person's organizations is meant, and so no trail
            self._unrecorded()
            log.write("denial_unrecorded", request_id=request_id, rpc=told["function_name"], code=err.code, reason=err.reason)


def _about(body: bytes) -> dict[str, str]:
    """Return what the call says it is about; what is too long for it is about nothing there is."""
    try:
        members = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(members, dict):
        return {}
    found = {told: members[name] for name, told in _IDS.items() if is_uuid(members.get(name))}
    bot = members.get("bot")
    return found | ({"bot": bot} if isinstance(bot, str) and len(bot) <= _BOT_LENGTH and "\0" not in bot else {})


def is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False
