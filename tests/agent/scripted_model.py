"""A model endpoint on loopback that speaks OpenAI's wire format and says what the test wrote down."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Body = dict[str, Any]
Turn = Callable[[web.Request, Body], Awaitable[web.StreamResponse]]


def chunk(delta: Body, finish_reason: str | None = None) -> Body:
    return {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 1, "model": "scripted",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}


def usage(prompt: int, completion: int) -> Body:
    return {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": [],
            "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}}


def says(*pieces: str, tokens: tuple[int, int] | None = (20, 5)) -> Turn:
    """A turn that is text, in these pieces."""
    return streams(*[chunk({"content": piece}) for piece in pieces], chunk({}, "stop"), tokens=tokens)


def calls(*wanted: tuple[str, Any], text: str = "", tokens: tuple[int, int] | None = (30, 10)) -> Turn:
    """A turn that calls tools; arguments (an object, or text as it is) come in small deltas, as real servers send them."""
    chunks = [chunk({"role": "assistant", "content": text or None})]
    for index, (name, arguments) in enumerate(wanted):
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        chunks.append(chunk({"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function",
                                             "function": {"name": name, "arguments": ""}}]}))
        chunks += [chunk({"tool_calls": [{"index": index, "function": {"arguments": written[i:i + 7]}}]})
                   for i in range(0, len(written), 7)]
    return streams(*chunks, chunk({}, "tool_calls"), tokens=tokens)


def streams(*chunks: Body, tokens: tuple[int, int] | None = None) -> Turn:
    lines = [f"data: {json.dumps(c)}\n\n" for c in [*chunks, *([usage(*tokens)] if tokens else [])]]
    return raw("".join([*lines, "data: [DONE]\n\n"]))


def raw(text: str) -> Turn:
    """A turn with exactly this event stream."""
    async def turn(request: web.Request, body: Body) -> web.StreamResponse:
        return web.Response(text=text, content_type="text/event-stream")
    return turn


def fails(status: int, headers: dict[str, str] | None = None) -> Turn:
    """A turn that is an HTTP error; the message quotes the request, as some servers do."""
    async def turn(request: web.Request, body: Body) -> web.StreamResponse:
        return web.json_response({"error": {"message": f"canary-provider-words {json.dumps(body)[:200]}",
                                            "type": "error", "code": str(status), "param": None}},
                                 status=status, headers={"retry-after": "0", **(headers or {})})
    return turn


def hangs(after: str = "") -> Turn:
    """A turn that never ends, after a first piece of text or before any header."""
    async def turn(request: web.Request, body: Body) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        if after:
            await response.prepare(request)
            await response.write(f"data: {json.dumps(chunk({'content': after}))}\n\n".encode())
        await asyncio.sleep(60)
        return response
    return turn


@dataclass
class ScriptedModel:
    """Answers each request with the next turn; the last turn repeats. Keeps every byte it received."""

    turns: list[Turn] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._serve)
        app.router.add_post("/v1/embeddings", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = b"".join(b"%b: %b\n" % header for header in request.raw_headers)
        self.received.append(request.raw_path.encode() + b"\n" + headers + body)
        self.bodies.append(json.loads(body))
        turn = self.turns[min(len(self.bodies), len(self.turns)) - 1]
        return await turn(request, self.bodies[-1])

    def tool_messages(self, n: int = -1) -> list[str]:
        """Return the contents of the tool messages of the n-th request."""
        return [m["content"] for m in self.bodies[n]["messages"] if m["role"] == "tool"]
