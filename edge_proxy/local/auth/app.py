"""The emulator as an ASGI app: its routes, and the connection pool that lives as long as it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edge_proxy.local.auth import wire
from edge_proxy.local.auth.config import AuthConfig
from edge_proxy.local.auth.endpoints import Endpoints, Pool
from edge_proxy.local.auth.errors import MethodNotAllowed, PathNotFound
from edge_proxy.local.auth.factors import FactorEndpoints
from edge_proxy.local.auth.grants import Clock, wall_clock
from edge_proxy.local.auth.keys import Keys

POOL_SIZE = 5
POOL_WAIT_S = 10.0


def create_app(config: AuthConfig, keys: Keys, clock: Clock = wall_clock) -> Starlette:
    """Return the app. Its pool opens when the app starts and fails the start when the database does not answer."""
    pool = _pool(config)
    endpoints = Endpoints(config, keys, pool, clock)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await pool.open(wait=True, timeout=POOL_WAIT_S)
        try:
            yield
        finally:
            await pool.close()

    return Starlette(
        routes=_routes(endpoints),
        lifespan=lifespan,
        exception_handlers={404: _path_not_found, 405: _method_not_allowed},
    )


def _routes(endpoints: Endpoints) -> list[Route]:
    factors = FactorEndpoints(endpoints)
    table = (
        ("GET", "/health", endpoints.health),
        ("GET", "/settings", endpoints.settings),
        ("GET", "/.well-known/jwks.json", endpoints.jwks),
        ("POST", "/signup", endpoints.signup),
        ("POST", "/token", endpoints.token),
        ("GET", "/user", endpoints.get_user),
        ("PUT", "/user", endpoints.update_user),
        ("POST", "/logout", endpoints.logout),
        ("POST", "/factors", factors.enrol),
        ("DELETE", "/factors/{factor_id}", factors.unenrol),
        ("POST", "/factors/{factor_id}/challenge", factors.challenge),
        ("POST", "/factors/{factor_id}/verify", factors.verify),
    )
    return [Route(path, wire.answering(endpoint), methods=[method]) for method, path, endpoint in table]


def _pool(config: AuthConfig) -> Pool:
    return AsyncConnectionPool(
        config.database_url, connection_class=AsyncConnection, min_size=1, max_size=POOL_SIZE, timeout=POOL_WAIT_S, open=False
    )


async def _path_not_found(request: Request, error: Exception) -> Response:
    return wire.error_response(request, PathNotFound())


async def _method_not_allowed(request: Request, error: Exception) -> Response:
    return wire.error_response(request, MethodNotAllowed())
