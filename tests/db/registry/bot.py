"""Bots and their versions, with whom they are shared, and what they are bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    from tests.db.session import Request
    from tests.db.world import Organization

_IN_TEAM = "exists (select from app.team_member m where m.org_id = {0}.org_id and m.team_id = {0}.team_id and m.user_id = :me)"
APPLIES = "({0}.user_id = :me or {0}.role_id = :role or " + _IN_TEAM + " or {0}.user_id is null and {0}.role_id is null and {0}.team_id is null)"


def _shared(bot: str, *levels: str) -> str:
    names = ", ".join(f"'{level}'" for level in levels or ("viewer", "editor", "owner"))
    # An API token is an editor or owner with bots.manage only.
    scope = "in_scope(bots.manage) and " if levels and "viewer" not in levels else ""
    return (f"{scope}can(bots.run) and exists (select from app.bot_runner r where r.org_id = t.org_id and r.bot_id = {bot} and r.level in ({names})"
            f" and {APPLIES.format('r')})")


def _unless_denied(bot: str, rule: str) -> str:
    return f"({rule}) and not exists (select from app.deny_rule d where d.org_id = t.org_id and d.bot_id = {bot} and {APPLIES.format('d')})"


def _or_manager(bot: str, *levels: str) -> str:
    return _unless_denied(bot, f"can(bots.manage) or {_shared(bot, *levels)}")


_PUBLIC = "t.user_id is null and t.team_id is null"
_OWNS = f"can(bots.manage) or {_shared('t.bot_id', 'owner')}"

TABLES: dict[str, Decision] = {
    "bot": Decision(
        write_scope="bots.manage", read=_or_manager("t.id"), insert="can(bots.manage)", update=_or_manager("t.id", "editor", "owner"),
        change="name = 'Probe'", new={"org_id": ":org", "slug": "'probe'", "name": "'Probe'"}),
    "bot_version": Decision(_or_manager("t.bot_id")),
    "bot_runner": Decision(
        write_scope="bots.manage", read=_unless_denied("t.bot_id", f"{_OWNS} or can(bots.run) and {APPLIES.format('t')}"),
        insert="can(bots.manage) and can(resources.publish)",
        update=_unless_denied("t.bot_id", f"({_OWNS}) and (not ({_PUBLIC}) or can(resources.publish))"),
        delete=_unless_denied("t.bot_id", _OWNS),
        change="level = 'editor'", new={"org_id": ":org", "bot_id": ":hidden_bot", "role_id": ":member_role"}),
    "bot_binding": Decision(
        write_scope="bots.manage", read=_or_manager("t.bot_id"), insert="can(bots.manage)", delete=_or_manager("t.bot_id", "editor", "owner"),
        new={"org_id": ":org", "bot_id": ":hidden_bot", "tool": "'my_orders'"}),
}

_BOT = {"org_id": ":org", "bot_id": ":bot"}
_DESK = {"org_id": ":org", "bot_id": ":desk_bot"}
_NOBODY = {"role": None, "user_id": None, "team_id": None}
RECIPES: dict[str, Recipe] = {
    "create_bot": ("owner", {"org_id": ":org", "slug": "probe", "name": "Probe", "instructions": "Probe."}),
    "update_bot": ("agent", _DESK | {"expected_version": 1, "name": "Probe", "instructions": "Probe."}),
    "archive_bot": ("analyst", _DESK),
    "restore_bot": ("analyst", _DESK),
    "get_bot": ("customer", _BOT),
    "list_bots": ("customer", {}),
    "list_organization_bots": ("builder", {"org_id": ":org"}),
    "list_bot_versions": ("customer", _BOT),
    "share_bot": ("owner", {"org_id": ":org", "bot_id": ":hidden_bot"} | _NOBODY | {"user_id": ":member", "level": "viewer"}),
    "unshare_bot": ("analyst", _DESK | _NOBODY | {"team_id": ":drafters_team"}),
    "list_bot_shares": ("analyst", _DESK),
    "bind_bot": ("owner", {"org_id": ":org", "bot_id": ":hidden_bot", "knowledge_base_id": ":knowledge_base", "tool": None, "data_source_id": None}),
    "unbind_bot": ("agent", {"org_id": ":org", "binding_id": ":desk_bot_binding"}),
    "list_bot_bindings": ("customer", _BOT),
}

_SUBJECT = [{"role", "user_id", "team_id"}]
EITHER: dict[str, list[set[str]]] = {
    "share_bot": _SUBJECT, "unshare_bot": _SUBJECT, "bind_bot": [{"knowledge_base_id", "data_source_id", "tool"}]}

EVENTS: dict[str, list[str]] = {
    "create_bot": ["bot.insert", "bot_runner.insert"],
    "update_bot": ["bot.update"],
    "archive_bot": ["bot.update"],
    "restore_bot": ["bot.update"],
    "share_bot": ["bot_runner.insert"],
    "unshare_bot": ["bot_runner.delete"],
    "bind_bot": ["bot_binding.insert"],
    "unbind_bot": ["bot_binding.delete"],
}


def fill(db: Request, organization: Organization) -> None:
    """One bot the agent edits through a team and the analyst owns; a rule takes it from admins, who manage every other."""
    org, ids, people = organization.id, organization.ids, organization.people
    ids["desk_bot"] = UUID(db.rpc("create_bot", org_id=org, slug="desk", name=f"Desk {organization.canary}")["id"])
    ids["drafters_team"] = db.one("insert into app.team (org_id, slug, name) values (%s, 'drafters', %s) returning id", org, f"Drafters {organization.canary}")
    db.run("insert into app.team_member (org_id, team_id, user_id) values (%s, %s, %s)", org, ids["drafters_team"], people["agent"].user_id)
    db.rpc("share_bot", org_id=org, bot_id=ids["desk_bot"], team_id=ids["drafters_team"], level="editor")
    db.rpc("share_bot", org_id=org, bot_id=ids["desk_bot"], user_id=people["analyst"].user_id, level="owner")
    ids["desk_bot_binding"] = UUID(db.rpc("bind_bot", org_id=org, bot_id=ids["desk_bot"], tool="my_orders")["id"])
    ids["deny_rule"] = UUID(db.rpc("create_deny_rule", org_id=org, reason=f"Not the {organization.canary}'s admins.", role="admin",
                                   bot_id=ids["desk_bot"])["id"])
