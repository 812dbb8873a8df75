"""Roles: the built-in ones, and one of the organization's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    from tests.db.session import Request
    from tests.db.world import Organization

_BUILT_IN = {"owner": "built-in role", "admin": "built-in role"}

TABLES: dict[str, Decision] = {
    "role": Decision(
        "true", insert="can(roles.manage)", update="can(roles.manage) and not t.built_in", delete="can(roles.manage) and not t.built_in",
        change="name = 'probe'", new={"org_id": ":org", "name": "'probe'"}, in_person=True),
    "role_permission": Decision(
        "true", insert="can(roles.manage)", delete="can(roles.manage)",
        new={"org_id": ":org", "role_id": ":helper_role", "permission": "'orders.place'"}, every_row=_BUILT_IN, in_person=True),
}

RECIPES: dict[str, Recipe] = {
    "list_permissions": ("owner", {"org_id": ":org"}),
    "list_roles": ("customer", {"org_id": ":org"}),
    "create_role": ("admin", {"org_id": ":org", "name": "probe", "permissions": ["documents.read", "bots.run"]}),
    "update_role": ("admin", {"org_id": ":org", "role_id": ":helper_role", "name": "probe", "permissions": ["bots.run", "tickets.read"]}),
    "delete_role": ("admin", {"org_id": ":org", "role_id": ":helper_role"}),
}

EVENTS: dict[str, list[str]] = {
    "create_role": ["role.insert", "role_permission.insert", "role_permission.insert"],
    "update_role": ["role.update", "role_permission.insert", "role_permission.delete"],
    "delete_role": ["role.delete", "role_permission.delete", "role_permission.delete"],
}


def fill(db: Request, organization: Organization) -> None:
    """One role of the organization's own, which nobody holds."""
    db.rpc("create_role", org_id=organization.id, name="helper", permissions=["documents.read", "bots.run"])
