"""The rights of the person: what is kept about people, erasure, and the holds that come before it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from tests.db.planting import REPLICA
from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    import psycopg

    from tests.db.session import Request
    from tests.db.world import Organization

TABLES: dict[str, Decision] = {
    "erasure": Decision(
        "t.requested_by = :me or can(audit.read)", insert="can(members.manage) and can(members.read)", new={"org_id": ":org", "user_id": ":newcomer"}, in_person=True),
    "retention_rule": Decision(
        "can(organization.manage) or can(audit.read)", insert="can(organization.manage)", update="can(organization.manage)", delete="can(organization.manage)",
        change="days = 9", new={"org_id": ":org", "class": "'usage'", "days": "9"}, in_person=True),
    "retention_receipt": Decision("can(organization.manage) or can(audit.read)"),
    "legal_hold": Decision(
        "can(organization.manage) or can(audit.read)", insert="can(organization.manage)", update="can(organization.manage) and t.released_at is null",
        change="(released_by, released_at) = (authz.uid(), now())", new={"org_id": ":org", "reason": "'probe'"}, in_person=True),
}

RECIPES: dict[str, Recipe] = {
    "list_personal_data": ("customer", {}),
    "erase_me": ("auditor", {"org_id": ":org", "confirm_slug": "acme"}),
    "erase_member": ("owner", {"org_id": ":org", "user_id": ":auditor"}),
    "set_legal_hold": ("owner", {"org_id": ":org", "reason": "a case", "user_id": ":auditor", "conversation_id": None}),
    "release_legal_hold": ("owner", {"org_id": ":org", "hold_id": ":open_hold"}),
    "export_me": ("customer", {"org_id": ":org", "table_name": "conversation", "after": None, "max_rows": 500}),
    "set_retention": ("owner", {"org_id": ":org", "class": "conversations", "days": 30}),
    "list_retention": ("owner", {"org_id": ":org"}),
    "list_legal_holds": ("owner", {"org_id": ":org"}),
}

EVENTS: dict[str, list[str]] = {
    "set_legal_hold": ["legal_hold.insert"],
    "release_legal_hold": ["legal_hold.insert", "legal_hold.update"],
    "set_retention": ["retention_rule.update"],
    "erase_me": ["erasure.insert", "membership.delete"],
    "erase_member": ["erasure.insert", "membership.delete"],
}

# Of a person or conversation a hold is set on, nobody asks whether there is one: whoever sets it need not see either.
CHOSEN = {("set_legal_hold", "user_id"), ("set_legal_hold", "conversation_id")}


def fill(db: Request, organization: Organization) -> None:
    """A rule that deletes nothing yet, and a hold that is released: one that holds would keep the world from being erased and purged (see `held_world`)."""
    held = db.rpc("set_legal_hold", org_id=organization.id, reason=f"The case of the {organization.canary}", user_id=organization.people["customer"].user_id)
    db.rpc("set_retention", org_id=organization.id, **{"class": "conversations"}, days=3650)
    organization.ids["hold"] = UUID(held["hold_id"])
    db.rpc("release_legal_hold", org_id=organization.id, hold_id=organization.ids["hold"])


def plant(connection: psycopg.Connection, organization: Organization) -> None:
    """The receipts of somebody who is long gone, and of what was over."""
    connection.execute("insert into app.retention_receipt (org_id, class, days, deleted) values (%s, 'usage', 30, '{\"usage_entry\": 1}')", [organization.id])
    # Without its trigger: there is nobody who asks, and nothing to erase.
    connection.execute(REPLICA)
    connection.execute("insert into app.erasure (org_id, user_id, requested_by) values (%s, %s, %s)",
                       [organization.id, uuid4(), organization.people["owner"].user_id])
