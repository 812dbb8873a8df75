"""The edge's settings, read from the environment once. A secret key anywhere in it stops the start (R82)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_proxy.jws import BadJws, base64url
from edge_proxy.limits import Limits
from edge_proxy.settings import ConfigRefused as ConfigRefused
from edge_proxy.settings import clear_text, count, is_loopback, networks, port, rate, redis_url, service_url, share, tls_files, words

ALGORITHMS = ("ES256", "RS256")
_FORBIDDEN_NAMES = ("SERVICE_ROLE", "SECRET_KEY")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]*\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?\Z")


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
    public_url: str = ""
    """How clients reach this edge, without a trailing slash."""
    agent_app: str = ""
    token_keys_file: str = ""
    """What seals API tokens; without it this edge makes and takes none."""
    cors_origins: frozenset[str] = frozenset()
    tls_cert_file: str = ""
    tls_key_file: str = ""
    """With these the edge itself speaks TLS."""
    otlp_endpoint: str = ""
    trace_ratio: float = 1.0
    """The share of requests that is traced."""
    redis_url: str = field(default="", repr=False)
    """Where several edges keep their counters together; empty: in memory, each its own."""
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


_DATABASE = re.compile(r"postgres(?:ql)?://[^\s/@:]*:[^\s/@]+@")


def refuse_secrets(environ: Mapping[str, str]) -> None:
    """Return if no variable holds or announces a key that bypasses policies. Raises: ConfigRefused."""
    for name, value in environ.items():
        if any(word in name.upper() for word in _FORBIDDEN_NAMES):
            raise ConfigRefused(f"{name} must not be set: the edge never holds a service-role or secret key")
        if "sb_secret_" in value:
            raise ConfigRefused(f"{name} holds a Supabase secret key; use the publishable key")
        if any(_jwt_role(match[1]) == "service_role" for match in _JWT.finditer(value)):
            raise ConfigRefused(f"{name} holds a service-role key; use the publishable key")
        if _DATABASE.search(value) or name.upper() == "PGPASSWORD":
            raise ConfigRefused(f"{name} holds a database's password: the edge never connects to one")


def _publishable(value: str) -> str:
    match = _JWT.fullmatch(value)
    if re.fullmatch(r"sb_publishable_[A-Za-z0-9_-]+", value) or (match and _jwt_role(match[1]) == "anon"):
        return value
    raise ConfigRefused("SUPABASE_PUBLISHABLE_KEY must be a publishable key (sb_publishable_...)")


def _limits(environ: Mapping[str, str]) -> Limits:
    return Limits(
        user_in_flight=count(environ, "RINGFENCE_RATE_USER_IN_FLIGHT", Limits.user_in_flight),
        address_in_flight=count(environ, "RINGFENCE_RATE_ADDRESS_IN_FLIGHT", Limits.address_in_flight),
        user_database_calls=count(environ, "RINGFENCE_RATE_USER_DATABASE_CALLS", Limits.user_database_calls),
        user_uploads=count(environ, "RINGFENCE_RATE_USER_UPLOADS", Limits.user_uploads),
        user_rate=rate(environ, "RINGFENCE_RATE_USER", Limits.user_rate),
        address_rate=rate(environ, "RINGFENCE_RATE_ADDRESS", Limits.address_rate),
        auth_rate=rate(environ, "RINGFENCE_RATE_AUTH", Limits.auth_rate),
        password_rate=rate(environ, "RINGFENCE_RATE_PASSWORD", Limits.password_rate),
        token_rate=rate(environ, "RINGFENCE_RATE_TOKEN", Limits.token_rate),
        user_chat_rate=rate(environ, "RINGFENCE_RATE_CHAT", Limits.user_chat_rate),
        user_bytes=rate(environ, "RINGFENCE_RATE_USER_BYTES", Limits.user_bytes),
        organization_rate=rate(environ, "RINGFENCE_RATE_ORG", Limits.organization_rate),
        organization_chat_rate=rate(environ, "RINGFENCE_RATE_ORG_CHAT", Limits.organization_chat_rate),
        organization_bytes=rate(environ, "RINGFENCE_RATE_ORG_BYTES", Limits.organization_bytes),
        drain_seconds=count(environ, "RINGFENCE_DRAIN_SECONDS", int(Limits.drain_seconds)),
        organization_in_flight=count(environ, "RINGFENCE_RATE_ORG_IN_FLIGHT", Limits.organization_in_flight),
    )


def from_environment(environ: Mapping[str, str] = os.environ) -> Config:
    """Return the settings of this process. Raises: ConfigRefused."""
    refuse_secrets(environ)
    project = environ.get("SUPABASE_URL", "").rstrip("/")

    def url(name: str, path: str) -> str:
        value = environ.get(name) or (project + path if project else "")
        if not value:
            raise ConfigRefused(f"set SUPABASE_URL or {name}")
        return service_url(name if environ.get(name) else "SUPABASE_URL", value)

    algorithms = words(environ, "RINGFENCE_ALGORITHMS", "ES256")
    if not algorithms or not set(algorithms) <= set(ALGORITHMS):
        raise ConfigRefused("RINGFENCE_ALGORITHMS may hold ES256 and RS256 only")
    origins = words(environ, "RINGFENCE_CORS_ORIGINS")
    if not all(_ORIGIN.match(origin) for origin in origins):
        raise ConfigRefused("RINGFENCE_CORS_ORIGINS must be exact origins, for example https://app.example.com")
    host = environ.get("RINGFENCE_HOST") or "127.0.0.1"
    cert, key = tls_files(environ)
    proxies = networks(environ, "RINGFENCE_TRUSTED_PROXIES")
    if not (is_loopback(host) or cert or proxies):
        raise clear_text(host)
    endpoint = environ.get("RINGFENCE_OTLP_ENDPOINT", "")
    number = port("RINGFENCE_PORT", environ.get("RINGFENCE_PORT") or "8787")
    public = environ.get("RINGFENCE_PUBLIC_URL") or f"{'https' if cert else 'http'}://{host}:{number}"
    return Config(
        publishable_key=_publishable(environ.get("SUPABASE_PUBLISHABLE_KEY", "")),
        rest_url=url("RINGFENCE_REST_URL", "/rest/v1"),
        auth_url=url("RINGFENCE_AUTH_URL", "/auth/v1"),
        jwks_url=url("RINGFENCE_JWKS_URL", "/auth/v1/.well-known/jwks.json"),
        issuer=url("RINGFENCE_ISSUER", "/auth/v1"),
        audience=environ.get("RINGFENCE_AUDIENCE") or "authenticated",
        algorithms=algorithms,
        host=host,
        port=number,
        # It protects nothing: clients read it, so that a container's own address may stand in it.
        public_url=public.rstrip("/"),
        metrics_port=port("RINGFENCE_METRICS_PORT", environ.get("RINGFENCE_METRICS_PORT") or "9787"),
        agent_app=environ.get("RINGFENCE_AGENT_APP", "agent.app:create_app"),
        token_keys_file=environ.get("RINGFENCE_TOKEN_KEYS_FILE", ""),
        cors_origins=frozenset(origins),
        trusted_proxies=proxies,
        tls_cert_file=cert,
        tls_key_file=key,
        redis_url=redis_url(environ),
        otlp_endpoint=service_url("RINGFENCE_OTLP_ENDPOINT", endpoint) if endpoint else "",
        trace_ratio=share(environ, "RINGFENCE_TRACE_RATIO"),
        limits=_limits(environ),
    )
