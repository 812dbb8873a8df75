"""What a decision is, and which permissions each built-in role carries.

A rule is SQL over a row `t` of one organization: `can(x)` is whether the person's role there carries permission x and this session may
use it, `in_scope(x)` whether the session is no API token's without x, `:me` the person,
`:role` their role. Outside their organizations nobody may do anything. A command without a rule is not granted at all. Nothing here
is read from the database: a table or a role that is not decided here fails the matrix.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_MEMBER = {"documents.read", "bots.run", "orders.place", "tickets.create", "tokens.create", "analytics.run"}
_ADMIN = _MEMBER | {"members.read", "members.manage", "documents.manage", "documents.read_confidential", "documents.read_secret", "bots.manage",
                    "orders.read", "tickets.read", "tickets.manage", "runs.read", "audit.read", "roles.manage", "teams.manage", "rules.manage",
                    "resources.publish", "usage.read", "members.deprovision", "analytics.manage", "approvals.decide"}
ROLES: dict[str, set[str]] = {
    "owner": _ADMIN | {"organization.manage"},
    "admin": _ADMIN,
    "builder": _MEMBER | {"members.read", "documents.manage", "bots.manage", "resources.publish"},
    "analyst": {"members.read", "documents.read", "bots.run", "orders.read", "tickets.read", "usage.read", "tokens.create",
                "analytics.run", "analytics.manage"},
    "agent": {"members.read", "documents.read", "bots.run", "orders.read", "tickets.create", "tickets.read", "tickets.manage", "tokens.create",
              "analytics.run"},
    "member": _MEMBER,
    "auditor": {"members.read", "bots.run", "runs.read", "audit.read", "usage.read"},
}
# For people alone: no OAuth client uses these, and no API token carries them.
PERSONAL = {"organization.manage", "members.manage", "roles.manage", "teams.manage", "rules.manage", "tokens.create", "approvals.decide"}


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
    in_person: bool = False
    """Written by people alone: an OAuth client, an API token and somebody anonymous are refused before any row is looked at."""
    write_scope: str = ""
    """What an API token needs to write at all: its owner may change their own things without a permission."""
    scope: frozenset[str] = frozenset()
    """What an API token needs one of to reach even its owner's own rows."""
    org: str | None = "org_id"
    every_row: dict[str, str] = field(default_factory=dict)
    """By role, or role and command, what happens to a write to every row at once where a trigger or a key, not a policy, stops it."""
