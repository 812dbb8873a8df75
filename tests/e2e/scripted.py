"""A second edge on the shared stack whose bots are spoken by a script of the test, not by the offline responder."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from edge_proxy.local import processes
from edge_proxy.local.ports import LOOPBACK, answers, free_ports
from tests.agent.scripted_model import Body, ScriptedModel, Turn, calls, chunk, says

DIMENSIONS = 384
STARTED = "Looking it up."
OVER = "That is what I found."


class Model(ScriptedModel):
    """An endpoint in a thread of its own. A question is answered by one call of `tool` and then OVER, unless `turns` says otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.tool: tuple[str, Any] = ("search_documents", {"query": "anything"})
        self.by_question: dict[str, Turn] = {}
        """What the model does first when the question is exactly this."""
        self.held = False
        """Whether the model stops after STARTED, before it calls the tool, until `go_on()`."""
        self.broken_off = threading.Event()
        """Set when the agent closed the connection while the model was held."""
        self.loop = asyncio.new_event_loop()
        self._may_go_on = asyncio.Event()

    def reset(self) -> None:
        """Forget the test before."""
        self.turns, self.bodies, self.received = [], [], []
        self.tool, self.by_question, self.held = ("search_documents", {"query": "anything"}), {}, False
        self.broken_off = threading.Event()
        self._may_go_on = asyncio.Event()

    def go_on(self) -> None:
        self.loop.call_soon_threadsafe(self._may_go_on.set)

    def seen(self) -> str:
        """Return everything the tools have told the model."""
        return "\n".join(message["content"] for body in self.bodies for message in body["messages"] if message["role"] == "tool")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if not self.turns:
            self.received.append(await request.read())
        if request.path.endswith("/embeddings"):
            wanted = (await request.json())["input"]
            vector = [0.05] * DIMENSIONS
            return web.json_response({"object": "list", "model": "scripted", "usage": {"prompt_tokens": 7, "total_tokens": 7},
                                      "data": [{"object": "embedding", "index": n, "embedding": vector} for n in range(len(wanted))]})
        if self.turns:
            return await super()._serve(request)
        body = await request.json()
        self.bodies.append(body)
        if body["messages"][-1]["role"] == "tool":
            return await says(OVER)(request, body)
        if turn := self.by_question.get(body["messages"][-1]["content"]):
            return await turn(request, body)
        if self.held:
            return await self.hold(request, body)
        return await calls(self.tool, text=STARTED)(request, body)

    async def hold(self, request: web.Request, body: Body) -> web.StreamResponse:
        """A turn that says STARTED, waits for `go_on()` and then calls the tool."""
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(_event(chunk({"role": "assistant", "content": STARTED})))
        try:
            await self._may_go_on.wait()
        except asyncio.CancelledError:
            self.broken_off.set()
            raise
        whole = await calls(self.tool)(request, body)
        assert isinstance(whole, web.Response) and whole.text
        await response.write(whole.text.encode())
        return response


def _event(body: Body) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode()


@contextmanager
def serving(model: Model) -> Iterator[str]:
    """Serve the model; yields its base URL."""
    # With handler_cancellation a closed connection cancels the turn, which is how the model learns of it.
    runner = web.AppRunner(model.application(), handler_cancellation=True, access_log=None)
    thread = threading.Thread(target=model.loop.run_forever)
    thread.start()

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        port: int = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        return port

    try:
        port = asyncio.run_coroutine_threadsafe(start(), model.loop).result(10)
        yield f"http://{LOOPBACK}:{port}/v1"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), model.loop).result(10)
        model.loop.call_soon_threadsafe(model.loop.stop)
        thread.join()
        model.loop.close()


@contextmanager
def edge(stack: dict[str, Any], model_url: str, log: Path, **settings: str) -> Iterator[tuple[str, processes.Child]]:
    """Run an edge for the same project that asks this model; yields its URL and process. Tokens name the stack's own edge as their issuer."""
    ports = free_ports({"edge": 0, "metrics": 0})
    child = processes.start("scripted edge", [sys.executable, "-m", "edge_proxy.serve"], log=log, env={
        **os.environ, **{f"RINGFENCE_RATE_{name}": "2000/20000" for name in ("USER", "ADDRESS", "AUTH", "CHAT", "ORG", "ORG_CHAT")},
        "SUPABASE_PUBLISHABLE_KEY": stack["publishable_key"], "RINGFENCE_REST_URL": stack["rest_url"],
        "RINGFENCE_AUTH_URL": stack["auth_url"], "RINGFENCE_JWKS_URL": stack["jwks_url"], "RINGFENCE_ISSUER": f"{stack['url']}/auth/v1",
        "RINGFENCE_HOST": LOOPBACK, "RINGFENCE_PORT": str(ports["edge"]), "RINGFENCE_METRICS_PORT": str(ports["metrics"]),
        "RINGFENCE_MODEL_BASE_URL": model_url, "RINGFENCE_MODEL_NAME": "scripted",
        "RINGFENCE_EMBEDDING_BASE_URL": model_url, "RINGFENCE_EMBEDDING_MODEL": "scripted", **settings})
    try:
        url = f"http://{LOOPBACK}:{ports['edge']}"
        child.wait_until(lambda: answers(f"{url}/readyz"))
        yield url, child
    finally:
        child.stop()
