"""Providers of models, what organizations allow them, budgets, and the record of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    from tests.db.session import Request
    from tests.db.world import Organization

TABLES: dict[str, Decision] = {
    "provider": Decision(":me is not null", org=None),
    "budget": Decision(
        "can(usage.read)", insert="can(organization.manage)", update="can(organization.manage)", delete="can(organization.manage)",
        change="max_tokens = 5", new={"org_id": ":org", "period": "'day'", "max_tokens": "10"}, in_person=True),
    "model_call": Decision("t.user_id = :me or can(runs.read)", scope=frozenset({"bots.run", "runs.read"})),
}

_CALL = {"provider": "offline", "model": "m", "max_tokens": 10, "run_id": ":running_run", "purpose": "answer"}
RECIPES: dict[str, Recipe] = {
    "list_providers": ("customer", {}),
    "set_data_policy": ("owner", {"org_id": ":org", "region": "eu", "allowed_regions": ["eu"], "zero_retention": True, "no_training": True, "redact": True, "rows_to_model": True,
                                  "external_classification": 2}),
    "set_budget": ("owner", {"org_id": ":org", "period": "day", "max_tokens": 1000, "max_cost": 1000}),
    "list_budgets": ("owner", {"org_id": ":org"}),
    "begin_model_call": ("customer", {"org_id": ":org", "document_id": ":document"} | _CALL),
    "end_model_call": ("customer", {"call_id": ":model_call", "key": ":model_call_key", "input_tokens": 1, "output_tokens": 1, "duration_ms": 1,
                                    "outcome": "ok"}),
    "list_model_calls": ("customer", {"org_id": ":org", "in_run": None, "max_rows": 100}),
}

EVENTS: dict[str, list[str]] = {
    "set_data_policy": ["organization.update"],
    "set_budget": ["budget.insert"],
    "begin_model_call": ["model_call.insert"],
    "end_model_call": ["model.call"],
}


def fill(db: Request, organization: Organization) -> None:
    """A budget of the month."""
    db.rpc("set_budget", org_id=organization.id, period="month", max_tokens=1_000_000)
