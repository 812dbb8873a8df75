"""Sessions and the tokens of a session: opening one, refreshing it, and what the answer looks like.

What a session proved is in the tables (auth.sessions.aal, auth.mfa_amr_claims), and every token is made from them anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from edge_proxy.local.auth import users
from edge_proxy.local.auth.config import AuthConfig
from edge_proxy.local.auth.errors import (
    RefreshTokenAlreadyUsed,
    RefreshTokenNotFound,
    SessionExpired,
    SessionNotFound,
    UserBanned,
    UserNotFound,
)
from edge_proxy.local.auth.keys import Keys
from edge_proxy.local.auth.store import Caller, RefreshToken, Session, Store, User

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Grants:
    """Gives out tokens. Every method runs in the caller's transaction."""

    config: AuthConfig
    keys: Keys

    async def open_session(self, store: Store, user_id: UUID, method: str, caller: Caller) -> dict[str, Any]:
        """Return the tokens of a new session of a person who just proved who they are by `method`."""
        session_id = uuid4()
        await store.add_session(session_id, user_id, method, caller)
        user, session = await live(store, user_id, session_id)
        return await self._tokens(store, user, session, await _new_refresh_token(store, session, parent=None), method)

    async def refresh(self, store: Store, presented: str, caller: Caller) -> dict[str, Any]:
        """Return new tokens for a refresh token, which is used up by this.

        Raises: RefreshTokenNotFound, RefreshTokenAlreadyUsed, UserBanned, SessionExpired.
        """
        token = await store.lock_refresh_token(presented)
        if token is None:
            raise RefreshTokenNotFound
        user, session = await live(store, token.user_id, token.session_id)
        if is_banned(user, store.now):
            raise UserBanned("Invalid Refresh Token: User Banned")
        if session.not_after and session.not_after <= store.now:
            raise SessionExpired
        if token.revoked:
            replacement = await self._already_issued(store, token)
        else:
            await store.revoke_refresh_token(token.token)
            replacement = await _new_refresh_token(store, session, parent=token.token)
        await store.note_refresh(session.id, caller)
        return await self._tokens(store, user, session, replacement, "token_refresh")

    async def upgrade(self, store: Store, user: User, session: Session, factor_id: UUID, caller: Caller) -> dict[str, Any]:
        """Return the tokens of a session whose person just used a second factor: aal2 from now on."""
        await store.raise_session(session, factor_id)
        await store.note_refresh(session.id, caller)
        user, session = await live(store, user.id, session.id)
        return await self._tokens(store, user, session, await _new_refresh_token(store, session, parent=None), "totp")

    async def _already_issued(self, store: Store, used: RefreshToken) -> str:
        """Return the session's live refresh token for a used one, or end the session.

        The last used token is always honoured: its client never received the answer. Older ones are for
        `reuse_interval_s`, for clients that refresh twice at once. Later than that somebody else has a copy.
        """
        replacement = await store.live_refresh_token(used.session_id)
        reusable_until = used.updated_at + timedelta(seconds=self.config.reuse_interval_s)
        if replacement and (replacement.parent == used.token or store.now <= reusable_until):
            return replacement.token
        await store.end_session(used.session_id)
        await store.keep()
        raise RefreshTokenAlreadyUsed

    async def _tokens(self, store: Store, user: User, session: Session, refresh_token: str, method: str) -> dict[str, Any]:
        """Raises: HookFailed."""
        issued_at = int(store.now.timestamp())
        expires_at = issued_at + self.config.jwt_expiry_s
        claims = self._claims(user, session, issued_at, expires_at)
        if self.config.access_token_hook:
            claims = await self.config.access_token_hook.run(store, user.id, claims, method)
        return {
            "access_token": self.keys.sign(claims),
            "token_type": "bearer",
            "expires_in": self.config.jwt_expiry_s,
            "expires_at": expires_at,
            "refresh_token": refresh_token,
            "user": users.to_json(user),
        }

    def _claims(self, user: User, session: Session, issued_at: int, expires_at: int) -> dict[str, Any]:
        """Return the claims of an access token. The only place that makes them; the hook, if any, has the last word."""
        return {
            "iss": self.config.issuer,
            "sub": str(user.id),
            "aud": user.aud,
            "exp": expires_at,
            "iat": issued_at,
            "email": user.email or "",
            "phone": user.phone or "",
            "app_metadata": user.app_metadata or {},
            "user_metadata": user.user_metadata or {},
            "role": user.role,
            "aal": session.aal,
            "amr": session.amr,
            "session_id": str(session.id),
            "is_anonymous": user.is_anonymous,
        }


async def live(store: Store, user_id: UUID, session_id: UUID) -> tuple[User, Session]:
    """Return a person and one of their sessions as they are now. Raises: UserNotFound, SessionNotFound."""
    user = await store.user_by_id(user_id)
    if user is None:
        raise UserNotFound
    session = await store.session(session_id, user_id)
    if session is None:
        raise SessionNotFound
    return user, session


def is_banned(user: User, now: datetime) -> bool:
    return user.banned_until is not None and user.banned_until > now


async def _new_refresh_token(store: Store, session: Session, parent: str | None) -> str:
    token = secrets.token_urlsafe(24)
    await store.add_refresh_token(token, session, parent)
    return token
