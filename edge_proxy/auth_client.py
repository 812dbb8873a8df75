"""What the edge itself asks of Supabase Auth, always in the name of the person whose credential it was given."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from edge_proxy.config import Config
from edge_proxy.errors import NotConfirmed, TooMany, UpstreamFailed
from edge_proxy.upstream import Upstream

_RETRY_AFTER_S = 5


@dataclass(frozen=True)
class AuthSession:
    """The answer of a grant."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    factor_ids: tuple[str, ...] = ()
    """The verified authenticator apps of the person."""


class AuthClient:
    """Four calls of Supabase Auth's API; nothing is kept."""

    def __init__(self, config: Config, upstream: Upstream) -> None:
        self._config, self._upstream = config, upstream

    async def sign_in(self, email: str, password: str, request_id: str) -> AuthSession:
        """Open a session of its own. Raises: NotConfirmed, TooMany, UpstreamFailed."""
        return await self._grant("password", {"email": email, "password": password}, request_id)

    async def refresh(self, refresh_token: str, request_id: str) -> AuthSession:
        """Return the session's tokens of the hour. Raises: NotConfirmed, TooMany, UpstreamFailed."""
        return await self._grant("refresh_token", {"refresh_token": refresh_token}, request_id)

    async def confirm(self, session: AuthSession, code: str, request_id: str) -> AuthSession:
        """Return the session's tokens after a second factor. Raises: NotConfirmed, TooMany, UpstreamFailed."""
        for factor in session.factor_ids:
            path = f"factors/{factor}"
            challenge = await self._post(f"{path}/challenge", {}, request_id, session.access_token)
            answer = {"challenge_id": _text(challenge, "id"), "code": code}
            try:
                return _session(await self._post(f"{path}/verify", answer, request_id, session.access_token))
            except NotConfirmed:
                continue  # a code is of one app; there may be another
        raise NotConfirmed("no_factor_took_the_code")

    async def sign_out(self, session: AuthSession, request_id: str) -> None:
        """End this one session. Raises: NotConfirmed, TooMany, UpstreamFailed."""
        await self._post("logout?scope=local", None, request_id, session.access_token)

    async def _grant(self, kind: str, body: dict[str, str], request_id: str) -> AuthSession:
        return _session(await self._post(f"token?grant_type={kind}", body, request_id))

    async def _post(self, path: str, body: dict[str, str] | None, request_id: str, token: str = "") -> Any:
        headers = {"apikey": self._config.publishable_key, "accept": "application/json", "x-request-id": request_id}
        if body is not None:
            headers["content-type"] = "application/json"
        if token:
            headers["authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        reply = await self._upstream.request("POST", f"{self._config.auth_url}/{path}", headers, data)
        if reply.status == 429:
            raise TooMany(_RETRY_AFTER_S, "supabase_auth")
        if 400 <= reply.status < 500 and reply.status != 409:
            raise NotConfirmed("supabase_auth")
        if reply.status not in (200, 204):
            raise UpstreamFailed("supabase_auth")
        try:
            return json.loads(reply.body) if reply.body else None
        except ValueError as err:
            raise UpstreamFailed("supabase_auth_shape") from err


def _session(answer: Any) -> AuthSession:
    user = answer.get("user") if isinstance(answer, dict) else None
    factors = (user.get("factors") if isinstance(user, dict) else None) or []
    try:
        apps = tuple(str(f["id"]) for f in factors if (f["status"], f["factor_type"]) == ("verified", "totp"))
    except (KeyError, TypeError) as err:
        raise UpstreamFailed("supabase_auth_shape") from err
    return AuthSession(_text(answer, "access_token"), _text(answer, "refresh_token"), apps)


def _text(answer: Any, name: str) -> str:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value:
        raise UpstreamFailed("supabase_auth_shape")
    return value
