"""The functions of deny rules; the table is decided in team.py, beside the teams a rule may name."""

from __future__ import annotations

from tests.db.registry.recipe import Recipe

_RULE = dict.fromkeys(("user_id", "team_id", "role", "knowledge_base_id", "document_id", "bot_id", "tool", "data_source_id"))
RECIPES: dict[str, Recipe] = {
    "create_deny_rule": ("owner", {"org_id": ":org", "reason": "Probe."} | _RULE | {"team_id": ":drafters_team", "knowledge_base_id": ":knowledge_base"}),
    "delete_deny_rule": ("owner", {"org_id": ":org", "rule_id": ":deny_rule"}),
    "list_deny_rules": ("owner", {"org_id": ":org"}),
}

EITHER: dict[str, list[set[str]]] = {
    "create_deny_rule": [{"user_id", "team_id", "role"}, {"knowledge_base_id", "document_id", "bot_id", "tool", "data_source_id"}],
}

EVENTS: dict[str, list[str]] = {
    "create_deny_rule": ["deny_rule.insert"],
    "delete_deny_rule": ["deny_rule.delete"],
}
