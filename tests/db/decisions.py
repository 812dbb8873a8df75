"""Who may do what to which row: the decisions that the access matrix holds the database to. Read this file to review access.

A rule is SQL over a row `t` of one organization: `can(x)` is whether the person's role there carries permission x, `:me` the person,
`:role` their role. Outside their organizations nobody may do anything. A command without a rule is not granted at all. Nothing here
is read from the database: a table or a role that is not decided here fails the matrix.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_MEMBER = {"documents.read", "bots.run", "orders.place", "tickets.create"}
_ADMIN = _MEMBER | {"members.read", "members.manage", "documents.manage", "bots.manage", "orders.read", "tickets.read", "tickets.manage",
                    "runs.read", "audit.read"}
ROLES: dict[str, set[str]] = {
    "owner": _ADMIN | {"organization.manage"},
    "admin": _ADMIN,
    "builder": _MEMBER | {"members.read", "documents.manage", "bots.manage"},
    "analyst": {"members.read", "documents.read", "bots.run", "orders.read", "tickets.read"},
    "agent": {"members.read", "documents.read", "bots.run", "orders.read", "tickets.create", "tickets.read", "tickets.manage"},
    "member": _MEMBER,
    "auditor": {"members.read", "bots.run", "runs.read", "audit.read"},
}


@dataclass(frozen=True)
class Decision:
    """The rules of one table. `new` is the row the insert rule is tried with, `change` the assignment for update."""

    read: str
    insert: str | None = None
    update: str | None = None
    delete: str | None = None
    change: str = ""
    new: dict[str, str] = field(default_factory=dict)
    """SQL values by column; `:name` stands for an id of the organization written to."""
    own_parent: bool = False
    """The new row hangs on a row of the customer's: anyone else who passes the policy fails at the foreign key, which carries the person."""
    org: str | None = "org_id"
    every_row: dict[str, str] = field(default_factory=dict)
    """By role, what happens to a write to every row at once where a trigger, not a policy, stops it."""


_APPLIES = "(r.user_id = :me or r.role_id = :role or r.user_id is null and r.role_id is null)"
_BOT = f"can(bots.manage) or can(bots.run) and exists (select from app.bot_runner r where r.org_id = t.org_id and r.bot_id = %s and {_APPLIES})"
_SHARED_OR_OWN = "(t.visibility = 'organization' or t.owner_id = :me)"

TABLES: dict[str, Decision] = {
    "organization": Decision("true", update="can(organization.manage)", change="name = 'Probe'", org="id"),
    "permission": Decision(":me is not null", org=None),
    "role": Decision("true"),
    "role_permission": Decision("true"),
    "audit_event": Decision("t.actor_id = :me or can(audit.read)"),
    "membership": Decision(
        "t.user_id = :me or can(members.read)", insert="can(members.manage)", update="can(members.manage)",
        delete="t.user_id = :me or can(members.manage)",
        change="role_id = :member_role", new={"org_id": ":org", "user_id": ":newcomer", "role_id": ":member_role"},
        every_row={"owner": "last owner", "admin": "beyond own role"}),
    "bot": Decision(
        _BOT % "t.id", insert="can(bots.manage)", update="can(bots.manage)",
        change="name = 'Probe'", new={"org_id": ":org", "slug": "'probe'", "name": "'Probe'"}),
    "bot_runner": Decision(
        f"can(bots.manage) or can(bots.run) and {_APPLIES.replace('r.', 't.')}", insert="can(bots.manage)", delete="can(bots.manage)",
        new={"org_id": ":org", "bot_id": ":hidden_bot", "role_id": ":member_role"}),
    "bot_binding": Decision(
        _BOT % "t.bot_id", insert="can(bots.manage)", delete="can(bots.manage)",
        new={"org_id": ":org", "bot_id": ":hidden_bot", "tool": "'my_orders'"}),
    "knowledge_base": Decision(
        "can(documents.read)", insert="can(documents.manage)", update="can(documents.manage)",
        change="name = 'Probe'", new={"org_id": ":org", "slug": "'probe'", "name": "'Probe'"}),
    "document": Decision(
        f"can(documents.read) and {_SHARED_OR_OWN}", insert="can(documents.manage)", update=f"can(documents.manage) and {_SHARED_OR_OWN}",
        delete=f"can(documents.manage) and {_SHARED_OR_OWN}", change="title = 'Probe'",
        new={"org_id": ":org", "knowledge_base_id": ":knowledge_base", "title": "'Probe'", "uri": "'test:probe'", "sha256": "repeat('0', 64)"}),
    "chunk": Decision(
        f"can(documents.read) and {_SHARED_OR_OWN}", insert="can(documents.manage) and :me = :owner",
        new={"org_id": ":org", "document_id": ":loading_document", "knowledge_base_id": ":knowledge_base", "visibility": "'organization'",
             "owner_id": ":owner", "position": "99", "content": "'probe'", "start_char": "0", "end_char": "5",
             "embedding": "array_fill(0.05, array[384])::extensions.vector"}),
    "conversation": Decision(
        "t.user_id = :me", insert="can(bots.run)", new={"org_id": ":org", "bot_id": ":bot", "title": "'Probe'"}),
    "run": Decision(
        "t.user_id = :me or can(runs.read)", insert="can(bots.run)", update="t.user_id = :me and t.status = 'running'",
        change="error_code = 'Probe'", own_parent=True,
        new={"org_id": ":org", "bot_id": ":bot", "bot_version": "1", "conversation_id": ":conversation", "question_sha256": "repeat('0', 64)"}),
    "run_step": Decision(
        "t.user_id = :me or can(runs.read)", insert=":me = :customer",
        new={"org_id": ":org", "run_id": ":running_run", "position": "99", "kind": "'model'", "name": "'probe'", "outcome": "'ok'"}),
    "message": Decision(
        "t.user_id = :me", insert="true", own_parent=True,
        new={"org_id": ":org", "conversation_id": ":conversation", "run_id": ":running_run", "role": "'user'", "content": "'probe'"}),
    "customer_order": Decision(
        "t.user_id = :me or can(orders.read)", insert="can(orders.place)",
        new={"org_id": ":org", "order_number": "'PRB-777'", "total_cents": "1", "currency": "'EUR'"}),
    "support_ticket": Decision(
        "t.user_id = :me or can(tickets.read)", insert="can(tickets.create)", update="can(tickets.manage)",
        change="status = 'pending'", new={"org_id": ":org", "subject": "'Probe'", "body": "'probe'"}),
}
