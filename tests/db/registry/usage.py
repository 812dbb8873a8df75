"""Usage: the ledger of what an organization has and runs."""

from __future__ import annotations

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

TABLES: dict[str, Decision] = {"usage_entry": Decision("can(usage.read)")}

RECIPES: dict[str, Recipe] = {"organization_usage": ("analyst", {"org_id": ":org", "days": 30})}
