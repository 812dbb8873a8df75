"""Invitations: one that is open, to somebody who belongs nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    from tests.db.session import Request
    from tests.db.world import Organization

TABLES: dict[str, Decision] = {
    "invitation": Decision(
        "can(members.manage)", insert="can(members.manage)", update="can(members.manage)", change="revoked_at = now()", in_person=True,
        new={"org_id": ":org", "email": "'probe@example.test'", "role_id": ":member_role", "token_sha256": "repeat('0', 64)",
             "expires_at": "now() + interval '1 day'"}),
}

RECIPES: dict[str, Recipe] = {
    "create_invitation": ("owner", {"org_id": ":org", "email": "probe@example.test", "role": "member", "expires_in_hours": 24, "service": False}),
    "list_invitations": ("owner", {"org_id": ":org"}),
    "revoke_invitation": ("owner", {"org_id": ":org", "invitation_id": ":invitation"}),
    "accept_invitation": ("guest", {"token": ":invitation_token"}),
}

EVENTS: dict[str, list[str]] = {
    "create_invitation": ["invitation.insert"],
    "revoke_invitation": ["invitation.update"],
    "accept_invitation": ["membership.insert", "invitation.update"],
}


def fill(db: Request, organization: Organization) -> None:
    """An open invitation to the organization's guest."""
    made = db.rpc("create_invitation", org_id=organization.id, email=organization.guest.email, role="member")
    organization.ids |= {"invitation": UUID(made["id"]), "invitation_token": made["token"]}
