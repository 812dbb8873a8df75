"""The signing keys: a JWK set in a file only we may read; the first key signs, the public parts of all are published.

Each key has a state, named as Supabase names them: `standby` (published, signs nothing yet), `in_use` (the first),
`previously_used` (what it signed is still accepted). Of a `revoked` key nothing but its id is kept.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import stat
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from edge_proxy.local.auth.config import ConfigError

log = logging.getLogger("ringfence.auth")

ALGORITHM = "ES256"
STANDBY, IN_USE, PREVIOUSLY_USED, REVOKED = "standby", "in_use", "previously_used", "revoked"
PRIVATE_PARTS = {"d"}
OURS = {"status", "changed_at"}
"""Members of the file that are no part of a JWK."""


class Keys(Protocol):
    """What the emulator needs of its keys."""

    def sign(self, claims: Mapping[str, Any]) -> str: ...
    def verify(self, token: str) -> dict[str, Any]: ...
    def public(self) -> dict[str, list[dict[str, Any]]]: ...


@dataclass(frozen=True)
class SigningKeys:
    """The private JWKs, the one in use first."""

    jwks: tuple[Mapping[str, Any], ...]
    revoked: tuple[Mapping[str, Any], ...] = ()
    """{kid, changed_at} each."""

    @classmethod
    def load_or_create(cls, path: Path) -> SigningKeys:
        """Read the key file, made first (one new key, mode 0600) when there is none. Raises: ConfigError."""
        if not path.exists():
            _write_new(path, SigningKeys((new_key(),)).to_json())
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> SigningKeys:
        """Read the key file. Raises: ConfigError, FileNotFoundError."""
        if path.lstat().st_uid != os.geteuid():
            raise ConfigError(f"{path} belongs to another user of the machine, who knows the keys in it: remove it, or run as that user")
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(f"{path} can be read by others: run chmod 600 on it")
        try:
            kept = json.loads(path.read_text())
            keys, revoked = tuple(kept["keys"]), tuple(kept.get("revoked", ()))
            for key in keys:
                _check(key)
            if [at for at, key in enumerate(keys) if _status(key, at) == IN_USE] != [0][:len(keys)]:
                raise ValueError("not exactly the first key is in use")
            kids = [key["kid"] for key in (*keys, *revoked)]
            if len(set(kids)) != len(kids):
                raise ValueError("one id twice")
        except (ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            raise ConfigError(f"{path} is not a JWK set of private {ALGORITHM} keys, each with a kid") from error
        if not keys:
            raise ConfigError(f"{path} holds no key")
        return cls(keys, revoked)

    def to_json(self) -> str:
        return json.dumps({"keys": list(self.jwks), "revoked": list(self.revoked)})

    def save(self, path: Path) -> None:
        """Replace the key file in one step."""
        _replace(path, self.to_json())

    def states(self) -> list[tuple[str, str, str | None]]:
        """Return (kid, state, since when) of every key, the one in use first and the revoked last."""
        live = [(key["kid"], _status(key, at), key.get("changed_at")) for at, key in enumerate(self.jwks)]
        return live + [(key["kid"], REVOKED, key.get("changed_at")) for key in self.revoked]

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return the claims as a compact JWS of the first key."""
        first = self.jwks[0]
        return jwt.encode(dict(claims), jwt.PyJWK(dict(first)).key, ALGORITHM, headers={"kid": first["kid"]})

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that one of our keys signed; times are the caller's to check. Raises: PyJWTError."""
        kid = jwt.get_unverified_header(token).get("kid")
        for key in self.public()["keys"]:
            if key["kid"] == kid:
                return jwt.decode(
                    token, jwt.PyJWK(key), [ALGORITHM],
                    options={"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
                )
        raise jwt.InvalidKeyError("no key of that kid")

    def public(self) -> dict[str, list[dict[str, Any]]]:
        """Return the JWK set everybody may read."""
        return {
            "keys": [
                {name: part for name, part in key.items() if name not in PRIVATE_PARTS | OURS} | {"key_ops": ["verify"]}
                for key in self.jwks
            ]
        }

    def publish_jwks(self, path: Path) -> None:
        """Write the public JWK set to `path` in one step, for PostgREST to read."""
        _replace(path, json.dumps(self.public()))


class KeyFile:
    """The keys as their file has them at this moment: replaced, it is read again before the next use."""

    def __init__(self, path: Path) -> None:
        """Raises: ConfigError."""
        self._path = path
        self._keys = SigningKeys.load_or_create(path)
        self._seen = _version(path)

    def sign(self, claims: Mapping[str, Any]) -> str:
        return self._now().sign(claims)

    def verify(self, token: str) -> dict[str, Any]:
        return self._now().verify(token)

    def public(self) -> dict[str, list[dict[str, Any]]]:
        return self._now().public()

    def _now(self) -> SigningKeys:
        try:
            seen = _version(self._path)
            if seen != self._seen:
                self._seen = seen
                self._keys = SigningKeys.load(self._path)
        except (ConfigError, OSError) as error:
            # A file damaged while we run must not end every session: the keys read last go on.
            log.error("the key file cannot be read: %s", type(error).__name__)
        return self._keys


def _version(path: Path) -> tuple[int, int, int]:
    """Return what differs after the file was replaced."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def new_key() -> dict[str, Any]:
    """Return a new private key as a JWK, of the form `supabase gen signing-key` writes."""
    key = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    return key | {"kid": str(uuid.uuid4()), "alg": ALGORITHM, "use": "sig", "key_ops": ["sign", "verify"], "ext": True}


def _status(key: Mapping[str, Any], position: int) -> str:
    """Return the state of a key; a file from before there were states has none written down."""
    return str(key.get("status") or (PREVIOUSLY_USED if position else IN_USE))


def _check(key: Mapping[str, Any]) -> None:
    if not isinstance(key["kid"], str) or key["alg"] != ALGORITHM or key.get("status", IN_USE) not in (STANDBY, IN_USE, PREVIOUSLY_USED):
        raise ValueError("not a key of ours")
    if not isinstance(jwt.PyJWK(dict(key)).key, ec.EllipticCurvePrivateKey):
        raise ValueError("not a private key")


def _write_new(path: Path, text: str) -> None:
    """Create `path` whole or leave the one another process made a moment before."""
    written = _temporary(path, text)
    try:
        os.link(written, path)
    except FileExistsError:
        pass
    finally:
        written.unlink()


def _replace(path: Path, text: str) -> None:
    _temporary(path, text).replace(path)


def _temporary(path: Path, text: str) -> Path:
    """Write a file beside `path` that only we can read."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return temporary
