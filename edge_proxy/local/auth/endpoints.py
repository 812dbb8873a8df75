"""What each path does. Supabase Auth's own paths, without its /auth/v1 prefix."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import jwt
from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from psycopg_pool import AsyncConnectionPool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edge_proxy.local.auth import passwords, users, wire
from edge_proxy.local.auth.config import AuthConfig
from edge_proxy.local.auth.errors import (
    AccountAalRequired,
    AnonymousDisabled,
    BadJwt,
    BearerBanned,
    EmailExists,
    InvalidCredentials,
    ManagedBySso,
    PhoneDisabled,
    SamePassword,
    UnsupportedGrant,
    UserAlreadyExists,
    UserBanned,
    ValidationFailed,
)
from edge_proxy.local.auth.grants import Clock, Grants, is_banned, live
from edge_proxy.local.auth.keys import Keys
from edge_proxy.local.auth.store import Caller, Session, Store, User

Pool = AsyncConnectionPool[AsyncConnection]

EMAIL = re.compile(r"[^\s@\x00-\x1f\"(),:;<>\[\\\]]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
MAX_EMAIL_LENGTH = 255
MAX_USER_AGENT_LENGTH = 512


@dataclass(frozen=True)
class Endpoints:
    config: AuthConfig
    keys: Keys
    pool: Pool
    clock: Clock

    async def health(self, request: Request) -> Response:
        return JSONResponse(
            {"version": "ringfence", "name": "Ringfence auth emulator", "description": "Speaks Supabase Auth's wire format"}
        )

    async def settings(self, request: Request) -> Response:
        return JSONResponse(
            {
                "external": {"anonymous_users": False, "email": True, "phone": False},
                "disable_signup": False,
                "mailer_autoconfirm": True,
                "phone_autoconfirm": False,
                "sms_provider": "",
                "saml_enabled": False,
            }
        )

    async def jwks(self, request: Request) -> Response:
        return JSONResponse(self.keys.public(), headers={"cache-control": "public, max-age=600"})

    async def signup(self, request: Request) -> Response:
        body = await _read_account(request)
        password = wire.text(body, "password")
        if not wire.text(body, "email"):
            raise AnonymousDisabled if not password else ValidationFailed("To signup, please provide your email")
        if not password:
            raise ValidationFailed("Signup requires a valid password")
        passwords.check_strength(password)
        email = _address(wire.text(body, "email"))
        data = wire.mapping(body, "data")
        hashed = await passwords.hash_password(password)
        user_id = uuid4()
        async with self.store() as store:
            if not await store.add_user(user_id, email, hashed, self.config.audience, data):
                raise UserAlreadyExists
            return JSONResponse(await self.grants.open_session(store, user_id, "password", caller_of(request)))

    async def token(self, request: Request) -> Response:
        match request.query_params.get("grant_type"):
            case "password":
                return await self._password_grant(request)
            case "refresh_token":
                return await self._refresh_grant(request)
            case _:
                raise UnsupportedGrant

    async def _password_grant(self, request: Request) -> Response:
        body = await _read_account(request)
        password = wire.text(body, "password")
        email = wire.text(body, "email").strip().lower()
        async with self.store() as store:
            user = await store.user_by_email(email)
        # Checked outside the transaction: a slow hash must not hold a connection.
        if not await passwords.matches(password, user.encrypted_password if user else None) or user is None:
            raise InvalidCredentials
        async with self.store() as store:
            now = await store.lock_user(user.id)
            # Changed or deleted during the hash: a session opened now would outlive the end of all others.
            if now is None or now.encrypted_password != user.encrypted_password:
                raise InvalidCredentials
            # Only after the password: who is banned is not for strangers to know.
            if is_banned(now, store.now):
                raise UserBanned
            return JSONResponse(await self.grants.open_session(store, user.id, "password", caller_of(request)))

    async def _refresh_grant(self, request: Request) -> Response:
        presented = wire.text(await wire.read_json(request), "refresh_token")
        if not presented:
            raise ValidationFailed("refresh_token required")
        async with self.store() as store:
            return JSONResponse(await self.grants.refresh(store, presented, caller_of(request)))

    async def get_user(self, request: Request) -> Response:
        user_id, session_id = self.identity(request)
        async with self.store() as store:
            user, _ = await signed_in(store, user_id, session_id)
        return JSONResponse(users.to_json(user))

    async def update_user(self, request: Request) -> Response:
        user_id, session_id = self.identity(request)
        async with self.store() as store:
            user, session = await signed_in(store, user_id, session_id)
        body = await _read_account(request)
        email = _address(wire.text(body, "email")) if wire.text(body, "email") else user.email
        password = wire.text(body, "password")
        data = wire.mapping(body, "data")
        if (password or email != user.email) and users.is_managed_by_sso(user):
            raise ManagedBySso
        if (password or email != user.email) and session.aal != "aal2" and users.has_second_factor(user):
            raise AccountAalRequired
        hashed = await self._new_hash(user, password) if password else None
        async with self.store() as store:
            if email and email != user.email:
                try:
                    await store.set_email(user.id, email)
                except UniqueViolation as error:
                    raise EmailExists from error
            if hashed:
                await store.set_password(user.id, hashed)
                await store.end_other_sessions(user.id, session.id)
            if data:
                await store.set_metadata(user.id, data)
            user, _ = await live(store, user.id, session.id)
        return JSONResponse(users.to_json(user))

    async def logout(self, request: Request) -> Response:
        user_id, session_id = self.identity(request)
        async with self.store() as store:
            user, session = await signed_in(store, user_id, session_id)
            match request.query_params.get("scope") or "global":
                case "global":
                    await store.end_sessions(user.id)
                case "local":
                    await store.end_session(session.id)
                case "others":
                    await store.end_other_sessions(user.id, session.id)
                case _:
                    raise ValidationFailed("Unsupported logout scope")
        return Response(status_code=204)

    @property
    def grants(self) -> Grants:
        return Grants(self.config, self.keys)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """Give the tables within one transaction: kept when the block ends, undone when it raises."""
        async with self.pool.connection() as connection:
            yield Store(connection, self.clock())

    def identity(self, request: Request) -> tuple[UUID, UUID]:
        """Return the ids of the person and session an access token names, without asking the database.

        Raises: NoAuthorization, BadJwt.
        """
        token = wire.bearer(request)
        try:
            claims = self.keys.verify(token)
            user_id, session_id = UUID(claims["sub"]), UUID(claims["session_id"])
            expired = claims["exp"] <= self.clock().timestamp()
            ours = claims["aud"] == self.config.audience and claims["iss"] == self.config.issuer
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise BadJwt from error
        if expired:
            raise BadJwt("invalid JWT: token is expired")
        if not ours:
            raise BadJwt("invalid JWT: issued elsewhere or for something else")
        return user_id, session_id

    async def _new_hash(self, user: User, password: str) -> str:
        passwords.check_strength(password)
        if await passwords.matches(password, user.encrypted_password):
            raise SamePassword
        return await passwords.hash_password(password)


async def signed_in(store: Store, user_id: UUID, session_id: UUID) -> tuple[User, Session]:
    """Return who a token speaks for, if they still may. Raises: UserNotFound, SessionNotFound, BearerBanned."""
    user, session = await live(store, user_id, session_id)
    if is_banned(user, store.now):
        raise BearerBanned
    return user, session


async def _read_account(request: Request) -> wire.Body:
    """Return what a request says of an account. Raises: PhoneDisabled for a telephone number, and what read_json raises."""
    body = await wire.read_json(request)
    if wire.text(body, "phone"):
        raise PhoneDisabled
    return body


def _address(email: str) -> str:
    """Return an e-mail address in the one spelling we store. Raises: ValidationFailed."""
    if len(email) > MAX_EMAIL_LENGTH or not EMAIL.fullmatch(email):
        raise ValidationFailed("Unable to validate email address: invalid format")
    return email.lower()


def caller_of(request: Request) -> Caller:
    user_agent = request.headers.get("user-agent", "")[:MAX_USER_AGENT_LENGTH]
    return Caller(user_agent or None, request.client.host if request.client else None)
