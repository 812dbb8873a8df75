"""Why somebody can or cannot reach something."""

from __future__ import annotations

from tests.db.registry.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    "explain_access": ("owner", {"org_id": ":org", "kind": "document", "object_id": ":document", "action": "read", "user_id": ":customer"}),
}
