"""Who the example people are: organizations, roles, and the documents and orders they start with (DESIGN.md 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Organization:
    slug: str
    name: str
    owner: str
    members: dict[str, str]
    """Role by e-mail address, the owner aside."""
    removed: dict[str, str] = field(default_factory=dict)
    """Added with a role and removed again."""
    knowledge_base: str = "handbook"
    bot: str = "helpdesk"
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    """One order by the e-mail address of the customer."""


ACME = Organization(
    "acme", "Acme", "owner@acme.test",
    members={"member@acme.test": "member", "auditor@acme.test": "auditor", "both@example.test": "builder"},
    removed={"removed@acme.test": "member"},
    orders={
        "owner@acme.test": {"order_number": "ACME-1001", "total_cents": 12900, "currency": "EUR", "items": [{"name": "lamp", "quantity": 1}]},
        "member@acme.test": {"order_number": "ACME-1002", "total_cents": 4500, "currency": "EUR", "items": [{"name": "cable", "quantity": 3}]},
    },
)
GLOBEX = Organization(
    "globex", "Globex", "owner@globex.test",
    members={"member@globex.test": "member", "both@example.test": "member"},
    orders={
        "owner@globex.test": {"order_number": "GLOBEX-2001", "total_cents": 99900, "currency": "USD", "items": [{"name": "drone", "quantity": 1}]},
    },
)
ORGANIZATIONS = (ACME, GLOBEX)
OUTSIDER = "nobody@example.test"
INSTRUCTIONS = "Answer from the documents of this organization and from the customer's own orders. Cite what you use."
SOURCE: dict[str, Any] = {"slug": "shop", "name": "Shop", "description": "Orders and support tickets, conversations with bots, and how much is used.",
                          "relations": ["orders", "tickets", "conversations", "usage"]}
"""What questions may be asked of, by everyone in the organization: each sees their own rows, or what their role shows them."""
TOOLS = ("search_documents", "my_orders", "get_order", "create_ticket")


def everybody() -> list[str]:
    """Return every e-mail address once, in a fixed order."""
    emails = [email for one in ORGANIZATIONS for email in (one.owner, *one.members, *one.removed)]
    return list(dict.fromkeys([*emails, OUTSIDER]))
