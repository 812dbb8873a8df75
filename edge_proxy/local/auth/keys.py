"""The signing keys: a JWK set in a file only we may read; the first key signs, all public parts are published."""

from __future__ import annotations

import json
import os
import secrets
import stat
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from edge_proxy.local.auth.config import ConfigError

ALGORITHM = "ES256"
PRIVATE_PARTS = {"d"}


@dataclass(frozen=True)
class SigningKeys:
    """The private JWKs, in order."""

    jwks: tuple[Mapping[str, Any], ...]

    @classmethod
    def load_or_create(cls, path: Path) -> SigningKeys:
        """Read the key file, made first (one new key, mode 0600) when there is none. Raises: ConfigError."""
        if not path.exists():
            _write_new(path, json.dumps({"keys": [new_key()]}))
        if path.lstat().st_uid != os.geteuid():
            raise ConfigError(f"{path} belongs to another user of the machine, who knows the keys in it: remove it, or run as that user")
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(f"{path} can be read by others: run chmod 600 on it")
        try:
            keys = tuple(json.loads(path.read_text())["keys"])
            for key in keys:
                _check(key)
        except (ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            raise ConfigError(f"{path} is not a JWK set of private {ALGORITHM} keys, each with a kid") from error
        if not keys:
            raise ConfigError(f"{path} holds no key")
        return cls(keys)

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
                {name: part for name, part in key.items() if name not in PRIVATE_PARTS} | {"key_ops": ["verify"]}
                for key in self.jwks
            ]
        }

    def publish_jwks(self, path: Path) -> None:
        """Write the public JWK set to `path` in one step, for PostgREST to read."""
        _replace(path, json.dumps(self.public()))


def new_key() -> dict[str, Any]:
    """Return a new private key as a JWK, of the form `supabase gen signing-key` writes."""
    key = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    return key | {"kid": str(uuid.uuid4()), "alg": ALGORITHM, "use": "sig", "key_ops": ["sign", "verify"], "ext": True}


def _check(key: Mapping[str, Any]) -> None:
    if not isinstance(key["kid"], str) or key["alg"] != ALGORITHM:
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
