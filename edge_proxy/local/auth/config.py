"""The emulator's settings, read from the environment in this module only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from edge_proxy.local.auth.hook import AccessTokenHook
from edge_proxy.local.ports import LOOPBACK


class ConfigError(Exception):
    """A setting is missing or cannot be used; the message names it."""


@dataclass(frozen=True)
class AuthConfig:
    database_url: str = field(repr=False)
    """Login of supabase_auth_admin, who owns the schema auth."""
    port: int
    issuer: str
    signing_keys: Path
    host: str = LOOPBACK
    audience: str = "authenticated"
    jwt_expiry_s: int = 3600
    reuse_interval_s: int = 10
    """How long a rotated refresh token may be presented again by a client that refreshed twice at once."""
    access_token_hook: AccessTokenHook | None = None
    """Called before every token is signed; without one tokens are as they are made."""

    def __post_init__(self) -> None:
        """Refuse an address others can reach: the emulator confirms every e-mail address without asking."""
        try:
            loopback = ip_address(self.host).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise ConfigError(f"RINGFENCE_AUTH_HOST must be a loopback address, not {self.host!r}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> AuthConfig:
        """Read the settings. Raises: ConfigError."""
        return cls(
            database_url=_required(environment, "RINGFENCE_AUTH_DATABASE_URL"),
            port=_number(environment, "RINGFENCE_AUTH_PORT", 1, 65535),
            issuer=_required(environment, "RINGFENCE_ISSUER"),
            signing_keys=Path(_required(environment, "RINGFENCE_SIGNING_KEYS")),
            host=environment.get("RINGFENCE_AUTH_HOST", cls.host),
            audience=environment.get("RINGFENCE_AUDIENCE", cls.audience),
            access_token_hook=_hook(environment, "RINGFENCE_ACCESS_TOKEN_HOOK"),
            jwt_expiry_s=_number(environment, "RINGFENCE_JWT_EXPIRY", 1, 7 * 24 * 3600, cls.jwt_expiry_s),
        )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ConfigError(f"{name} is not set")
    return value


def _hook(environment: Mapping[str, str], name: str) -> AccessTokenHook | None:
    uri = environment.get(name, "")
    try:
        return AccessTokenHook.from_uri(uri) if uri else None
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from error


def _number(environment: Mapping[str, str], name: str, low: int, high: int, default: int | None = None) -> int:
    text = environment.get(name, "") or ("" if default is None else str(default))
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}, not {text!r}")
    return int(text)
