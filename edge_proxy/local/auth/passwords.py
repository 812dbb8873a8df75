"""Passwords: bcrypt as in auth.users.encrypted_password, and the strength that is asked for."""

from __future__ import annotations

import secrets

import bcrypt
from anyio import to_thread

from edge_proxy.local.auth.errors import ValidationFailed, WeakPassword

MIN_LENGTH = 6
MAX_BYTES = 72  # bcrypt reads no further
COST = 10


def check_strength(password: str) -> None:
    """Raise unless the password may be chosen. Raises: WeakPassword, ValidationFailed."""
    if len(password.encode()) > MAX_BYTES:
        raise ValidationFailed(f"Password cannot be longer than {MAX_BYTES} characters")
    if len(password) < MIN_LENGTH:
        raise WeakPassword(f"Password should be at least {MIN_LENGTH} characters.", ["length"])


async def hash_password(password: str) -> str:
    """Return the bcrypt hash of a password that passed `check_strength`."""
    return await to_thread.run_sync(_hash, password)


async def matches(password: str, hashed: str | None) -> bool:
    """Return whether the password fits. Without a hash it takes as long and is false, so unknown addresses look the same."""
    return await to_thread.run_sync(_matches, password, hashed)


def _hash(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()


def _matches(password: str, hashed: str | None) -> bool:
    fits = bcrypt.checkpw(password.encode()[:MAX_BYTES], (hashed or _NOBODYS_HASH).encode())
    return fits and bool(hashed) and len(password.encode()) <= MAX_BYTES


# Made before the first request, so that the first unknown address takes no longer than the next.
_NOBODYS_HASH = _hash(secrets.token_urlsafe())
