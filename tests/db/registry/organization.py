"""Organizations, their members, and the audit trail."""

from __future__ import annotations

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

TABLES: dict[str, Decision] = {
    "organization": Decision("true", update="can(organization.manage)", change="name = 'Probe'", org="id", in_person=True),
    "permission": Decision(":me is not null", org=None),
    "audit_event": Decision("t.actor_id = :me or can(audit.read)", scope=frozenset({"audit.read"})),
    "audit_lane": Decision("can(audit.read)"),
    "audit_link": Decision("can(audit.read)"),
    "member_activity": Decision("t.user_id = :me or can(members.read)"),
    "membership": Decision(
        "t.user_id = :me or can(members.read)", update="can(members.manage)",
        delete="t.user_id = :me or can(members.manage)",
        change="role_id = :member_role", new={"org_id": ":org", "user_id": ":newcomer", "role_id": ":member_role"},
        every_row={"owner": "last owner", "admin": "beyond own role"}, in_person=True),
}

RECIPES: dict[str, Recipe] = {
    "tool_catalog": ("customer", {}),
    "whoami": ("customer", {}),
    "create_organization": ("customer", {"slug": "probe", "name": "Probe"}),
    "list_members": ("owner", {"org_id": ":org"}),
    "change_member": ("owner", {"org_id": ":org", "user_id": ":member", "role": "agent"}),
    "remove_member": ("owner", {"org_id": ":org", "user_id": ":member"}),
    "leave_organization": ("member", {"org_id": ":org"}),
    "suspend_member": ("owner", {"org_id": ":org", "user_id": ":member"}),
    "resume_member": ("owner", {"org_id": ":org", "user_id": ":member"}),
    "transfer_ownership": ("owner", {"org_id": ":org", "user_id": ":admin"}),
    "organization_settings": ("customer", {"org_id": ":org"}),
    "update_organization": ("owner", {"org_id": ":org", "slug": "probe", "name": "Probe"}),
    "suspend_organization": ("owner", {"org_id": ":org"}),
    "resume_organization": ("owner", {"org_id": ":org"}),
    "set_mfa_policy": ("owner", {"org_id": ":org", "required": True}),
}

EVENTS: dict[str, list[str]] = {
    "create_organization": ["organization.insert", "membership.insert"],
    "change_member": ["membership.update"],
    "remove_member": ["membership.delete"],
    "leave_organization": ["membership.delete"],
    "suspend_member": ["membership.update"],
    "resume_member": ["membership.update"],
    "transfer_ownership": ["membership.update", "membership.update"],
    "update_organization": ["organization.update"],
    "suspend_organization": ["organization.update"],
    "resume_organization": ["organization.update"],
    "set_mfa_policy": ["organization.update"],
}
