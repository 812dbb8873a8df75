"""A person as the clients receive them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from edge_proxy.local.auth.store import User

FACTOR_FIELDS = ("id", "created_at", "updated_at", "status", "friendly_name", "factor_type", "phone", "last_challenged_at")
IDENTITY_FIELDS = ("user_id", "identity_data", "provider", "last_sign_in_at", "created_at", "updated_at", "email")
OPTIONAL_TIMES = ("email_confirmed_at", "phone_confirmed_at", "confirmed_at", "last_sign_in_at", "banned_until")


def has_second_factor(user: User) -> bool:
    return any(row["status"] == "verified" for row in user.factors)


def is_managed_by_sso(user: User) -> bool:
    """Whether an identity provider says who this is: address and password are not theirs to change here."""
    return any(row["provider"].startswith("sso:") for row in user.identities)


def to_json(user: User) -> dict[str, Any]:
    """Return the user object of Supabase Auth; empty times are left out, secrets of factors are never in it."""
    body: dict[str, Any] = {
        "id": str(user.id),
        "aud": user.aud,
        "role": user.role,
        "email": user.email or "",
        "phone": user.phone or "",
        "app_metadata": user.app_metadata or {},
        "user_metadata": user.user_metadata or {},
        "identities": [_identity(row) for row in user.identities],
        "created_at": _time(user.created_at),
        "updated_at": _time(user.updated_at),
        "is_anonymous": user.is_anonymous,
    }
    times = {name: getattr(user, name) for name in OPTIONAL_TIMES}
    body |= {name: _time(value) for name, value in times.items() if value is not None}
    if user.factors:
        body["factors"] = [{name: row[name] for name in FACTOR_FIELDS if row[name] is not None} for row in user.factors]
    return body


def _identity(row: dict[str, Any]) -> dict[str, Any]:
    # Supabase Auth calls the row's own id identity_id, and the provider's id of the person id.
    return {"identity_id": row["id"], "id": row["provider_id"]} | {name: row[name] for name in IDENTITY_FIELDS}


def _time(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
