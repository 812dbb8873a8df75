"""Mounts the agent's ASGI app under /v1/* and /mcp: it gets the verified identity, never the client's credential headers."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

from edge_proxy import log
from edge_proxy.asgi import SAFE_HEADERS, App, Message, Receive, Request, Send
from edge_proxy.errors import QueryRefused
from edge_proxy.limits import Limits
from edge_proxy.places import Places
from edge_proxy.tokens import Identity
from edge_proxy.upload import UploadBody
from edge_proxy.watch import Watch

PREFIX = "/v1/"
MCP = "/mcp"
FILES = "/v1/files"
TABLES = "/v1/analytics/tables"
JOBS = "/v1/analytics/jobs"
IDENTITY_KEY = "ringfence.identity"
TRACER_KEY = "ringfence.tracer"
FACTS_KEY = "ringfence.facts"
"""Where the agent writes `code`, `org`, `tokens` and `tools` of its answer, for the log and the metrics."""
_NOT_FOR_THE_AGENT = frozenset({b"authorization", b"apikey", b"cookie", b"proxy-authorization"})
_NOT_FOR_THE_CLIENT = frozenset({b"set-cookie", b"server", b"location", b"x-request-id"}) | {n for n, _ in SAFE_HEADERS}
_STOP_SECONDS = 3.0
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_LISTING = frozenset({"knowledge_base", "limit", "after", "order", "purpose"})
"""Of the list of files, the one route with a query."""
Admit = Callable[[Request, Identity, object], Awaitable[None]]


class AgentMissing(Exception):
    """The agent's app could not be loaded or started; the message says why."""


def load_agent(import_string: str) -> App | None:
    """Return the app made by the factory `module:function`, or None for an empty string. Raises: AgentMissing."""
    if not import_string:
        return None
    module, _, attribute = import_string.partition(":")
    try:
        factory = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as err:
        raise AgentMissing(f"RINGFENCE_AGENT_APP: cannot load {import_string!r}: {err}") from err
    try:
        return cast(App, factory())
    except Exception as err:
        raise AgentMissing(f"RINGFENCE_AGENT_APP: {import_string!r} cannot be made: {err}") from err


class AgentMount:
    """Runs requests and the lifespan of the mounted app."""

    def __init__(self, app: App, limits: Limits, watch: Watch, admit: Admit) -> None:
        """`admit` counts a request for the organization it names."""
        self._app, self._limits, self._watch, self._admit = app, limits, watch, admit
        self._uploads = Places("user_uploads", limits.user_uploads)
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[str] = asyncio.Queue()
        self._lifespan: asyncio.Task[None] | None = None

    async def serve(self, request: Request, identity: Identity, send: Send) -> None:
        """Let the agent answer; each piece it sends goes out at once, so a stream stays a stream.

        Raises: TooMany and other ProxyErrors; also when the right ends while the answer is open.
        """
        _check_query(request)
        if request.method == "POST" and request.path in (FILES, TABLES):
            await self._upload(request, identity, send)
            return
        body = b""
        if request.method in _WITH_BODY:
            body = await request.json_body(self._limits, max_bytes=self._limits.agent_body_bytes)
        bot = _bot(request)
        await self._admit(request, identity, bot.partition("/")[0] or _organization(request.path))
        await self._watched(request, identity, bot, _replay(body, request.receive), _cleaned(send))

    async def _upload(self, request: Request, identity: Identity, send: Send) -> None:
        await self._admit(request, identity, None)
        with self._uploads.one(identity.user_id):
            body = UploadBody(request, self._limits)
            await self._watched(request, identity, "", body.receive, body.unless_refused(_cleaned(send)))
            if body.refused is not None:
                raise body.refused

    async def _watched(self, request: Request, identity: Identity, bot: str, receive: Receive, send: Send) -> None:
        """Run the app until it ends, or until the right to its answer does; then it learns that the client has gone."""
        line = _Line(receive, send)
        with self._watch.over(identity, bot, request.request_id) as lost:
            answering = asyncio.create_task(self._app(_scope(request, identity), line.receive, line.send))
            try:
                await asyncio.wait({answering, lost}, return_when=asyncio.FIRST_COMPLETED)
                if answering.done():
                    answering.result()
                else:
                    raise lost.result()
            finally:
                line.cut.set()
                if not answering.done():
                    # It ends its run in the database by itself, given the time.
                    await asyncio.wait({answering}, timeout=_STOP_SECONDS)
                    answering.cancel()
                    await asyncio.gather(answering, return_exceptions=True)

    async def start(self, tracer: Any = None) -> None:
        """Run the app's start-up; an app without a lifespan is fine."""
        self._lifespan = asyncio.create_task(self._run_lifespan({TRACER_KEY: tracer} if tracer else {}))
        await self._events.put({"type": "lifespan.startup"})
        if await self._answers.get() == "lifespan.startup.failed":
            raise AgentMissing("the agent refused to start")

    async def stop(self) -> None:
        """Run the app's shutdown, for a few seconds at most."""
        if self._lifespan is None:
            return
        await self._events.put({"type": "lifespan.shutdown"})
        # wait_for ends it by force: the edge itself has to stop soon.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._lifespan, _STOP_SECONDS)

    async def _run_lifespan(self, state: dict[str, Any]) -> None:
        async def answer(message: Message) -> None:
            await self._answers.put(message["type"])

        try:
            await self._app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}, self._events.get, answer)
        except Exception as err:
            # By the ASGI specification an app without a lifespan raises, whatever it likes: not a failure.
            log.write("agent_without_lifespan", raised=type(err).__name__)
        finally:
            await self._answers.put("lifespan.ended")


