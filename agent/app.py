"""The agent over HTTP, in OpenAI's wire format: a bot is a model, the caller is whom the edge has verified.

    POST /v1/chat/completions     an answer, whole or streamed; see `chat_request` for what is taken, ignored and refused
    GET  /v1/models               the bots the person may run
    GET  /v1/models/{org}/{bot}   one of them
    /v1/files                     documents as files; see `files`
    /v1/analytics                 results of data jobs as files and pictures, tables of one's own; see `analytics.routes`
    GET  /v1/openapi.json         all of this and every function, described
    /mcp                          the tools for MCP clients; see `mcp`

The identity comes in the ASGI scope from the edge (`ringfence.identity`); without it every request is refused.
"""

import logging

from agent.analytics.routes import ANALYTICS, Analytics
from agent.asgi import FACTS, IDENTITY, ClientGone, Receive, Reply, Scope, Send, read_body, while_connected
from agent.chat_request import MAX_BODY_BYTES, parse_chat_request
from agent.chat_response import Chunks, completion
from agent.config import Config
from agent.embedding import create_embedder
from agent.errors import AgentError, NotVisible, Unauthenticated
from agent.files import FILES, Files
from agent.limits import Limits
from agent.mcp import MCP, McpTools
from agent.models import model_called, models
from agent.openapi import document
from agent.providers import create_provider
from agent.providers.base import TextDelta
from agent.question import Answer, Event, Progress, Question, Spent, Started, ToolCalled, ToolReturned
from agent.redaction import names
from agent.rpc import Rpc, RpcPool, Token
from agent.run import Agent
from agent.tracing import TRACER, Spans
from agent.turns import Turns
from agent.unforeseen import where

log = logging.getLogger(__name__)

MODELS = "/v1/models"
OPENAPI = "/v1/openapi.json"


def create_app(config: Config | None = None, limits: Limits | None = None) -> "App":
    """Return the ASGI app; nothing is connected or loaded before the first request, but what finds names where it was chosen. Raises: Misconfigured."""
    config = config or Config.from_environment()
    names.finder()
    embedder = create_embedder(config)
    agent = Agent(create_provider(config, embedder), embedder, limits or Limits(), config.pseudonym_key)
    return App(agent, RpcPool(config.rest_url, config.publishable_key))


class App:
    """ASGI; keeps no state between requests but connections and loaded models."""

    def __init__(self, agent: Agent, pool: RpcPool) -> None:
        self._agent, self._pool = agent, pool
        self._turns = Turns(agent.limits.answers_at_once)
        self._files = Files(agent.embedder)
        self._analytics = Analytics()
        self._mcp = McpTools(pool, agent.embedder, agent.limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._pool.spans = Spans((scope.get("state") or {}).get(TRACER))
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._mcp.running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await self._agent.close()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = Reply(send, (scope.get(IDENTITY) or {}).get("request_id", ""), scope.setdefault(FACTS, {}))
        try:
            if scope["path"] == MCP or scope["path"].startswith(f"{MCP}/"):
                await self._mcp.answer(scope, receive, send)
            else:
                await self._route(scope, receive, reply)
        except ClientGone:
            reply.facts["code"] = "client_gone"
        except AgentError as err:
            await reply.error(err)
        except Exception as err:
            # The last resort: no detail leaves.
            log.error("unforeseen: %s", where(err), extra={"request_id": reply.request_id})
            await reply.error(AgentError())

    async def _route(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        identity = scope.get(IDENTITY)
        if not identity:
            raise Unauthenticated
        rpc = self._pool.as_user(Token(identity["token"]), reply.request_id)
        method, path = scope["method"], scope["path"]
        if (method, path) == ("POST", "/v1/chat/completions"):
            await self._chat(rpc, identity["user_id"], receive, reply)
        elif (method, path) == ("GET", MODELS):
            await reply.json(200, {"object": "list", "data": models(await rpc.call("list_bots"))})
        elif method == "GET" and path.startswith(f"{MODELS}/"):
            await reply.json(200, model_called(path.removeprefix(f"{MODELS}/"), await rpc.call("list_bots")))
        elif (method, path) == ("GET", OPENAPI):
            await reply.json(200, document(await rpc.call("tool_catalog"), ""))
        elif path == FILES or path.startswith(f"{FILES}/"):
            await self._files.answer(rpc, identity["user_id"], scope, receive, reply)
        elif path.startswith(ANALYTICS):
            await self._analytics.answer(rpc, identity["user_id"], scope, receive, reply)
        else:
            raise NotVisible("There is no such route.")

    async def _chat(self, rpc: Rpc, user_id: str, receive: Receive, reply: Reply) -> None:
        request = parse_chat_request(await read_body(receive, MAX_BODY_BYTES))
        question = Question(request.bot, request.question, request.conversation_id, reply.request_id, request.approval_id)
        chunks: Chunks | None = None
        called: list[ToolCalled] = []

        async def tell(event: Event) -> None:
            nonlocal chunks
            if isinstance(event, Spent):
                reply.facts["tokens"] = reply.facts.get("tokens", 0) + event.tokens
            elif isinstance(event, ToolReturned):
                reply.facts.setdefault("tools", []).append((event.name, event.outcome))
            elif isinstance(event, ToolCalled) and request.tool_calls:
                called.append(event)
            if not request.stream:
                return
            if isinstance(event, Started):
                chunks = Chunks(event.run_id, request.bot, include_usage=request.include_usage)
                await reply.event(chunks.first(escaped_html=event.escaped_html))
            elif chunks is not None and isinstance(event, TextDelta):
                await reply.event(chunks.text(event.text))
            elif chunks is not None and isinstance(event, ToolCalled) and request.tool_calls:
                for chunk in chunks.tool_call(len(called) - 1, event):
                    await reply.event(chunk)
            elif chunks is not None and isinstance(event, Progress):
                await reply.event(chunks.progress(event.facts))

        async def make() -> Answer:
            async with self._turns.of(user_id):
                return await self._agent.answer(rpc, question, tell)

        answer = await while_connected(make(), receive)
        if chunks is None:
            await reply.json(200, completion(request.bot, answer, called))
        else:
            for chunk in chunks.last(answer):
                await reply.event(chunk)
            await reply.end()
