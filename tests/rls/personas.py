"""Everybody who acts: strangers, people without membership, members of one tenant, former members, tokens with forged parts."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

from tests.rls.acting import Acting, Persona
from tests.rls.catalog import Catalog
from tests.rls.tenancy import Tenancy
from tests.rls.world import World

# What applications call a tenant in a token or a header, when nothing in the schema tells.
USUAL_KEYS = ("org_id", "organization_id", "tenant_id", "workspace_id", "team_id", "account_id", "company_id", "tenant", "org", "organization")
USUAL_HEADERS = ("x-org-id", "x-tenant-id", "x-organization-id", "x-workspace-id", "x-tenant", "x-org")


@dataclass
class Personas:
    """People by key. `strangers` may see nothing of A or B; `insiders` belong to A and may see nothing of B; `former` belonged to A."""

    everyone: dict[str, Persona]
    strangers: list[Persona]
    insiders: list[Persona]
    former: list[Persona]
    forged: list[Persona]
    acting: Acting

    def __getitem__(self, key: str) -> Persona:
        return self.everyone[key]


def build(acting: Acting, catalog: Catalog, tenancy: Tenancy, world: World) -> Personas:
    """Return the people of a world."""
    anon, user = catalog.anon_role, catalog.user_role
    everyone: dict[str, Persona] = {}

    def claims(key: str | None, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        email = next((row.values.get("email") for row in world.of(tenancy.users, user=key)), None) if tenancy.users is not None and key else None
        base = {"aud": "authenticated", "role": user, "aal": "aal2", "session_id": str(uuid.uuid4()), "is_anonymous": False, "iat": now, "exp": now + 3600, "iss": "https://canary.test/auth/v1",
                "amr": [{"method": "totp", "timestamp": now}], "email": email or f"{key}@canary.test", "phone": "", "app_metadata": {"provider": "email"}, "user_metadata": {}}
        return base | ({"sub": world.users[key]} if key else {}) | more

    def add(key: str, name: str, role: str, told: dict[str, Any] | None, person: str | None = None, tenants: str = "", headers: dict[str, str] | None = None,
            token_of: str = "") -> None:
        if told is not None and (tenants or token_of):
            held = [world.tenants[t] for t in tenants or token_of if t in world.tenants]
            told["app_metadata"] = dict(told["app_metadata"]) | {k: held if k.endswith("s") else held[0] for k in tenancy.claims if held}
        everyone[key] = Persona(name, role, told, headers or {}, person, frozenset(tenants))

    if anon in catalog.roles:
        add("anon", "anonymous", anon, {"role": anon})
        add("anon_no_claims", "anonymous, no claims", anon, None)
    if user not in catalog.roles:
        return Personas(everyone, [*everyone.values()], [], [], [], acting)
    add("no_claims", "authenticated role without claims", user, None)
    add("no_sub", "signed in without sub", user, claims(None))
    add("anonymous_user", "anonymous user", user, claims("anonymous", is_anonymous=True, aal="aal1", amr=[{"method": "anonymous", "timestamp": int(time.time())}]), "anonymous")
    add("outsider", "signed in, no membership", user, claims("outsider"), "outsider")
    for key in ("owner_a", "admin_a", "member_a", "viewer_a"):
        add(key, key.removesuffix("_a"), user, claims(key), key, "A")
    add("owner_b", "owner of another organization", user, claims("owner_b"), "owner_b", "B")
    add("member_b", "member of another organization", user, claims("member_b"), "member_b", "B")
    add("both", "member of both organizations", user, claims("both"), "both", "AB")
    # A token outlives the membership: what it says of the tenant stays until it is renewed. Where it alone says so, that is the design.
    stale = "" if tenancy.claims_by_design else "A"
    add("removed", "removed member", user, claims("removed_a"), "removed_a", token_of=stale)
    for key, reason in world.inactive.items():
        add(key, f"member whose {reason}", user, claims(key), key, token_of=stale)
    add("aal1", "aal1", user, claims("owner_a", aal="aal1", amr=[{"method": "password", "timestamp": int(time.time())}]), "owner_a", "A")
    add("anonymous_member", "anonymous user", user, claims("member_a", is_anonymous=True), "member_a", "A")
    foreign = world.tenants.get("B", world.users.get("member_b", ""))
    told = {key: foreign for key in USUAL_KEYS} | {"role": "admin", "is_admin": True, "admin": True}
    add("user_metadata", "signed in with forged user_metadata", user, claims(
        "outsider", user_metadata=told | {k: [foreign] if k.endswith("s") else foreign for k in tenancy.user_claims if k not in told}), "outsider")
    add("app_metadata", "signed in with a stale token (app_metadata)", user, claims(
        "outsider", app_metadata={k: foreign for k in USUAL_KEYS} | {k: [foreign] if k.endswith("s") else foreign for k in tenancy.claims}), "outsider")
    add("headers", "signed in with forged request headers", user, claims("outsider"), "outsider",
        headers={h: foreign for h in (*USUAL_HEADERS, *tenancy.headers)})
    # The claim `role` itself is the database role: PostgREST switches to it. What a person writes about a role elsewhere is not.
    add("service_claim", "signed in with a forged role in user_metadata", user, claims("outsider", user_metadata={"role": "service_role", "user_role": "service_role"}), "outsider")

    def pick(*keys: str) -> list[Persona]:
        return [everyone[key] for key in keys if key in everyone]

    forged = [p for p in pick("user_metadata", "app_metadata", "headers") if not (tenancy.claims_by_design and p is everyone["app_metadata"])]
    return Personas(
        everyone, pick("anon", "anon_no_claims", "no_claims", "no_sub", "anonymous_user", "outsider"), pick("owner_a", "member_a", "owner_b", "member_b"),
        pick("removed", *world.inactive), forged, acting)
