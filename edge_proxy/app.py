"""The edge as an ASGI app: one table of routes, and around every answer the same headers, log line and error shape."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from edge_proxy import agent_mount, auth, forward, log, token_creation
from edge_proxy.agent_mount import AgentMount, load_agent
from edge_proxy.asgi import SAFE_HEADERS, App, ClientGone, Message, Receive, Reply, Request, Scope, Send, error_reply
from edge_proxy.auth_client import AuthClient
from edge_proxy.buckets import Buckets
from edge_proxy.catalog import Allowlist
from edge_proxy.config import Config
from edge_proxy.cors import cors_headers, preflight
from edge_proxy.errors import Internal, InvalidToken, NotFound, Overloaded, ProxyError
from edge_proxy.health import Health
from edge_proxy.jwks import KeyCache
from edge_proxy.metrics import Metrics
from edge_proxy.places import Places
from edge_proxy.token_box import TokenKeys, is_api_token
from edge_proxy.token_creation import TokenCreation
from edge_proxy.token_exchange import TokenExchange
from edge_proxy.tokens import Identity, Verifier, bearer_token
from edge_proxy.upstream import Upstream

# An operator's probe must get through when everything else is full.
_UNCOUNTED = frozenset({"healthz", "readyz"})
Handler = Callable[[Request, Send], Awaitable[Reply | None]]


class Edge:
    """The app. `clock` tells the time of day for tokens, `monotonic` the time that passes for caches and rates."""

    def __init__(
        self, config: Config, clock: Callable[[], float], monotonic: Callable[[], float], agent: App | None
    ) -> None:
        limits = config.limits
        self._in_flight = 0
        self.metrics = Metrics(lambda: self._in_flight)
        self.upstream = Upstream(limits)
        self.keys = KeyCache(config, self.upstream, monotonic, self.metrics.keys_fetched)
        self.config = config
        self._verifier = Verifier(config, self.keys, clock)
        self._users = Buckets("user", limits.user_rate, limits.buckets, monotonic)
        self._addresses = Buckets("address", limits.address_rate, limits.buckets, monotonic)
        self._auth_addresses = Buckets("auth_address", limits.auth_rate, limits.buckets, monotonic)
        self._user_places = Places("user_in_flight", limits.user_in_flight)
        self._address_places = Places("address_in_flight", limits.address_in_flight)
        self._forwarder = forward.Forwarder(config, self.upstream, Allowlist(limits, monotonic))
        passwords = Buckets("password", limits.password_rate, limits.buckets, monotonic)
        self._auth = auth.AuthPassThrough(config, self.upstream, passwords)
        self._add_api_tokens(passwords, clock, monotonic)
        self._agent = AgentMount(agent, limits) if agent is not None else None
        self._health = Health(config, self.upstream, self.keys, monotonic)

    def _add_api_tokens(self, passwords: Buckets, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        """Raises: ConfigRefused."""
        limits, path = self.config.limits, self.config.token_keys_file
        keys = TokenKeys.load(Path(path)) if path else None
        client, ask = AuthClient(self.config, self.upstream), self._forwarder.ask
        rate = Buckets("api_token", limits.api_token_rate, limits.buckets, monotonic)
        self._exchange = TokenExchange(keys, client, self._verifier, ask, limits, rate, clock)
        self._creation = TokenCreation(keys, client, self._verifier, ask, limits, passwords)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(Request(scope, receive), send)
        else:
            raise RuntimeError(f"the edge does not speak {scope['type']}")

    async def start(self) -> None:
        await self.keys.warm()
        if self._agent is not None:
            await self._agent.start()

    async def stop(self) -> None:
        if self._agent is not None:
            await self._agent.stop()
        await self.upstream.close()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except Exception as err:
            await send({"type": "lifespan.startup.failed", "message": type(err).__name__})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, request: Request, send: Send) -> None:
        """Answer the request; whatever happens, at most one answer, one log line and one count."""
        started = time.perf_counter()
        route, handle = self._route(request)
        status = 0
        extra = [
            *SAFE_HEADERS,
            (b"x-request-id", request.request_id.encode()),
            *cors_headers(request, self.config.cors_origins),
        ]

        async def outgoing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        code = ""
        counted = route not in _UNCOUNTED
        self._in_flight += counted
        try:
            if counted:
                self._take_place(request)
            await self._answer(request, handle, outgoing)
        except ClientGone:
            code = "client_gone"
        except Exception as err:
            # The last resort (R90): the name of the exception is logged, its text may hold data and is not.
            error = err if isinstance(err, ProxyError) else Internal(type(err).__name__)
            code = error.code
            if error.reason:
                request.log["reason"] = error.reason
            if not status:
                await error_reply(error, request.request_id, openai=route == "agent").send(outgoing)
        finally:
            seconds = time.perf_counter() - started
            self._in_flight -= counted
            request.held.close()
            self.metrics.answered(route, status, code, seconds)
            facts = {"route": route, "status": status, "code": code, "ms": round(seconds * 1000, 1)}
            log.write("request", request_id=request.request_id, **facts, **request.log)

    def _take_place(self, request: Request) -> None:
        """Raises: Overloaded, TooMany."""
        if self._in_flight > self.config.limits.in_flight:
            raise Overloaded
        request.held.enter_context(self._address_places.one(request.network))

    async def _answer(self, request: Request, handle: Handler, send: Send) -> None:
        request.check_headers(self.config.limits)
        self._addresses.spend(request.network)
        if request.method == "OPTIONS":
            await preflight(request, self.config.cors_origins).send(send)
            return
        reply = await handle(request, send)
        if reply is not None:
            await reply.send(send)

    def _route(self, request: Request) -> tuple[str, Handler]:
        path = request.path
        if path.startswith(forward.PREFIX):
            return "rpc", self._rpc
        if path.startswith(auth.PREFIX):
            return "auth", self._auth_call
        if path == token_creation.PATH:
            return "tokens", self._create_token
        if path.startswith(agent_mount.PREFIX):
            return "agent", self._agent_call
        if path == "/healthz":
            return "healthz", self._health.alive
        if path == "/readyz":
            return "readyz", self._health.ready
        return "none", _nothing

    async def _rpc(self, request: Request, send: Send) -> Reply:
        name = forward.rpc_name(request)
        identity = await self._identify(request)
        return await self._forwarder.call(request, name, identity)

    async def _auth_call(self, request: Request, send: Send) -> Reply:
        if request.method == "POST":
            self._auth_addresses.spend(request.network)
        return await self._auth.call(request, lambda: self._identify_person(request))

    async def _create_token(self, request: Request, send: Send) -> Reply:
        self._auth_addresses.spend(request.network)
        return await self._creation.call(request, lambda: self._identify_person(request))

    async def _agent_call(self, request: Request, send: Send) -> None:
        if self._agent is None:
            raise NotFound
        identity = await self._identify(request)
        await self._agent.serve(request, identity, send)

    async def _identify_person(self, request: Request) -> Identity:
        """The same where an API token is no credential: it would be a way to more than it was made for."""
        if is_api_token(bearer_token(request.values(b"authorization"))):
            raise InvalidToken("api_token")
        return await self._identify(request)

    async def _identify(self, request: Request) -> Identity:
        """Return the verified caller and count the request against the user."""
        credential = bearer_token(request.values(b"authorization"))
        if is_api_token(credential):
            request.log["via"] = "api_token"
            identity = await self._exchange.identify(credential, request.request_id)
        else:
            identity = await self._verifier.identify(credential)
        request.log.update(
            sub=log.fingerprint(identity.user_id), session=log.fingerprint(identity.session_id), kid=identity.kid
        )
        self._users.spend(identity.user_id)
        request.held.enter_context(self._user_places.one(identity.user_id))
        return identity


async def _nothing(request: Request, send: Send) -> Reply:
    raise NotFound


def create_app(
    config: Config,
    *,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    agent: App | None = None,
) -> Edge:
    """Return the app; `agent` replaces the one that `config.agent_app` names. Raises: AgentMissing."""
    return Edge(config, clock, monotonic, agent if agent is not None else load_agent(config.agent_app))
