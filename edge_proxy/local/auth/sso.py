"""Signing in through an organization's identity provider: what Supabase Auth writes once it has checked the provider's assertion.

There is no endpoint for it. The emulator has no provider whose signature it could check, and one that took assertions without would
let anybody on this machine be anybody: tests call `sign_in` with a connection of their own as supabase_auth_admin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from edge_proxy.local.auth import queries
from edge_proxy.local.auth.grants import Grants
from edge_proxy.local.auth.store import Caller, Store

METHOD = "sso/saml"


@dataclass(frozen=True)
class Assertion:
    """What a SAML provider said of a person, its attributes already mapped as the provider was registered."""

    provider_id: UUID
    subject: str
    email: str
    custom_claims: dict[str, Any] = field(default_factory=dict)
    """Every attribute that is no standard claim: groups among them."""

    @property
    def provider(self) -> str:
        return f"sso:{self.provider_id}"

    @property
    def identity(self) -> dict[str, Any]:
        return {"sub": self.subject, "email": self.email, "email_verified": True, "phone_verified": False, "custom_claims": self.custom_claims}


async def sign_in(store: Store, grants: Grants, assertion: Assertion, caller: Caller) -> dict[str, Any]:
    """Return the tokens of a new session of the person the provider means: an account of this provider alone, made when they first come.

    The account is never one that signs in otherwise, whatever its address is. Raises: HookFailed, UserBanned.
    """
    values = {
        "provider": assertion.provider, "subject": assertion.subject, "email": assertion.email, "now": store.now,
        "identity": Jsonb(assertion.identity), "audience": grants.config.audience, "user_id": uuid4(),
        "app_metadata": Jsonb({"provider": assertion.provider, "providers": [assertion.provider]}),
    }
    known = await (await store.connection.execute(queries.UPDATE_SSO_IDENTITY, values)).fetchone()
    if known is None:
        await store.connection.execute(queries.ADD_SSO_USER, values)
        await store.connection.execute(queries.ADD_SSO_IDENTITY, values)
    user_id = known[0] if known else values["user_id"]
    await store.connection.execute(queries.COPY_SSO_METADATA, values | {"user_id": user_id})
    return await grants.open_session(store, user_id, METHOD, caller)
