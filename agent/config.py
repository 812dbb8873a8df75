"""Read the agent's settings from the environment, once; no other module of the package does."""

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast
from urllib.parse import urlsplit

from agent.errors import Misconfigured

KEY_BYTES = 32
_PROVIDER = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_NO_NAME = re.compile(r"[^a-z0-9._-]")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible service chosen by the operator; the key is kept out of every repr."""

    base_url: str
    model: str
    api_key: str = field(repr=False)
    provider: str = "unnamed"
    """Who serves it, as the operator registered it with the database."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the agent needs to know about where it runs."""

    rest_url: str
    """PostgREST, without a trailing slash; `/rpc/<name>` is appended."""
    publishable_key: str
    model: Endpoint | None = None
    """None: the offline responder answers."""
    model_style: Literal["tools", "schema"] = "tools"
    """How the model is asked: with tools as OpenAI's interface has them, or for JSON after a schema, which a small one can do."""
    embedding: Endpoint | None = None
    """None: all-MiniLM-L6-v2 on this machine. An endpoint must give 384 dimensions."""
    pseudonym_key: bytes = field(default_factory=lambda: secrets.token_bytes(KEY_BYTES), repr=False)
    """What pseudonyms are made with. Its own in each process unless one is set: then the same value has the same one in all of them."""
    embedding_threads: int = 1
    """How many texts are embedded at once on this machine, each on one core."""

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "Config":
        """Return the settings in `env`. Raises: Misconfigured, naming what is missing."""
        rest_url = env.get("RINGFENCE_REST_URL", "")
        if not rest_url:
            rest_url = f"{_required(env, 'SUPABASE_URL').rstrip('/')}/rest/v1"
        model, style = model_settings(env)
        return cls(
            rest_url=rest_url.rstrip("/"),
            publishable_key=_required(env, "SUPABASE_PUBLISHABLE_KEY"),
            model=model,
            model_style=style,
            embedding=_endpoint(env, "RINGFENCE_EMBEDDING", "RINGFENCE_EMBEDDING_MODEL"),
            pseudonym_key=pseudonym_key(env.get("RINGFENCE_PSEUDONYM_KEY")),
            embedding_threads=_positive(env, "RINGFENCE_EMBEDDING_THREADS", 1),
        )


def model_settings(env: Mapping[str, str]) -> tuple[Endpoint | None, Literal["tools", "schema"]]:
    """Return the model endpoint and how it is asked; None: none is configured. Raises: Misconfigured."""
    return _endpoint(env, "RINGFENCE_MODEL", "RINGFENCE_MODEL_NAME"), _style(env.get("RINGFENCE_MODEL_STYLE") or "tools")


def _required(env: Mapping[str, str], name: str) -> str:
    if not env.get(name):
        raise Misconfigured(f"{name} is not set.")
    return env[name]


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise Misconfigured(f"{name} must be a whole number of at least 1.")
    return int(text)


def _style(text: str) -> Literal["tools", "schema"]:
    if text not in ("tools", "schema"):
        raise Misconfigured("RINGFENCE_MODEL_STYLE must be tools or schema.")
    return cast(Literal["tools", "schema"], text)


def _endpoint(env: Mapping[str, str], prefix: str, model_name: str) -> Endpoint | None:
    base_url = env.get(f"{prefix}_BASE_URL")
    if not base_url:
        return None
    if not base_url.startswith(("http://", "https://")):
        raise Misconfigured(f"{prefix}_BASE_URL must begin with http:// or https://.")
    # Servers on the own machine take any key; the client library wants one that is not empty.
    provider = env.get(f"{prefix}_PROVIDER") or _NO_NAME.sub("-", urlsplit(base_url).hostname or "").strip("-._")
    if not _PROVIDER.fullmatch(provider):
        raise Misconfigured(f"{prefix}_PROVIDER must be 1 to 100 of a-z 0-9 . _ - and begin with a letter or digit.")
    return Endpoint(base_url, _required(env, model_name), env.get(f"{prefix}_API_KEY") or "none", provider)


def names_model(env: Mapping[str, str] = os.environ) -> str | None:
    """Return what finds names of people before a text leaves (agent/redaction/names.py); None: they are not looked for."""
    return env.get("RINGFENCE_NAMES_MODEL") or None


def pseudonym_key(text: str | None) -> bytes:
    """Return the key made of `text`, of at least 32 characters; without it a new one."""
    if not text:
        return secrets.token_bytes(KEY_BYTES)
    if len(text) < KEY_BYTES:
        raise Misconfigured(f"RINGFENCE_PSEUDONYM_KEY must be at least {KEY_BYTES} random characters.")
    return hashlib.sha256(text.encode()).digest()
