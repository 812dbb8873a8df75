"""Taking an organization along, and leaving nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    from tests.db.session import Request
    from tests.db.world import Organization

TABLES: dict[str, Decision] = {
    "organization_export": Decision(
        "can(organization.manage)", insert="can(organization.manage)", new={"org_id": ":org", "tables": "'{}'"}, in_person=True),
}

RECIPES: dict[str, Recipe] = {
    "export_organization": ("owner", {"org_id": ":org"}),
    "export_rows": ("owner", {"org_id": ":org", "export_id": ":export", "table_name": "team_member", "after": None, "max_rows": 500}),
    "purge_organization": ("owner", {"org_id": ":org", "confirm_slug": "acme"}),
}

EVENTS: dict[str, list[str]] = {"export_organization": ["organization_export.insert"]}
# Its record is the receipt: the trail goes with the organization.
OWN_RECORD = {"purge_organization"}


def fill(db: Request, organization: Organization) -> None:
    """An export that the owner began."""
    organization.ids["export"] = UUID(db.rpc("export_organization", org_id=organization.id)["export_id"])
