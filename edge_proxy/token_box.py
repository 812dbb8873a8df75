"""API tokens as the edge seals and opens them: `rft_` and an AEAD box around an organization and one refresh token.

The box alone opens nothing, for want of the key; the key alone opens nothing, for want of a box. Supabase Auth never sees
either, and whoever holds a token never sees the refresh token in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge_proxy.config import ConfigRefused
from edge_proxy.errors import InvalidApiToken
from edge_proxy.jws import BadJws, base64url, unpadded

PREFIX = "rft_"
SHOWN_CHARACTERS = 12
_PURPOSE = b"ringfence api token 1"
_KEY_BYTES, _NONCE_BYTES, _RANDOM_BYTES = 32, 12, 16


@dataclass(frozen=True)
class Box:
    """What a token holds."""

    org_id: str
    refresh_token: str = field(repr=False)


def is_api_token(credential: str) -> bool:
    return credential.startswith(PREFIX)


def shown_part(token: str) -> str:
    """Return the beginning by which its owner knows a token in a list."""
    return token[:SHOWN_CHARACTERS]


def digest(token: str) -> str:
    """Return the SHA-256 of a token, hexadecimal: all that the database keeps of it."""
    return hashlib.sha256(token.encode()).hexdigest()


class TokenKeys:
    """The first key seals, all of them open: a key is replaced by putting a new one in front of it."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._ciphers = tuple(AESGCM(key) for key in keys)

    @classmethod
    def load(cls, path: Path) -> TokenKeys:
        """Read a file of one key a line that only we can read. Raises: ConfigRefused."""
        name = "RINGFENCE_TOKEN_KEYS_FILE"
        try:
            kept = path.stat()
            lines = path.read_text("ascii").split()
        except (OSError, ValueError) as err:
            raise ConfigRefused(f"{name}: the file cannot be read") from err
        if kept.st_uid != os.geteuid() or stat.S_IMODE(kept.st_mode) & 0o077:
            raise ConfigRefused(f"{name}: the file must be ours and readable by nobody else (chmod 600)")
        try:
            keys = tuple(base64url(line) for line in lines)
        except BadJws as err:
            raise ConfigRefused(f"{name}: each line must be a key in base64url") from err
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise ConfigRefused(f"{name}: at least one key, each of {_KEY_BYTES} bytes, is needed")
        return cls(keys)

    def seal(self, box: Box) -> str:
        """Return a new token; two of the same content differ."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        text = json.dumps([box.org_id, box.refresh_token, secrets.token_hex(_RANDOM_BYTES)]).encode()
        return PREFIX + unpadded(nonce + self._ciphers[0].encrypt(nonce, text, _PURPOSE))

    def open(self, token: str) -> Box:
        """Return what is in a token that one of our keys sealed. Raises: InvalidApiToken."""
        try:
            sealed = base64url(token.removeprefix(PREFIX))
        except BadJws as err:
            raise InvalidApiToken("box_shape") from err
        if len(sealed) <= _NONCE_BYTES:
            raise InvalidApiToken("box_shape")
        for cipher in self._ciphers:
            try:
                text = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _PURPOSE)
            except InvalidTag:
                continue
            org_id, refresh_token, _ = json.loads(text)
            return Box(org_id, refresh_token)
        raise InvalidApiToken("box_key")


def new_key() -> str:
    """Return a new key as a line of the file."""
    return unpadded(secrets.token_bytes(_KEY_BYTES))
