"""Bots, who may run them, and what they are bound to."""

from __future__ import annotations

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

_APPLIES = "(r.user_id = :me or r.role_id = :role or r.user_id is null and r.role_id is null)"
_BOT = f"can(bots.manage) or can(bots.run) and exists (select from app.bot_runner r where r.org_id = t.org_id and r.bot_id = %s and {_APPLIES})"

TABLES: dict[str, Decision] = {
    "bot": Decision(
        _BOT % "t.id", insert="can(bots.manage)", update="can(bots.manage)",
        change="name = 'Probe'", new={"org_id": ":org", "slug": "'probe'", "name": "'Probe'"}),
    "bot_runner": Decision(
        f"can(bots.manage) or can(bots.run) and {_APPLIES.replace('r.', 't.')}", insert="can(bots.manage)", delete="can(bots.manage)",
        new={"org_id": ":org", "bot_id": ":hidden_bot", "role_id": ":member_role"}),
    "bot_binding": Decision(
        _BOT % "t.bot_id", insert="can(bots.manage)", delete="can(bots.manage)",
        new={"org_id": ":org", "bot_id": ":hidden_bot", "tool": "'my_orders'"}),
}

RECIPES: dict[str, Recipe] = {
    "create_bot": ("owner", {"org_id": ":org", "slug": "probe", "name": "Probe", "instructions": "Probe."}),
    "share_bot": ("owner", {"org_id": ":org", "bot_id": ":hidden_bot", "role": None, "user_id": ":member"}),
    "bind_bot": ("owner", {"org_id": ":org", "bot_id": ":hidden_bot", "knowledge_base_id": ":knowledge_base", "tool": None}),
    "list_bots": ("customer", {}),
}

EVENTS: dict[str, list[str]] = {
    "create_bot": ["bot.insert"],
    "share_bot": ["bot_runner.insert"],
    "bind_bot": ["bot_binding.insert"],
}
