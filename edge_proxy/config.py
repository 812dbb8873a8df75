"""The edge's settings, read from the environment once. A secret key anywhere in it stops the start (R82)."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from edge_proxy.jws import BadJws, base64url
from edge_proxy.limits import Limits, Rate

ALGORITHMS = ("ES256", "RS256")
_FORBIDDEN_NAMES = ("SERVICE_ROLE", "SECRET_KEY")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]*\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?\Z")
_RATE = re.compile(r"(\d+(?:\.\d+)?)/(\d+)\Z")


class ConfigRefused(Exception):
    """The settings are unsafe or incomplete; the message names the variable and never its value."""


@dataclass(frozen=True)
class Config:
    """Everything the edge needs; holds no secret: the publishable key is public."""

    publishable_key: str
    rest_url: str
    auth_url: str
    jwks_url: str
    issuer: str
    audience: str = "authenticated"
    algorithms: tuple[str, ...] = ("ES256",)
    host: str = "127.0.0.1"
    port: int = 8787
    metrics_port: int = 9787
    agent_app: str = ""
    token_keys_file: str = ""
    """What seals API tokens; without it this edge makes and takes none."""
    cors_origins: frozenset[str] = frozenset()
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose X-Forwarded-For names the client; nobody by default."""
    limits: Limits = field(default_factory=Limits)


def _jwt_role(payload: str) -> str | None:
    """Return the `role` of a JWT's payload, or None if it has none."""
    try:
        claims = json.loads(base64url(payload))
    except (BadJws, ValueError):
        return None
    role = claims.get("role") if isinstance(claims, dict) else None
    return role if isinstance(role, str) else None


def refuse_secrets(environ: Mapping[str, str]) -> None:
    """Return if no variable holds or announces a key that bypasses policies. Raises: ConfigRefused."""
    for name, value in environ.items():
        if any(word in name.upper() for word in _FORBIDDEN_NAMES):
            raise ConfigRefused(f"{name} must not be set: the edge never holds a service-role or secret key")
        if "sb_secret_" in value:
            raise ConfigRefused(f"{name} holds a Supabase secret key; use the publishable key")
        if any(_jwt_role(match[1]) == "service_role" for match in _JWT.finditer(value)):
            raise ConfigRefused(f"{name} holds a service-role key; use the publishable key")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _url(name: str, value: str) -> str:
    """Return the URL without a trailing slash: https, or http on this machine (R79)."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as err:
        raise ConfigRefused(f"{name} is not a URL") from err
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigRefused(f"{name} must be a plain URL without credentials, query or fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ConfigRefused(f"{name} must be https, or http on a loopback address")
    return value.rstrip("/")


def _port(name: str, value: str) -> int:
    if not value.isdecimal() or not 0 <= int(value) <= 65535:
        raise ConfigRefused(f"{name} must be a port number")
    return int(value)


def _publishable(value: str) -> str:
    match = _JWT.fullmatch(value)
    if re.fullmatch(r"sb_publishable_[A-Za-z0-9_-]+", value) or (match and _jwt_role(match[1]) == "anon"):
        return value
    raise ConfigRefused("SUPABASE_PUBLISHABLE_KEY must be a publishable key (sb_publishable_...)")


def _rate(environ: Mapping[str, str], name: str, default: Rate) -> Rate:
    match = _RATE.match(environ.get(name) or f"{default.per_second}/{default.burst}")
    if not match or float(match[1]) <= 0 or int(match[2]) < 1:
        raise ConfigRefused(f"{name} must be PER_SECOND/BURST, for example 50/200")
    return Rate(float(match[1]), int(match[2]))


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name) or str(default)
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and int(value) > 0):
        raise ConfigRefused(f"{name} must be a number from 1 up")
    return int(value)


def _limits(environ: Mapping[str, str]) -> Limits:
    return Limits(
        user_in_flight=_count(environ, "RINGFENCE_RATE_USER_IN_FLIGHT", Limits.user_in_flight),
        address_in_flight=_count(environ, "RINGFENCE_RATE_ADDRESS_IN_FLIGHT", Limits.address_in_flight),
        user_database_calls=_count(environ, "RINGFENCE_RATE_USER_DATABASE_CALLS", Limits.user_database_calls),
        user_uploads=_count(environ, "RINGFENCE_RATE_USER_UPLOADS", Limits.user_uploads),
        user_rate=_rate(environ, "RINGFENCE_RATE_USER", Limits.user_rate),
        address_rate=_rate(environ, "RINGFENCE_RATE_ADDRESS", Limits.address_rate),
        auth_rate=_rate(environ, "RINGFENCE_RATE_AUTH", Limits.auth_rate),
        password_rate=_rate(environ, "RINGFENCE_RATE_PASSWORD", Limits.password_rate),
    )


def _words(environ: Mapping[str, str], name: str, default: str = "") -> tuple[str, ...]:
    return tuple(word.strip() for word in environ.get(name, default).split(",") if word.strip())


def _networks(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    networks = _words(environ, name)
    try:
        for network in networks:
            ipaddress.ip_network(network)
    except ValueError as err:
        raise ConfigRefused(f"{name} must be addresses or networks, for example 10.0.0.0/8") from err
    return networks


def from_environment(environ: Mapping[str, str] = os.environ) -> Config:
    """Return the settings of this process. Raises: ConfigRefused."""
    refuse_secrets(environ)
    project = environ.get("SUPABASE_URL", "").rstrip("/")

    def url(name: str, path: str) -> str:
        value = environ.get(name) or (project + path if project else "")
        if not value:
            raise ConfigRefused(f"set SUPABASE_URL or {name}")
        return _url(name if environ.get(name) else "SUPABASE_URL", value)

    algorithms = _words(environ, "RINGFENCE_ALGORITHMS", "ES256")
    if not algorithms or not set(algorithms) <= set(ALGORITHMS):
        raise ConfigRefused("RINGFENCE_ALGORITHMS may hold ES256 and RS256 only")
    origins = _words(environ, "RINGFENCE_CORS_ORIGINS")
    if not all(_ORIGIN.match(origin) for origin in origins):
        raise ConfigRefused("RINGFENCE_CORS_ORIGINS must be exact origins, for example https://app.example.com")
    return Config(
        publishable_key=_publishable(environ.get("SUPABASE_PUBLISHABLE_KEY", "")),
        rest_url=url("RINGFENCE_REST_URL", "/rest/v1"),
        auth_url=url("RINGFENCE_AUTH_URL", "/auth/v1"),
        jwks_url=url("RINGFENCE_JWKS_URL", "/auth/v1/.well-known/jwks.json"),
        issuer=url("RINGFENCE_ISSUER", "/auth/v1"),
        audience=environ.get("RINGFENCE_AUDIENCE") or "authenticated",
        algorithms=algorithms,
        host=environ.get("RINGFENCE_HOST") or "127.0.0.1",
        port=_port("RINGFENCE_PORT", environ.get("RINGFENCE_PORT") or "8787"),
        metrics_port=_port("RINGFENCE_METRICS_PORT", environ.get("RINGFENCE_METRICS_PORT") or "9787"),
        agent_app=environ.get("RINGFENCE_AGENT_APP", "agent.app:create_app"),
        token_keys_file=environ.get("RINGFENCE_TOKEN_KEYS_FILE", ""),
        cors_origins=frozenset(origins),
        trusted_proxies=_networks(environ, "RINGFENCE_TRUSTED_PROXIES"),
        limits=_limits(environ),
    )
