"""Second factors: enrol, challenge, verify, unenrol. Supabase Auth's paths below /factors, for authenticator apps."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edge_proxy.local.auth import totp, wire
from edge_proxy.local.auth.attempts import Attempts
from edge_proxy.local.auth.endpoints import Endpoints, caller_of, signed_in
from edge_proxy.local.auth.errors import (
    ChallengeExpired,
    ChallengeNotFound,
    ChallengeUsed,
    EnrolAalRequired,
    FactorIdInvalid,
    FactorNameConflict,
    FactorNotFound,
    PhoneFactorsDisabled,
    TooManyFactors,
    UnenrolAalRequired,
    ValidationFailed,
    WebauthnFactorsDisabled,
    WrongCode,
)
from edge_proxy.local.auth.store import Factor, Store, User

MAX_FACTORS = 10
MAX_NAME_LENGTH = 120
CHALLENGE_LASTS = timedelta(minutes=5)
UNFINISHED_LASTS = timedelta(minutes=5)


@dataclass(frozen=True)
class FactorEndpoints:
    """Shares identity, store and grants with the other endpoints."""

    base: Endpoints
    attempts: Attempts = field(default_factory=Attempts)

    async def enrol(self, request: Request) -> Response:
        user_id, session_id = self.base.identity(request)
        body = await wire.read_json(request)
        _only_totp(wire.text(body, "factor_type"))
        name = _short(wire.text(body, "friendly_name"), "friendly_name")
        issuer = _short(wire.text(body, "issuer"), "issuer") or urlsplit(self.base.config.issuer).netloc
        factor_id, secret = uuid4(), totp.new_secret()
        async with self.base.store() as store:
            user, session = await signed_in(store, user_id, session_id)
            await store.lock_user(user.id)  # or two enrolments at once would both be the last one allowed
            await store.drop_unfinished_factors(user.id, store.now - UNFINISHED_LASTS)
            factors = await store.factors(user.id)
            if any(factor.friendly_name == name for factor in factors):
                raise FactorNameConflict(f"A factor with the friendly name {json.dumps(name)} for this user already exists")
            if len(factors) >= MAX_FACTORS:
                raise TooManyFactors
            if any(factor.verified for factor in factors) and session.aal != "aal2":
                raise EnrolAalRequired
            await store.add_factor(factor_id, user.id, name, secret)
        address = totp.uri(secret, user.email or str(user.id), issuer)
        # The only answer that ever holds the secret.
        return JSONResponse(
            {
                "id": str(factor_id), "type": "totp", "friendly_name": name,
                "totp": {"qr_code": totp.picture(address), "secret": secret, "uri": address},
            }
        )

    async def challenge(self, request: Request) -> Response:
        user_id, session_id = self.base.identity(request)
        challenge_id = uuid4()
        async with self.base.store() as store:
            user, _ = await signed_in(store, user_id, session_id)
            factor = await _factor(store, user, request)
            await store.drop_challenges(factor.id, store.now - 2 * CHALLENGE_LASTS)
            await store.add_challenge(challenge_id, factor.id, _address(request))
            expires_at = int((store.now + CHALLENGE_LASTS).timestamp())
        return JSONResponse({"id": str(challenge_id), "type": factor.factor_type, "expires_at": expires_at})

    async def verify(self, request: Request) -> Response:
        user_id, session_id = self.base.identity(request)
        body = await wire.read_json(request)
        code = wire.text(body, "code")
        async with self.base.store() as store:
            user, session = await signed_in(store, user_id, session_id)
            factor = await _factor(store, user, request)
            if not code:
                raise ValidationFailed("Code needs to be non-empty")
            challenge_id = _uuid(wire.text(body, "challenge_id"))
            challenge = await store.challenge(challenge_id, factor.id) if challenge_id else None
            if challenge is None:
                raise ChallengeNotFound
            if challenge.verified_at is not None or challenge.ip != _address(request):
                raise ChallengeUsed
            if challenge.created_at + CHALLENGE_LASTS <= store.now:
                raise ChallengeExpired(f"MFA challenge {challenge.id} has expired, verify against another challenge or create a new challenge.")
            self.attempts.count(user.id, store.now)
            step = totp.accepted_step(factor.secret, code, store.now)
            # Of two requests with one code the factor's row lock makes one the second, which then meets the step of the first.
            if step is None or step <= await store.last_step(factor.id):
                raise WrongCode
            self.attempts.forget(user.id)
            await store.answer_challenge(challenge.id, step)
            await store.verify_factor(factor.id)
            return JSONResponse(await self.base.grants.upgrade(store, user, session, factor.id, caller_of(request)))

    async def unenrol(self, request: Request) -> Response:
        user_id, session_id = self.base.identity(request)
        async with self.base.store() as store:
            user, session = await signed_in(store, user_id, session_id)
            factor = await _factor(store, user, request)
            if factor.verified and session.aal != "aal2":
                raise UnenrolAalRequired
            await store.remove_factor(factor.id, user.id)
        return JSONResponse({"id": str(factor.id)})


async def _factor(store: Store, user: User, request: Request) -> Factor:
    """Return the person's factor that a path names, locked. Raises: FactorIdInvalid, FactorNotFound."""
    factor_id = _uuid(request.path_params["factor_id"])
    if factor_id is None:
        raise FactorIdInvalid
    factor = await store.lock_factor(factor_id, user.id)
    if factor is None:
        raise FactorNotFound
    _only_totp(factor.factor_type)
    return factor


def _only_totp(kind: str) -> None:
    """Raises: PhoneFactorsDisabled, WebauthnFactorsDisabled, ValidationFailed."""
    match kind:
        case "totp":
            return
        case "phone":
            raise PhoneFactorsDisabled
        case "webauthn":
            raise WebauthnFactorsDisabled
        case _:
            raise ValidationFailed("factor_type needs to be totp, phone, or webauthn")


def _short(text: str, name: str) -> str:
    if len(text) > MAX_NAME_LENGTH:
        raise ValidationFailed(f"{name} cannot be longer than {MAX_NAME_LENGTH} characters")
    return text


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _address(request: Request) -> str:
    return request.client.host if request.client else "0.0.0.0"
