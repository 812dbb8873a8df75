"""The tables of schema auth as Python sees them: one object for one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString, TypeVar
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from edge_proxy.local.auth import queries

Row = TypeVar("Row")


@dataclass(frozen=True)
class User:
    id: UUID
    aud: str
    role: str
    email: str | None
    phone: str | None
    encrypted_password: str | None
    email_confirmed_at: datetime | None
    phone_confirmed_at: datetime | None
    confirmed_at: datetime | None
    last_sign_in_at: datetime | None
    app_metadata: dict[str, Any] | None
    user_metadata: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
    banned_until: datetime | None
    is_anonymous: bool
    identities: list[dict[str, Any]]
    factors: list[dict[str, Any]]


@dataclass(frozen=True)
class Session:
    id: UUID
    user_id: UUID
    aal: str
    not_after: datetime | None
    amr: list[dict[str, Any]]
    """How the person proved who they are, latest first: {method, timestamp}."""


@dataclass(frozen=True)
class RefreshToken:
    token: str
    parent: str | None
    """The token this one replaced."""
    revoked: bool
    updated_at: datetime
    session_id: UUID
    user_id: UUID


@dataclass(frozen=True)
class Factor:
    id: UUID
    friendly_name: str
    factor_type: str
    verified: bool
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Challenge:
    id: UUID
    created_at: datetime
    verified_at: datetime | None
    ip: str


@dataclass(frozen=True)
class Caller:
    """Where a request came from, kept with the session it opened or refreshed."""

    user_agent: str | None
    ip: str | None


@dataclass(frozen=True)
class Store:
    """The statements of `queries` with types. `now` is the time of the request."""

    connection: AsyncConnection
    now: datetime

    async def user_by_email(self, email: str) -> User | None:
        return await self._one(User, queries.USER_BY_EMAIL, email=email)

    async def lock_user(self, user_id: UUID) -> User | None:
        """Return a person as they are now; nobody changes them before the transaction ends."""
        return await self._one(User, queries.LOCK_USER, user_id=user_id)

    async def user_by_id(self, user_id: UUID) -> User | None:
        return await self._one(User, queries.USER_BY_ID, user_id=user_id)

    async def add_user(self, user_id: UUID, email: str, hashed: str, audience: str, data: dict[str, Any]) -> bool:
        """Add a confirmed person who signs in with e-mail and password; false when the address is taken."""
        identity = {"sub": str(user_id), "email": email, "email_verified": False, "phone_verified": False}
        added = await self.connection.execute(
            queries.ADD_USER,
            {
                "user_id": user_id, "email": email, "hash": hashed, "audience": audience, "now": self.now,
                "app_metadata": Jsonb({"provider": "email", "providers": ["email"]}),
                "user_metadata": Jsonb(data | identity | {"email_verified": True}),
            },
        )
        if added.rowcount == 0:
            return False
        await self._run(queries.ADD_IDENTITY, user_id=user_id, identity=Jsonb(identity))
        return True

    async def set_metadata(self, user_id: UUID, changes: dict[str, Any]) -> None:
        """Merge `changes` into user_metadata; a null removes its key."""
        await self._run(queries.SET_METADATA, user_id=user_id, changes=Jsonb(changes))

    async def set_password(self, user_id: UUID, hashed: str) -> None:
        await self._run(queries.SET_PASSWORD, user_id=user_id, hash=hashed)

    async def set_email(self, user_id: UUID, email: str) -> None:
        await self._run(queries.SET_EMAIL, user_id=user_id, email=email)
        await self._run(queries.SET_IDENTITY_EMAIL, user_id=user_id, email=email)

    async def add_session(self, session_id: UUID, user_id: UUID, method: str, caller: Caller) -> None:
        """Open a session of a person who just proved who they are by `method`."""
        await self._run(
            queries.ADD_SESSION, session_id=session_id, user_id=user_id, user_agent=caller.user_agent, ip=caller.ip
        )
        await self._run(queries.ADD_AMR_CLAIM, session_id=session_id, method=method)
        await self._run(queries.NOTE_SIGN_IN, user_id=user_id)

    async def session(self, session_id: UUID, user_id: UUID) -> Session | None:
        return await self._one(Session, queries.SESSION, session_id=session_id, user_id=user_id)

    async def note_refresh(self, session_id: UUID, caller: Caller) -> None:
        await self._run(queries.NOTE_REFRESH, session_id=session_id, user_agent=caller.user_agent, ip=caller.ip)

    async def end_session(self, session_id: UUID) -> None:
        await self._run(queries.END_SESSION, session_id=session_id)

    async def end_sessions(self, user_id: UUID) -> None:
        await self._run(queries.END_SESSIONS, user_id=user_id)

    async def end_other_sessions(self, user_id: UUID, session_id: UUID) -> None:
        await self._run(queries.END_OTHER_SESSIONS, user_id=user_id, session_id=session_id)

    async def add_refresh_token(self, token: str, session: Session, parent: str | None) -> None:
        await self._run(
            queries.ADD_REFRESH_TOKEN, token=token, user_id=str(session.user_id), session_id=session.id, parent=parent
        )

    async def lock_refresh_token(self, token: str) -> RefreshToken | None:
        return await self._one(RefreshToken, queries.LOCK_REFRESH_TOKEN, token=token)

    async def live_refresh_token(self, session_id: UUID) -> RefreshToken | None:
        return await self._one(RefreshToken, queries.LIVE_REFRESH_TOKEN, session_id=session_id)

    async def revoke_refresh_token(self, token: str) -> None:
        await self._run(queries.REVOKE_REFRESH_TOKEN, token=token)

    async def factors(self, user_id: UUID) -> list[Factor]:
        async with self.connection.cursor(row_factory=class_row(Factor)) as cursor:
            await cursor.execute(queries.FACTORS, {"user_id": user_id})
            return await cursor.fetchall()

    async def lock_factor(self, factor_id: UUID, user_id: UUID) -> Factor | None:
        return await self._one(Factor, queries.LOCK_FACTOR, factor_id=factor_id, user_id=user_id)

    async def add_factor(self, factor_id: UUID, user_id: UUID, name: str, secret: str) -> None:
        await self._run(queries.ADD_FACTOR, factor_id=factor_id, user_id=user_id, name=name, secret=secret)

    async def verify_factor(self, factor_id: UUID) -> None:
        await self._run(queries.VERIFY_FACTOR, factor_id=factor_id)

    async def remove_factor(self, factor_id: UUID, user_id: UUID) -> None:
        """Remove a factor and what it proved: its sessions are aal1 from their next token."""
        await self._run(queries.FORGET_PROOF, factor_id=factor_id, user_id=user_id)
        await self._run(queries.LOWER_SESSIONS, factor_id=factor_id, user_id=user_id)
        await self._run(queries.REMOVE_FACTOR, factor_id=factor_id)

    async def drop_unfinished_factors(self, user_id: UUID, before: datetime) -> None:
        await self._run(queries.DROP_UNFINISHED_FACTORS, user_id=user_id, before=before)

    async def add_challenge(self, challenge_id: UUID, factor_id: UUID, ip: str) -> None:
        await self._run(queries.ADD_CHALLENGE, challenge_id=challenge_id, factor_id=factor_id, ip=ip)
        await self._run(queries.NOTE_CHALLENGE, factor_id=factor_id)

    async def challenge(self, challenge_id: UUID, factor_id: UUID) -> Challenge | None:
        return await self._one(Challenge, queries.CHALLENGE, challenge_id=challenge_id, factor_id=factor_id)

    async def drop_challenges(self, factor_id: UUID, before: datetime) -> None:
        await self._run(queries.DROP_CHALLENGES, factor_id=factor_id, before=before)

    async def answer_challenge(self, challenge_id: UUID, step: int) -> None:
        await self._run(queries.ANSWER_CHALLENGE, challenge_id=challenge_id, step=str(step))

    async def last_step(self, factor_id: UUID) -> int:
        """Return the time step of the last code that was right, 0 before the first."""
        row = await (await self.connection.execute(queries.LAST_STEP, {"factor_id": factor_id})).fetchone()
        return int(row[0]) if row else 0

    async def raise_session(self, session: Session, factor_id: UUID) -> None:
        """Make a session aal2 by a factor, end the person's weaker ones, and drop factors they did not finish."""
        await self._run(queries.RAISE_SESSION, session_id=session.id, factor_id=factor_id)
        await self._run(queries.ADD_AMR_CLAIM, session_id=session.id, method="totp")
        await self._run(queries.FORGET_REFRESH_TOKENS, session_id=session.id)
        await self._run(queries.END_WEAKER_SESSIONS, user_id=session.user_id)
        await self._run(queries.DROP_UNVERIFIED_FACTORS, user_id=session.user_id)

    async def keep(self) -> None:
        """Commit what was done so far, so that the refusal that follows cannot undo it."""
        await self.connection.commit()

    async def _run(self, statement: LiteralString, **values: Any) -> None:
        await self.connection.execute(statement, values | {"now": self.now})

    async def _one(self, row: type[Row], statement: LiteralString, **values: Any) -> Row | None:
        async with self.connection.cursor(row_factory=class_row(row)) as cursor:
            await cursor.execute(statement, values)
            return await cursor.fetchone()
