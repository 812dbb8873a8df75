"""Who is asking: a verified access token, or one of the 401s. Never an anonymous caller (R73).

The order is cheap first: shape, header, key, signature, then the claims.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge_proxy.config import Config
from edge_proxy.errors import ExpiredToken, InvalidToken, MissingToken
from edge_proxy.jwks import KeyCache
from edge_proxy.jws import BadJws, check_header, check_signature, parse
from edge_proxy.strict_json import NotStrict, strict_object

_CLAIMS_DEPTH = 32
_ROLE = "authenticated"
_LAST_TIME = 10**11
_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] ([A-Za-z0-9._-]+)\Z")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Identity:
    """The person a verified token names, for one request."""

    token: str
    user_id: str
    session_id: str
    kid: str
    expires_at: float
    org_id: str = ""
    """The one organization that the token reaches, if it is bound to one."""


def bearer_token(values: list[bytes]) -> str:
    """Return the token of exactly one `Authorization: Bearer` header. Raises: MissingToken, InvalidToken.

    Two headers, a comma, a tab, another scheme or anything after the token has one outcome: InvalidToken (R74).
    """
    if not values:
        raise MissingToken
    match = _BEARER.match(values[0])
    if len(values) != 1 or match is None:
        raise InvalidToken("authorization_header")
    return match[1].decode("ascii")


def _number(value: Any) -> float:
    # Beyond these bounds a number is no time, and an integer may not even fit a float.
    if type(value) not in (int, float) or not 0 <= value <= _LAST_TIME:
        raise InvalidToken("claim_time")
    return float(value)


class Verifier:
    """Checks tokens and remembers the good ones by hash, until they expire or the keys change (R80)."""

    def __init__(self, config: Config, keys: KeyCache, clock: Callable[[], float]) -> None:
        self._config, self._keys, self._clock = config, keys, clock
        self._verdicts: OrderedDict[bytes, Identity] = OrderedDict()
        self._generation = -1

    async def identify(self, token: str) -> Identity:
        """Return who the token names. Raises: InvalidToken, ExpiredToken, KeysUnavailable."""
        await self._keys.ensure_fresh()
        if self._generation != self._keys.generation:
            self._verdicts.clear()
            self._generation = self._keys.generation
        digest = hashlib.sha256(token.encode("ascii")).digest()
        known = self._verdicts.get(digest)
        if known is not None and self._clock() < known.expires_at:
            self._verdicts.move_to_end(digest)
            return known
        self._verdicts.pop(digest, None)
        identity = await self._verify(token)
        if self._clock() < identity.expires_at:
            self._verdicts[digest] = identity
            if len(self._verdicts) > self._config.limits.verdicts:
                self._verdicts.popitem(last=False)
        return identity

    async def _verify(self, token: str) -> Identity:
        try:
            jws = parse(token, max_bytes=self._config.limits.token_bytes)
            _, kid = check_header(jws.header, self._config.algorithms)
            key = await self._keys.find(kid)
            if key is None:
                raise BadJws("unknown_kid")
            check_signature(jws, key)
            claims = strict_object(jws.payload, depth=_CLAIMS_DEPTH)
        except (BadJws, NotStrict) as err:
            raise InvalidToken(str(err)) from err
        return self._identity(token, kid, claims)

    def _identity(self, token: str, kid: str, claims: dict[str, Any]) -> Identity:
        config, limits, now = self._config, self._config.limits, self._clock()
        if claims.get("iss") != config.issuer:
            raise InvalidToken("claim_iss")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if config.audience not in audiences or not all(isinstance(item, str) for item in audiences):
            raise InvalidToken("claim_aud")
        if claims.get("role") != _ROLE:
            raise InvalidToken("claim_role")
        user_id, session_id = claims.get("sub"), claims.get("session_id")
        for value, reason in ((user_id, "claim_sub"), (session_id, "claim_session_id")):
            if not isinstance(value, str) or not _UUID.match(value):
                raise InvalidToken(reason)
        expires_at, issued_at = _number(claims.get("exp")), _number(claims.get("iat"))
        not_before = _number(claims.get("nbf", issued_at))
        if max(issued_at, not_before) > now + limits.leeway_seconds:
            raise InvalidToken("claim_future")
        if not 0 < expires_at - issued_at <= limits.token_lifetime_seconds:
            raise InvalidToken("claim_lifetime")
        if now >= expires_at + limits.leeway_seconds:
            raise ExpiredToken("claim_exp")
        org = claims.get("org_id")
        bound = org.lower() if isinstance(org, str) and _UUID.match(org) else ""
        return Identity(token, str(user_id).lower(), str(session_id).lower(), kid, expires_at, bound)
