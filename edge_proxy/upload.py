"""The body of an upload: handed to the agent in the pieces in which it arrives, within limits of its own."""

from __future__ import annotations

import asyncio
import time

from edge_proxy.asgi import Message, Request, Send
from edge_proxy.errors import BodyTimeout, ProxyError, TooLarge, UnsupportedMedia
from edge_proxy.limits import Limits

_MULTIPART = b"multipart/form-data;"


class UploadBody:
    """What the agent reads. Beyond a limit the client is gone for the agent, and `refused` says what to answer."""

    def __init__(self, request: Request, limits: Limits) -> None:
        """Raises: UnsupportedMedia, TooLarge."""
        kind = (request.only(b"content-type") or b"").lower()
        if not kind.startswith(_MULTIPART) or request.values(b"content-encoding"):
            raise UnsupportedMedia
        declared = request.only(b"content-length")
        if declared is not None and int(declared) > limits.file_body_bytes:
            raise TooLarge
        self.refused: ProxyError | None = None
        self._request, self._limits = request, limits
        self._size = 0
        self._arrived = False
        self._deadline = time.monotonic() + limits.file_body_seconds

    async def receive(self) -> Message:
        if self.refused is not None:
            return {"type": "http.disconnect"}
        if self._arrived:
            return await self._request.receive()
        seconds = min(self._limits.file_piece_seconds, self._deadline - time.monotonic())
        try:
            async with asyncio.timeout(seconds):
                message = await self._request.receive()
        except TimeoutError:
            return self._refuse(BodyTimeout())
        self._size += len(message.get("body", b""))
        self._request.bytes_in += len(message.get("body", b""))
        if self._size > self._limits.file_body_bytes:
            return self._refuse(TooLarge())
        self._arrived = not message.get("more_body", False)
        return message

    def unless_refused(self, send: Send) -> Send:
        """Return `send` for the agent: after a refusal the answer is the edge's."""

        async def sending(message: Message) -> None:
            if self.refused is None:
                await send(message)

        return sending

    def _refuse(self, error: ProxyError) -> Message:
        self.refused = error
        return {"type": "http.disconnect"}
