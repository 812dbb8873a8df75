"""Compact JWS: strict parsing, public keys from a JWKS, and the signature. Claims are in tokens.py.

PyJWT checks the signature only. Everything it would be lenient about (padding, duplicate members, header parameters,
which key serves which algorithm) is decided here first.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from edge_proxy.strict_json import NotStrict, strict_object

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")
KID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_HEADER_MEMBERS = frozenset({"alg", "kid", "typ"})
_JWK_DEPTH = 4
_MIN_RSA_BYTES, _MAX_RSA_BYTES = 2048 // 8, 8192 // 8
_ES256_SIGNATURE_BYTES = 64


class BadJws(Exception):
    """The token is not a compact JWS that this project accepts; the argument is one fixed word for the log."""


@dataclass(frozen=True)
class Jws:
    """A parsed token; nothing in it is to be believed before `check_signature`."""

    signed: bytes
    header: dict[str, Any]
    payload: bytes
    signature: bytes


@dataclass(frozen=True)
class Key:
    """One public key, tied to its one algorithm."""

    kid: str
    algorithm: str
    material: PyJWK


def base64url(text: str) -> bytes:
    """Return the bytes of unpadded, canonical base64url. Raises: BadJws."""
    if not _BASE64URL.match(text) or len(text) % 4 == 1:
        raise BadJws("base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error) as err:
        raise BadJws("base64url") from err
    # Unused bits of the last character would give one signature several spellings.
    if unpadded(data) != text:
        raise BadJws("base64url")
    return data


def unpadded(data: bytes) -> str:
    """Return the bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def parse(token: str, *, max_bytes: int) -> Jws:
    """Return the parts of a compact JWS with three non-empty parts. Raises: BadJws."""
    if len(token) > max_bytes:
        raise BadJws("length")
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise BadJws("parts")
    try:
        header = strict_object(base64url(parts[0]), depth=_JWK_DEPTH)
    except NotStrict as err:
        raise BadJws("header") from err
    return Jws(f"{parts[0]}.{parts[1]}".encode("ascii"), header, base64url(parts[1]), base64url(parts[2]))


def check_header(header: dict[str, Any], algorithms: Collection[str]) -> tuple[str, str]:
    """Return (alg, kid) of a header that has nothing else but `typ`. Raises: BadJws.

    `jku`, `jwk`, `x5u`, `x5c`, `crit`, `b64`, `zip` and whatever comes next are refused by not being in the list.
    """
    if not header.keys() <= _HEADER_MEMBERS:
        raise BadJws("header_member")
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise BadJws("alg")
    if not isinstance(kid, str) or not KID.match(kid):
        raise BadJws("kid")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise BadJws("typ")
    return algorithm, kid


def signed_by(key: Key, signed: bytes, signature: bytes) -> bool:
    """Return whether `key`, with its one algorithm, signed these bytes."""
    if key.algorithm == "ES256" and len(signature) != _ES256_SIGNATURE_BYTES:
        return False
    return key.material.Algorithm.verify(signed, key.material.key, signature)


def check_signature(token: Jws, key: Key) -> None:
    """Return if `key` signed the token and serves the algorithm that the token names. Raises: BadJws."""
    if token.header.get("alg") != key.algorithm:
        raise BadJws("key_algorithm")
    if not signed_by(key, token.signed, token.signature):
        raise BadJws("signature")


def public_key(jwk: object, algorithms: Collection[str]) -> Key | None:
    """Return the key of one JWKS member, or None for a member this project does not use (R62, R79).

    Only the public members are read: a private `d` in the document is never loaded, and `oct` keys are not keys here.
    """
    if not isinstance(jwk, dict):
        return None
    names: tuple[str, ...]
    if jwk.get("kty") == "EC" and jwk.get("crv") == "P-256":
        algorithm, names = "ES256", ("kty", "crv", "x", "y")
    elif jwk.get("kty") == "RSA":
        algorithm, names = "RS256", ("kty", "n", "e")
    else:
        return None
    kid, operations = jwk.get("kid"), jwk.get("key_ops", ["verify"])
    usable = (
        algorithm in algorithms
        and jwk.get("alg", algorithm) == algorithm
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and all(isinstance(jwk.get(name), str) for name in names)
    )
    if not usable or not isinstance(kid, str) or not KID.match(kid):
        return None
    try:
        if algorithm == "ES256" and not len(base64url(jwk["x"])) == len(base64url(jwk["y"])) == 32:
            return None
        if algorithm == "RS256" and not _MIN_RSA_BYTES <= len(base64url(jwk["n"]).lstrip(b"\0")) <= _MAX_RSA_BYTES:
            return None
        material = PyJWK.from_dict({name: jwk[name] for name in names}, algorithm)
    except (BadJws, PyJWTError):
        return None
    return Key(kid, algorithm, material)


def key_set(document: bytes, algorithms: Collection[str], *, max_keys: int) -> dict[str, Key]:
    """Return the usable keys of a JWKS document by kid. Raises: ValueError if there is none.

    A kid that names two usable keys names none: which one was meant is not ours to guess.
    """
    members = strict_object(document, depth=_JWK_DEPTH).get("keys")
    if not isinstance(members, list) or len(members) > max_keys:
        raise ValueError("no list of keys")
    keys: dict[str, Key] = {}
    repeated: set[str] = set()
    for key in filter(None, (public_key(member, algorithms) for member in members)):
        if key.kid in keys:
            repeated.add(key.kid)
        keys[key.kid] = key
    usable = {kid: key for kid, key in keys.items() if kid not in repeated}
    if not usable:
        raise ValueError("no usable key")
    return usable
