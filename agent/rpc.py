"""The only door to data: call an RPC over HTTP as the signed-in person."""

import asyncio
import json
import logging
from types import TracebackType
from typing import Any, NoReturn, Self

import aiohttp

from agent.errors import DatabaseError, TimedOut, Unauthenticated, UpstreamFailed, database_error
from agent.tracing import Spans

log = logging.getLogger(__name__)

Json = Any
"""A decoded JSON value."""

MAX_ANSWER_BYTES = 4 * 1024 * 1024
# Longer than the statement limit of role `authenticated` (8 s): the database gives up first and says why.
TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5, sock_connect=5)
CONNECTIONS = 64
_RECORD = "record_denial"
_RECORDED = ("42501", "PT401")
_ABOUT = {"org_id": "named_org", "run_id": "run_id", "bot": "bot"}


class Token:
    """A person's access token. Nothing but `bearer()` gives it away: not repr, str, format, pickle or copy."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        if not value or not value.isascii() or not value.isprintable() or " " in value:
            raise Unauthenticated
        self.__value = value

    def bearer(self) -> str:
        """Return the value of the authorization header."""
        return f"Bearer {self.__value}"

    def __repr__(self) -> str:
        return "Token(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token cannot be copied or pickled")


class RpcPool:
    """The connections to one PostgREST, shared by all requests; holds no identity."""

    def __init__(self, rest_url: str, publishable_key: str) -> None:
        self._rest_url = rest_url.rstrip("/")
        self._key = publishable_key
        self._session: aiohttp.ClientSession | None = None
        self.spans = Spans()

    def as_user(self, token: Token, request_id: str = "") -> "Rpc":
        """Return the door for one person and one request."""
        return Rpc(self, token, request_id)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def post(self, name: str, body: bytes, token: Token, request_id: str) -> tuple[int, bytes]:
        """Return (status, body) of one call. Raises: TimedOut, UpstreamFailed."""
        with self.spans.step(f"rpc {name}"):
            return await self._post(name, body, token, request_id)

    async def _post(self, name: str, body: bytes, token: Token, request_id: str) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=TIMEOUT, connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)
        headers = {"apikey": self._key, "authorization": token.bearer(), "content-profile": "api",
                   "content-type": "application/json", "accept": "application/json",
                   "accept-encoding": "identity", "prefer": "handling=strict", **self.spans.headers()}
        if request_id:
            headers["x-request-id"] = request_id
        try:
            async with self._session.post(f"{self._rest_url}/rpc/{name}", data=body, headers=headers,
                                          allow_redirects=False) as response:
                # readexactly raises when the body ends before the cap, which is the good case.
                try:
                    await response.content.readexactly(MAX_ANSWER_BYTES + 1)
                except asyncio.IncompleteReadError as whole:
                    return response.status, whole.partial
        except TimeoutError as err:
            raise TimedOut from err
        except aiohttp.ClientError as err:
            raise UpstreamFailed from err
        raise UpstreamFailed("The database service sent too large an answer.")


class Rpc:
    """Calls as one person; the token stays inside."""

    __slots__ = ("_pool", "_token", "_request_id")

    def __init__(self, pool: RpcPool, token: Token, request_id: str) -> None:
        self._pool, self._token, self._request_id = pool, token, request_id

    @property
    def spans(self) -> Spans:
        """Return where the steps of this request are timed."""
        return self._pool.spans

    async def call(self, name: str, arguments: dict[str, Json] | None = None) -> Json:
        """Return what function `name` of schema api returns. Raises: DatabaseError, Unauthenticated."""
        body = json.dumps(arguments or {}, ensure_ascii=False, separators=(",", ":")).encode()
        status, answer = await self._pool.post(name, body, self._token, self._request_id)
        if status == 204:
            return None
        try:
            decoded = json.loads(answer)
        except ValueError as err:
            raise UpstreamFailed from err
        if status == 200:
            return decoded
        error = self._error(name, status, decoded)
        await self._record(name, arguments or {}, decoded)
        raise error

    async def _record(self, name: str, arguments: dict[str, Json], body: Json) -> None:
        """Have a refusal recorded that the database gave us; one that came through an edge is recorded already (F64)."""
        if not isinstance(body, dict) or "sqlstate" in body or body.get("code") not in _RECORDED or name == _RECORD:
            return
        about = {told: arguments[key] for key, told in _ABOUT.items() if arguments.get(key) is not None}
        told = {"function_name": name, "code": body["code"], "message": str(body.get("message") or "")[:500], **about}
        try:
            status, _ = await self._pool.post(_RECORD, json.dumps(told).encode(), self._token, self._request_id)
        except DatabaseError:
            status = 0
        # 404: none of the person's organizations is meant, and so no trail.
        if status not in (200, 404):
            log.warning("a refusal could not be recorded", extra={"rpc": name, "status": status, "request_id": self._request_id})

    def _error(self, name: str, status: int, body: Json) -> DatabaseError | Unauthenticated:
        fields = body if isinstance(body, dict) else {}
        code, message = str(fields.get("code") or ""), str(fields.get("message") or "")
        # Behind the edge the SQLSTATE has its own field and `code` is the edge's word.
        sqlstate = str(fields.get("sqlstate") or code)
        log.info("rpc refused", extra={"rpc": name, "status": status, "sqlstate": sqlstate,
                                       "request_id": self._request_id})
        if status == 401 and not sqlstate.startswith("PT"):
            return Unauthenticated()
        return database_error(sqlstate, message)
