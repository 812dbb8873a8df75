"""API tokens, service accounts and the organization chosen for a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    from tests.db.session import Request
    from tests.db.world import Organization

TOKEN_PERMISSIONS = ("bots.run", "documents.manage", "documents.read", "members.read", "orders.read")
_NEW_TOKEN = {"session_id": ":customer_session", "name": "'Probe'", "prefix": "'rft_probe000'", "token_sha256": "repeat('0', 64)",
              "permissions": "array['documents.read']", "expires_at": "now() + interval '1 hour'"}

TABLES: dict[str, Decision] = {
    "api_token": Decision(
        "t.user_id = :me or can(members.manage)", insert="can(tokens.create)", update="t.user_id = :me or can(members.manage)",
        change="revoked_at = now()", own_parent=True, in_person=True, new={"org_id": ":org", **_NEW_TOKEN}),
    "session_choice": Decision("t.user_id = :me"),
}

_WISH = {"org_id": ":org", "name": "probe", "permissions": ["documents.read"], "expires_in": 3600}
RECIPES: dict[str, Recipe] = {
    "check_api_token": ("customer", _WISH),
    "create_api_token": ("customer", _WISH | {"session_id": ":customer_session", "token_sha256": "0" * 64, "prefix": "rft_probe000"}),
    "list_api_tokens": ("owner", {"org_id": ":org"}),
    "revoke_api_token": ("owner", {"org_id": ":org", "token_id": ":api_token"}),
    "touch_api_token": ("customer", {"token_sha256": "0" * 64}),
    "list_service_accounts": ("owner", {"org_id": ":org"}),
    "choose_organization": ("customer", {"org_id": ":org"}),
    "choose_no_organization": ("customer", {}),
}

EVENTS: dict[str, list[str]] = {
    "create_api_token": ["api_token.insert"],
    "revoke_api_token": ["api_token.update"],
}
# The token says when it was last used, and the session what it is for.
OWN_RECORD = {"touch_api_token", "choose_organization", "choose_no_organization"}


def fill(db: Request, organization: Organization) -> None:
    """A token of the owner, and the owner's own organization chosen for the session they sit in."""
    ids, owner = organization.ids, organization.people["owner"]
    ids["customer_session"] = organization.people["customer"].token_session_id
    ids["api_token"] = db.rpc(
        "create_api_token", org_id=organization.id, name=f"Import {organization.canary}", permissions=list(TOKEN_PERMISSIONS),
        expires_in=3600, session_id=owner.token_session_id, token_sha256=f"{'ac' if organization.slug == 'acme' else 'ab'}" * 32,
        prefix="rft_AbCdEfGh")["id"]
    db.rpc("choose_organization", org_id=organization.id)
