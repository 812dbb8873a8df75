"""The example domain: orders and support tickets."""

from __future__ import annotations

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

TABLES: dict[str, Decision] = {
    "customer_order": Decision(
        "t.user_id = :me or can(orders.read)", insert="can(orders.place)",
        new={"org_id": ":org", "order_number": "'PRB-777'", "total_cents": "1", "currency": "'EUR'"}, scope=frozenset({"orders.place", "orders.read"})),
    "support_ticket": Decision(
        "t.user_id = :me or can(tickets.read)", insert="can(tickets.create)", update="can(tickets.manage)",
        change="status = 'pending'", new={"org_id": ":org", "subject": "'Probe'", "body": "'probe'"},
        scope=frozenset({"tickets.create", "tickets.read", "tickets.manage"})),
}

RECIPES: dict[str, Recipe] = {
    "place_order": ("customer", {"org_id": ":org", "order_number": "PRB-777", "total_cents": 1, "currency": "EUR", "items": []}),
    "my_orders": ("customer", {"org_id": ":org", "max_rows": 20}),
    "get_order": ("customer", {"org_id": ":org", "number": "ORD-2000"}),
    "create_ticket": ("customer", {"org_id": ":org", "subject": "s", "body": "b", "order_number": "ORD-2000",
                                   "idempotency_key": "00000000-0000-4000-8000-000000000001"}),
}

EVENTS: dict[str, list[str]] = {
    "place_order": ["customer_order.insert"],
    "create_ticket": ["support_ticket.insert"],
}

# Chosen by the caller, names nothing that exists before.
CHOSEN = {("create_ticket", "idempotency_key")}
