"""A recording upstream on loopback, a key, a clock, and an edge in front: everything tests/proxy needs."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import uvicorn

from edge_proxy.app import Edge, create_app
from edge_proxy.config import Config
from edge_proxy.limits import Limits
from tests.proxy.doubles import Agent, RecordingUpstream
from tests.proxy.support import ISSUER, PUBLISHABLE_KEY, Clock, SigningKey


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return SigningKey.generate("live-key")


@pytest.fixture(scope="session")
def other_key() -> SigningKey:
    """A key the edge does not know."""
    return SigningKey.generate("other-key")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits() -> Limits:
    """A test module overrides this fixture to run under other numbers."""
    return Limits()


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Any], Any]]:
    """Return a function that serves an ASGI app on a free loopback port and returns its URL."""
    running: list[uvicorn.Server] = []

    async def start(app: Any, **settings: Any) -> str:
        # With the protocol named, asyncio sets TCP_NODELAY; without, each answer waits 40 ms for an acknowledgement.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        quiet = {"log_config": None, "access_log": False, "server_header": False, "ws": "none", "lifespan": "off"}
        config = uvicorn.Config(app, **{**quiet, **settings})
        config.load()
        # Not serve(), which takes over the signals, nor shutdown(), which always waits 0.1 s.
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listener])
        running.append(server)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server in reversed(running):
        for listening in server.servers:
            listening.close()
        for connection in list(server.server_state.connections):
            connection.transport.close()
        await server.lifespan.shutdown()


@pytest.fixture
async def upstream(key: SigningKey, serve: Callable[..., Any]) -> RecordingUpstream:
    upstream = RecordingUpstream(key)
    upstream.url = await serve(upstream)
    return upstream


@pytest.fixture
def config(upstream: RecordingUpstream, limits: Limits) -> Config:
    return Config(
        publishable_key=PUBLISHABLE_KEY,
        rest_url=f"{upstream.url}/rest/v1",
        auth_url=f"{upstream.url}/auth/v1",
        jwks_url=f"{upstream.url}/auth/v1/.well-known/jwks.json",
        issuer=ISSUER,
        limits=limits,
    )


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
async def make_edge(config: Config, clock: Clock, agent: Agent) -> AsyncIterator[Callable[..., Any]]:
    """Return a function that starts an edge; keyword arguments replace settings."""
    edges: list[Edge] = []

    async def make(**changes: Any) -> Edge:
        edge = create_app(replace(config, **changes), clock=clock, monotonic=clock, agent=agent)
        edges.append(edge)
        await edge.start()
        return edge

    yield make
    for edge in edges:
        await edge.stop()


@pytest.fixture
async def edge(make_edge: Callable[..., Any]) -> Edge:
    edge: Edge = await make_edge()
    return edge
