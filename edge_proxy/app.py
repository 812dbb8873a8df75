"""The edge as an ASGI app: one table of routes, and around every answer the same headers, log line and error shape."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from edge_proxy import agent_mount, auth, forward, log, protected_resource, token_creation, tracing
from edge_proxy.admission import Admission, make_limiter
from edge_proxy.agent_mount import AgentMount, load_agent
from edge_proxy.asgi import App, ClientGone, Receive, Reply, Request, Scope, Send
from edge_proxy.auth_client import AuthClient
from edge_proxy.catalog import Allowlist
from edge_proxy.config import Config
from edge_proxy.cors import preflight
from edge_proxy.errors import Internal, InvalidToken, NotFound, ProxyError, Stopping
from edge_proxy.health import Health
from edge_proxy.jwks import KeyCache
from edge_proxy.limiter import Limiter, Meter
from edge_proxy.metrics import Metrics, outcome
from edge_proxy.outgoing import Outgoing
from edge_proxy.token_box import TokenKeys, is_api_token
from edge_proxy.token_creation import TokenCreation
from edge_proxy.token_exchange import TokenExchange
from edge_proxy.tokens import Identity, Verifier, bearer_token
from edge_proxy.tracing import Tracing
from edge_proxy.upstream import Upstream
from edge_proxy.watch import Watch

# An operator's probe must get through when everything else is full.
_UNCOUNTED = frozenset({"healthz", "readyz"})
Clock = Callable[[], float]
Handler = Callable[[Request, Send], Awaitable[Reply | None]]


class Edge:
    """The app. `clock` tells the time of day for tokens, `monotonic` the time that passes for caches and rates."""

    def __init__(self, config: Config, clock: Clock, monotonic: Clock, agent: App | None, traces: Tracing) -> None:
        limits = config.limits
        self._serving: set[asyncio.Task[object]] = set()
        self._told = False
        self.metrics = Metrics(lambda: len(self._serving), limits.metric_organizations)
        self.upstream = Upstream(config)
        self.keys = KeyCache(config, self.upstream, monotonic, self.metrics.keys_fetched)
        self.config, self._traces = config, traces
        self._verifier = Verifier(config, self.keys, clock)
        self._forwarder = forward.Forwarder(config, self.upstream, Allowlist(limits, monotonic), traces, self.metrics.denial_unrecorded)
        limiter = make_limiter(config, monotonic)
        self.admission = Admission(limits, limiter, self._forwarder.ask, self.metrics, monotonic)
        passwords = Meter(limiter, "password", limits.password_rate)
        self._auth = auth.AuthPassThrough(config, self.upstream, passwords)
        self._add_api_tokens(limiter, passwords, clock)
        watch = Watch(self._forwarder.ask_at_once, limits)
        self._agent = AgentMount(agent, limits, watch, self.admission.organization) if agent is not None else None
        self.health = Health(config, self.upstream, self.keys, limiter, monotonic)

    def _add_api_tokens(self, limiter: Limiter, passwords: Meter, clock: Clock) -> None:
        """Raises: ConfigRefused."""
        limits, path = self.config.limits, self.config.token_keys_file
        keys = TokenKeys.load(Path(path)) if path else None
        client, ask = AuthClient(self.config, self.upstream), self._forwarder.ask
        rate = Meter(limiter, "api_token", limits.api_token_rate)
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
            await self._agent.start(self._traces.tracer)

    async def stop(self) -> None:
        if self._agent is not None:
            await self._agent.stop()
        await self.upstream.close()
        await self.admission.limiter.close()
        self._traces.close()

    def drain(self) -> None:
        """Take no new work for granted: /readyz says so from now on; what is still open after `drain_seconds` is told."""
        self.health.stopping = True
        asyncio.get_running_loop().call_later(self.config.limits.drain_seconds, self._tell)

    def _tell(self) -> None:
        self._told = True
        for task in self._serving:
            task.cancel()

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
        outgoing = Outgoing(request, send, self.config, openai=route == "agent")
        code, task = "", asyncio.current_task()
        counted = route not in _UNCOUNTED and task is not None
        with self._traces.span(f"edge {route}", server=True) as span:
            if counted:
                self._serving.add(task)
            try:
                if counted:
                    self.admission.take_place(request, len(self._serving))
                await self._answer(request, handle, outgoing, counted)
            except ClientGone:
                code = "client_gone"
            except asyncio.CancelledError:
                if not self._told or task is None:
                    raise
                task.uncancel()
                code = await self._failed(request, outgoing, Stopping())
            except Exception as err:
                code = await self._failed(request, outgoing, err)
            finally:
                self._serving.discard(task)
                request.held.close()
                self.admission.served(request)
                seconds, code = time.perf_counter() - started, code or request.facts.get("code", "")
                ended, org = outcome(outgoing.status, code), request.org or request.facts.get("org", "")
                self.metrics.answered(route, outgoing.status, code, seconds)
                if org:
                    request.log["org"] = org
                    self.metrics.answered_for(org, ended, seconds, request.bytes_in + request.bytes_out, request.facts)
                facts = {"route": route, "status": outgoing.status, "outcome": ended, "code": code, "ms": round(seconds * 1000, 1), **request.log}
                log.write("request", request_id=request.request_id, **facts)
                if span is not None:
                    span.set_attributes({f"ringfence.{name}": value for name, value in facts.items()})
                    span.set_attribute("ringfence.request_id", request.request_id)

    async def _failed(self, request: Request, outgoing: Outgoing, err: Exception) -> str:
        """Say so to the client as far as that is still possible; return the code for the log."""
        # The last resort (R90): the name of the exception is logged, its text may hold data and is not.
        error = err if isinstance(err, ProxyError) else Internal(type(err).__name__)
        if error.reason:
            request.log["reason"] = error.reason
        if outgoing.status:
            self.metrics.stream_ended(error.code)
        await outgoing.fail(error)
        return error.code

    async def _answer(self, request: Request, handle: Handler, send: Send, counted: bool) -> None:
        request.check_headers(self.config.limits)
        if counted:
            await self.admission.address(request)
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
        if protected_resource.is_mcp(path):
            return "mcp", self._agent_call
        if path.startswith(protected_resource.PREFIX):
            return "metadata", protected_resource.metadata(self.config)
        probe = {"/healthz": self.health.alive, "/readyz": self.health.ready}.get(path)
        if probe is not None:
            return path[1:], probe
        return "none", _nothing

    async def _rpc(self, request: Request, send: Send) -> Reply:
        name = forward.rpc_name(request)
        identity = await self._identify(request)
        body = await request.json_body(self.config.limits)
        await self.admission.organization(request, identity, request.members.get("org_id"))
        return await self._forwarder.call(request, name, identity, body)

    async def _auth_call(self, request: Request, send: Send) -> Reply:
        if request.method == "POST":
            await self.admission.stranger(request)
        return await self._auth.call(request, lambda: self._identify_person(request))

    async def _create_token(self, request: Request, send: Send) -> Reply:
        await self.admission.stranger(request)
        return await self._creation.call(request, lambda: self._identify_person(request))

    async def _agent_call(self, request: Request, send: Send) -> None:
        if protected_resource.is_mcp(request.path):
            protected_resource.check_origin(request, self.config)
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
        if by_token := is_api_token(credential):
            request.log["via"] = "api_token"
            identity = await self._exchange.identify(credential, request.request_id)
        else:
            identity = await self._verifier.identify(credential)
        request.log.update(
            sub=log.fingerprint(identity.user_id), session=log.fingerprint(identity.session_id), kid=identity.kid
        )
        await self.admission.person(request, identity, by_token=by_token)
        return identity


async def _nothing(request: Request, send: Send) -> Reply:
    raise NotFound


def create_app(
    config: Config,
    *,
    clock: Clock = time.time,
    monotonic: Clock = time.monotonic,
    agent: App | None = None,
    traces: Tracing | None = None,
) -> Edge:
    """Return the app; `agent` replaces the one that `config.agent_app` names. Raises: AgentMissing, ConfigRefused."""
    agent = agent if agent is not None else load_agent(config.agent_app)
    return Edge(config, clock, monotonic, agent, traces or tracing.configured(config))
