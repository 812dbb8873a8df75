"""Servers on loopback, the agent between them, and no way out of the machine."""

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import openai
import pytest
import uvicorn
from aiohttp import web

from agent.app import IDENTITY, App
from agent.chunking import Chunk
from agent.config import Endpoint
from agent.documents.kinds import kind_of
from agent.documents.limits import DocumentLimits
from agent.documents.sandbox import Sandbox
from agent.embedding import LocalEmbedder
from agent.limits import Limits
from agent.providers.base import Provider, TextDelta
from agent.providers.offline import OfflineResponder
from agent.providers.openai_compatible import OpenAICompatible
from agent.question import Answer, Event, Question, Started
from agent.rpc import RpcPool, Token
from agent.run import Agent
from tests.agent import network_guard
from tests.agent.fake_postgrest import FakePostgrest, Refusal, Row, passage
from tests.agent.scripted_model import ScriptedModel

network_guard.install()

TOKEN = "canary-token-of-alice.eyJzdWIiOiJhbGljZSJ9.c2ln"
BOB_TOKEN = "canary-token-of-bob.eyJzdWIiOiJib2IifQ.c2ln"
MODEL_KEY = "canary-model-key"
REQUEST_ID = "request-1"
QUESTION: Any = {"model": "acme/support", "messages": [{"role": "user", "content": "How fast?"}]}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def embedder() -> LocalEmbedder:
    """The real model, loaded once."""
    return LocalEmbedder()


@asynccontextmanager
async def serving(application: web.Application) -> AsyncIterator[str]:
    """Serve on a free loopback port; yield the base URL."""
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def orders(person: str, arguments: Row) -> list[Row]:
    """Alice has ORD-1042 and nobody else sees it."""
    owned = [{"order_number": "ORD-1042", "status": "shipped", "items": [{"name": "lamp", "quantity": 2}]}]
    mine = owned if person == "alice" else []
    if "number" not in arguments:
        return mine
    found = [row for row in mine if row["order_number"] == arguments["number"].upper()]
    if not found:
        raise Refusal(404, "PT404", "no order of that number that you may see")
    return found


def search(person: str, arguments: Row) -> list[Row]:
    return [passage(1, "Parcels are sent within two days."), passage(2, "Refunds take a week.", 0.5)]


def ticket(person: str, arguments: Row) -> list[Row]:
    return [{"id": "00000000-0000-0000-0000-00000000000a", "subject": arguments["subject"], "status": "open"}]


@pytest.fixture
def database() -> FakePostgrest:
    return FakePostgrest({TOKEN: "alice", BOB_TOKEN: "bob"}, {
        "search_documents": search, "my_orders": orders, "get_order": orders, "create_ticket": ticket})


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
async def pool(database: FakePostgrest, anyio_backend: str) -> AsyncIterator[RpcPool]:
    async with serving(database.application()) as url, RpcPool(url, "sb_publishable_test") as pool:
        yield pool


@pytest.fixture
async def model_url(model: ScriptedModel, anyio_backend: str) -> AsyncIterator[str]:
    async with serving(model.application()) as url:
        yield f"{url}/v1"


@pytest.fixture
def read_s() -> float:
    """How long the provider waits for a piece; tests of a hanging model parametrize it with less."""
    return 10.0


@pytest.fixture
async def provider(model_url: str, read_s: float) -> AsyncIterator[OpenAICompatible]:
    provider = OpenAICompatible(Endpoint(model_url, "scripted", MODEL_KEY, "the-endpoint"), read_s)
    yield provider
    await provider.close()


@dataclass
class Asked:
    """One run as a caller inside the process sees it."""

    deltas: list[str] = field(default_factory=list)
    started: Started | None = None

    async def emit(self, event: Event) -> None:
        if isinstance(event, Started):
            self.started = event
        elif isinstance(event, TextDelta):
            self.deltas.append(event.text)


Ask = Callable[..., Coroutine[Any, Any, Answer]]


@pytest.fixture
def ask(pool: RpcPool, provider: OpenAICompatible, embedder: LocalEmbedder) -> Ask:
    """Ask the scripted model something, as alice unless told otherwise."""
    return asker(pool, provider, embedder)


@pytest.fixture
def ask_offline(pool: RpcPool, embedder: LocalEmbedder) -> Ask:
    """Ask the offline responder something."""
    return asker(pool, OfflineResponder(embedder), embedder)


def asker(pool: RpcPool, provider: Provider, embedder: LocalEmbedder) -> Ask:
    async def ask(text: str, *, token: str = TOKEN, asked: Asked | None = None, limits: Limits | None = None,
                  **question: Any) -> Answer:
        agent = Agent(provider, embedder, limits or Limits())
        return await agent.answer(pool.as_user(Token(token), REQUEST_ID),
                                  Question("acme/support", text, request_id=REQUEST_ID, **question), (asked or Asked()).emit)
    return ask


class FakeEdge:
    """What the edge does for the agent: turn the bearer token into an identity in the scope."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            bearer = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
            if bearer:
                scope[IDENTITY] = {"token": bearer, "user_id": "u", "session_id": "s", "request_id": REQUEST_ID}
        await self._app(scope, receive, send)


@asynccontextmanager
async def serving_app(agent: Agent, pool: RpcPool) -> AsyncIterator[str]:
    """Serve the agent's app with uvicorn on a free loopback port; yield the base URL for OpenAI clients."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(FakeEdge(App(agent, pool)), log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
            await task


@pytest.fixture
async def app_url(pool: RpcPool, provider: OpenAICompatible, embedder: LocalEmbedder) -> AsyncIterator[str]:
    """The app with the scripted model behind it."""
    async with serving_app(Agent(provider, embedder), pool) as url:
        yield url


@pytest.fixture
async def client(app_url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=app_url, api_key=TOKEN, max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture
def read() -> Callable[..., Coroutine[Any, Any, list[Chunk]]]:
    """Read a file in its own process, within the usual limits unless told otherwise."""

    async def read(name: str, data: bytes, *, kernel: bool = True, **limits: int) -> list[Chunk]:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            sandbox = Sandbox(replace(DocumentLimits(), **limits), kernel=kernel)
            with await sandbox.read(file, kind_of(name, data)) as extracted:
                return [piece for batch in extracted.batches(7) for piece in batch]

    return read
