"""An organization's identity provider, as far as Supabase Auth lets it speak: what it asserts of a person becomes a session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from edge_proxy.local.auth.config import AuthConfig
from edge_proxy.local.auth.grants import Grants
from edge_proxy.local.auth.keys import Keys
from edge_proxy.local.auth.sso import Assertion, sign_in
from edge_proxy.local.auth.store import Caller, Store


@dataclass(frozen=True)
class IdentityProvider:
    """A SAML provider registered with Supabase Auth. `database_url` logs in as somebody who may write schema auth."""

    database_url: str
    config: AuthConfig
    keys: Keys
    id: UUID = field(default_factory=uuid4)

    @property
    def provider(self) -> str:
        return f"sso:{self.id}"

    def sign_in(self, subject: str, email: str, **told: Any) -> dict[str, Any]:
        """Let somebody sign in, and return the answer with their tokens."""
        return asyncio.run(self._sign_in(Assertion(self.id, subject, email, told)))

    async def _sign_in(self, assertion: Assertion) -> dict[str, Any]:
        async with await AsyncConnection.connect(self.database_url) as connection:
            return await sign_in(Store(connection, datetime.now(UTC)), Grants(self.config, self.keys), assertion, Caller(None, None))
