"""POST /v1/tokens: a person who is signed in proves who they are once more and gets an API token, shown this once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from edge_proxy import log
from edge_proxy.asgi import Reply, Request
from edge_proxy.auth_client import AuthClient, AuthSession
from edge_proxy.errors import BadBody, CodeNeeded, MethodNotAllowed, NotConfirmed, NotFound, ProxyError, QueryRefused
from edge_proxy.limiter import Meter
from edge_proxy.limits import Limits
from edge_proxy.token_box import Box, TokenKeys, digest, shown_part
from edge_proxy.token_exchange import Ask
from edge_proxy.tokens import Identity, Verifier

PATH = "/v1/tokens"
_MEMBERS = {"org_id": str, "name": str, "permissions": list, "expires_in": int, "password": str}


@dataclass(frozen=True)
class Wish:
    """What is asked for; the database says whether it may be had."""

    org_id: str
    arguments: dict[str, Any]
    password: str = field(repr=False)
    code: str | None = field(repr=False)

    @classmethod
    def read(cls, body: bytes) -> Wish:
        """Raises: BadBody."""
        given = json.loads(body)
        code = given.pop("code", None)
        if given.keys() != _MEMBERS.keys() or not all(type(given[n]) is kind for n, kind in _MEMBERS.items()):
            raise BadBody("members")
        if not all(isinstance(one, str) for one in given["permissions"]) or not isinstance(code, str | None):
            raise BadBody("members")
        password = given.pop("password")
        return cls(given["org_id"], given, password, code)


class TokenCreation:
    def __init__(
        self, keys: TokenKeys | None, auth: AuthClient, verifier: Verifier, ask: Ask, limits: Limits, passwords: Meter
    ) -> None:
        self._keys, self._auth, self._verifier, self._ask = keys, auth, verifier, ask
        self._limits, self._passwords = limits, passwords

    async def call(self, request: Request, identify: Callable[[], Awaitable[Identity]]) -> Reply:
        """Return 201 with the token. Raises: NotConfirmed, CodeNeeded, DatabaseRefused and other ProxyErrors."""
        if request.method != "POST":
            raise MethodNotAllowed("POST")
        if request.query:
            raise QueryRefused
        if self._keys is None:
            raise NotFound
        identity = await identify()
        wish = Wish.read(await request.json_body(self._limits, max_bytes=self._limits.auth_body_bytes))
        # Asked first, so that a wish that cannot be granted opens no session.
        allowed = await self._ask("check_api_token", wish.arguments, identity, request.request_id)
        session = await self._confirmed(wish, allowed, identity, request.request_id)
        try:
            return await self._made(self._keys, wish, session, identity, request.request_id)
        except BaseException:
            await self._end(session, request.request_id)
            raise

    async def _confirmed(self, wish: Wish, allowed: Any, identity: Identity, request_id: str) -> AuthSession:
        """Return a new session of the same person, with a second factor where they have one."""
        email = allowed["email"]
        if allowed["code_needed"] and not wish.code:
            raise CodeNeeded
        if not email:
            raise NotConfirmed("no_email")
        # The same counter as for signing in: this is no second place to guess.
        account = hashlib.sha256(email.strip().lower().encode()).hexdigest()
        await self._passwords.spend(account)
        session = await self._auth.sign_in(email, wish.password, request_id)
        await self._passwords.refund(account)
        try:
            if (await self._verifier.identify(session.access_token)).user_id != identity.user_id:
                raise NotConfirmed("another_person")
            if allowed["code_needed"] and wish.code:
                session = await self._auth.confirm(session, wish.code, request_id)
        except BaseException:
            await self._end(session, request_id)
            raise
        return session

    async def _made(
        self, keys: TokenKeys, wish: Wish, session: AuthSession, identity: Identity, request_id: str
    ) -> Reply:
        opened = await self._verifier.identify(session.access_token)
        token = keys.seal(Box(wish.org_id, session.refresh_token))
        known = {"session_id": opened.session_id, "token_sha256": digest(token), "prefix": shown_part(token)}
        made = await self._ask("create_api_token", wish.arguments | known, identity, request_id)
        return Reply(201, json.dumps({**made, "token": token}).encode())

    async def _end(self, session: AuthSession, request_id: str) -> None:
        try:
            await self._auth.sign_out(session, request_id)
        except ProxyError as err:
            log.write("session_left_open", request_id=request_id, reason=err.reason)