class _Line:
    """What the agent has of the client: cut, the client is gone for it."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self.cut = asyncio.Event()

    async def receive(self) -> Message:
        receiving, cutting = asyncio.ensure_future(self._receive()), asyncio.ensure_future(self.cut.wait())
        try:
            await asyncio.wait({receiving, cutting}, return_when=asyncio.FIRST_COMPLETED)
            return receiving.result() if receiving.done() else {"type": "http.disconnect"}
        finally:
            receiving.cancel()
            cutting.cancel()

    async def send(self, message: Message) -> None:
        if not self.cut.is_set():
            await self._send(message)


def _check_query(request: Request) -> None:
    """Raises: QueryRefused for an unknown, repeated or malformed parameter: a token may not travel in one (R75)."""
    known = _LISTING if (request.method, request.path) == ("GET", FILES) else frozenset()
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, strict_parsing=True, errors="strict") if request.query else []
    except ValueError as err:
        raise QueryRefused from err
    given = dict(pairs)
    if len(given) != len(pairs) or not given.keys() <= known:
        raise QueryRefused


def _bot(request: Request) -> str:
    """Return the bot that is asked or whose tools are called, as the request names it; empty where it names none."""
    if request.path.startswith(f"{MCP}/"):
        return unquote(request.path).removeprefix(MCP).strip("/")
    named: object = request.members.get("model")
    if request.path == MCP:
        named = request.members
        for name in ("params", "arguments", "bot"):
            named = named.get(name) if isinstance(named, dict) else None
    return named if isinstance(named, str) else ""


def _organization(path: str) -> str:
    """Return the organization that the path of a file, of a job or of a bot's tools names, empty where none does."""
    for prefix in (f"{FILES}/", f"{JOBS}/", f"{MCP}/"):
        if path.startswith(prefix):
            return path.removeprefix(prefix).split("/")[0]
    return ""


def _scope(request: Request, identity: Identity) -> dict[str, object]:
    headers = [(name, value) for name, value in request.scope["headers"] if name not in _NOT_FOR_THE_AGENT]
    facts = {
        "token": identity.token,
        "user_id": identity.user_id,
        "session_id": identity.session_id,
        "request_id": request.request_id,
    }
    return {**request.scope, "headers": headers, IDENTITY_KEY: facts, FACTS_KEY: request.facts}


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives the checked body once and then the client's own events (its disconnect)."""
    pending = [body]

    async def replay() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return replay


def _cleaned(send: Send) -> Send:
    async def cleaned(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(n, v) for n, v in message.get("headers", []) if n.lower() not in _NOT_FOR_THE_CLIENT]
            message = {**message, "headers": kept}
        await send(message)

    return cleaned
