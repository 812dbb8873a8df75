"""The custom access token hook: an SQL function that may change the claims of every token, called as Supabase Auth calls it."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from edge_proxy.local.auth.errors import HookFailed
from edge_proxy.local.auth.store import Store

TIMEOUT_MS = 2000
log = logging.getLogger("ringfence.auth")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_REQUIRED: dict[str, type | tuple[type, ...]] = {
    "aud": (str, list), "exp": int, "iat": int, "sub": str, "email": str, "phone": str, "role": str, "aal": str, "session_id": str,
}
_OPTIONAL: dict[str, type | tuple[type, ...]] = {
    "iss": str, "nbf": int, "jti": str, "app_metadata": dict, "user_metadata": dict, "amr": list, "client_id": str,
}


@dataclass(frozen=True)
class AccessTokenHook:
    schema: str
    function: str

    @classmethod
    def from_uri(cls, uri: str) -> AccessTokenHook:
        """Read `pg-functions://<database>/<schema>/<function>`; the database is always ours. Raises: ValueError."""
        parts = urlsplit(uri)
        names = parts.path.split("/")[1:]
        if parts.scheme != "pg-functions" or len(names) != 2 or not all(_NAME.fullmatch(name) for name in names):
            raise ValueError("a hook is written pg-functions://postgres/<schema>/<function>")
        return cls(*names)

    async def run(self, store: Store, user_id: UUID, claims: dict[str, Any], method: str) -> dict[str, Any]:
        """Return the claims the token shall have; within the caller's transaction. Raises: HookFailed."""
        event = {
            "metadata": {"uuid": str(uuid4()), "time": store.now.isoformat(), "name": "customize-access-token"},
            "user_id": str(user_id), "claims": claims, "authentication_method": method,
        }
        call = sql.SQL("select {}({})").format(sql.Identifier(self.schema, self.function), sql.Placeholder())
        try:
            await store.connection.execute(f"set local statement_timeout = {TIMEOUT_MS}".encode())
            row = await (await store.connection.execute(call, [Jsonb(event)])).fetchone()
            await store.connection.execute("set local statement_timeout to default")
        except psycopg.Error as error:
            log.error("hook %s.%s: %s sqlstate=%s", self.schema, self.function, type(error).__name__, error.sqlstate)
            raise HookFailed from error
        return _claims(row[0] if row else None)


def _claims(output: Any) -> dict[str, Any]:
    """Return the claims in what a hook answered: {claims} or {error: {message, http_code}}. Raises: HookFailed."""
    answer = output if isinstance(output, dict) else {}
    refusal = answer.get("error")
    if isinstance(refusal, dict) and isinstance(refusal.get("message"), str) and refusal["message"]:
        status = refusal.get("http_code")
        raise HookFailed(refusal["message"], status if isinstance(status, int) and 400 <= status <= 599 else 500)
    if "claims" not in answer:
        raise HookFailed("output claims field is missing")
    claims = answer["claims"]
    if not isinstance(claims, dict) or not _conform(claims):
        raise HookFailed("output claims do not conform to the expected schema")
    return claims


def _conform(claims: dict[str, Any]) -> bool:
    """Return whether everything a token needs is there and of its type: the least Supabase Auth signs."""
    return all(
        isinstance(claims[name], kind) and not isinstance(claims[name], bool) if name in claims else name in _OPTIONAL
        for name, kind in (_REQUIRED | _OPTIONAL).items()
    )
