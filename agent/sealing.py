"""Secrets of connectors and providers, sealed for one row: AES-256-GCM under a key of its own, which is wrapped by a key of the operator.

Both boxes carry the organization and the row as associated data, so neither opens anywhere else. The operator's key alone opens nothing,
for want of a row, and rows come by row security alone; a row alone opens nothing, for want of the key. Rotating re-wraps the row's key
and needs neither the secret nor its box.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.errors import AgentError, Misconfigured

KEYS_FILE, KEYS = "RINGFENCE_SECRET_KEYS_FILE", "RINGFENCE_SECRET_KEYS"
MAX_SECRET_BYTES = 8192
_SECRET, _KEY = b"ringfence secret 1", b"ringfence secret key 1"
_KEY_BYTES, _NONCE_BYTES = 32, 12
_LINE = re.compile(r"([a-z0-9][a-z0-9-]{0,31}):([A-Za-z0-9_-]{43})")


class NotOpened(AgentError):
    """This secret cannot be opened: its key is not among ours, or it is not what was sealed for this row."""

    status, code = 500, "secret_not_opened"


@dataclass(frozen=True)
class Sealed:
    """What the database keeps of a secret."""

    ciphertext: bytes
    wrapped_key: bytes
    key_id: str


@dataclass(frozen=True)
class Keyring:
    """Keys of the operator by id. The first seals, all of them open."""

    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, lines: Iterable[str], source: str) -> Keyring:
        """Read lines of `id:key`, the key in base64url. Raises: Misconfigured, without a word of what was read."""
        found: dict[str, bytes] = {}
        for line in lines:
            match = _LINE.fullmatch(line)
            if match is None or match[1] in found:
                raise Misconfigured(f"{source}: each line must be id:key, the id once, the key 32 bytes in base64url")
            try:
                found[match[1]] = base64.b64decode(match[2] + "=", altchars=b"-_", validate=True)
            except binascii.Error as err:
                raise Misconfigured(f"{source}: each key must be base64url") from err
        if not found or any(len(key) != _KEY_BYTES for key in found.values()):
            raise Misconfigured(f"{source}: at least one key, each of {_KEY_BYTES} bytes, is needed")
        return cls(found)

    @classmethod
    def load(cls, path: Path) -> Keyring:
        """Read a file that only we can read. Raises: Misconfigured."""
        try:
            kept = path.stat()
            lines = path.read_text("ascii").split()
        except (OSError, ValueError) as err:
            raise Misconfigured(f"{path}: the file of keys cannot be read") from err
        if kept.st_uid != os.geteuid() or stat.S_IMODE(kept.st_mode) & 0o077:
            raise Misconfigured(f"{path}: the file must be ours and readable by nobody else (chmod 600)")
        return cls.parse(lines, str(path))

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Keyring:
        """Read the file that RINGFENCE_SECRET_KEYS_FILE names, or the keys in RINGFENCE_SECRET_KEYS. Raises: Misconfigured."""
        if path := env.get(KEYS_FILE):
            return cls.load(Path(path))
        if keys := env.get(KEYS):
            return cls.parse(keys.split(), KEYS)
        raise Misconfigured(f"no keys for secrets: set {KEYS_FILE} (on Supabase, write it from Vault where this runs), or {KEYS}")

    @property
    def first(self) -> str:
        """The id of the key that seals."""
        return next(iter(self.keys))

    def seal(self, org_id: UUID, row_id: UUID, secret: bytes) -> Sealed:
        """Seal a secret of 1..8192 bytes for one row. Raises: ValueError."""
        if not 0 < len(secret) <= MAX_SECRET_BYTES:
            raise ValueError(f"a secret has 1..{MAX_SECRET_BYTES} bytes")
        key = secrets.token_bytes(_KEY_BYTES)
        return Sealed(_box(key, secret, _place(_SECRET, org_id, row_id)), self._wrapped(org_id, row_id, key), self.first)

    def open(self, org_id: UUID, row_id: UUID, sealed: Sealed) -> bytes:
        """Return the secret. Raises: NotOpened."""
        return _unbox(self._unwrapped(org_id, row_id, sealed.wrapped_key, sealed.key_id), sealed.ciphertext, _place(_SECRET, org_id, row_id))

    def rewrap(self, org_id: UUID, row_id: UUID, wrapped_key: bytes, key_id: str) -> tuple[bytes, str]:
        """Return the row's key wrapped by the key that seals now, and that key's id. Raises: NotOpened."""
        return self._wrapped(org_id, row_id, self._unwrapped(org_id, row_id, wrapped_key, key_id)), self.first

    def _wrapped(self, org_id: UUID, row_id: UUID, key: bytes) -> bytes:
        return _box(self.keys[self.first], key, _place(_KEY, org_id, row_id, self.first))

    def _unwrapped(self, org_id: UUID, row_id: UUID, wrapped: bytes, key_id: str) -> bytes:
        if key_id not in self.keys:
            raise NotOpened
        return _unbox(self.keys[key_id], wrapped, _place(_KEY, org_id, row_id, key_id))


def new_key(key_id: str) -> str:
    """Return a new key as a line of the file."""
    return f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode().rstrip('=')}"


def _place(purpose: bytes, org_id: UUID, row_id: UUID, key_id: str = "") -> bytes:
    """Return the associated data: parts of fixed length but the last, so that no two places read the same."""
    return purpose + org_id.bytes + row_id.bytes + key_id.encode()


def _box(key: bytes, text: bytes, place: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, text, place)


def _unbox(key: bytes, box: bytes, place: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], place)
    except (InvalidTag, ValueError) as err:
        raise NotOpened from err
