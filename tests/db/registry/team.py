"""Teams and deny rules: the groups things are shared with, and what nobody can be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    from tests.db.session import Request
    from tests.db.world import Organization

_MANAGED = "exists (select from app.team_member m where m.org_id = t.org_id and m.team_id = {team} and m.user_id = :me{manager})"
_MINE = _MANAGED.format(team="{team}", manager=" and m.manager")

TABLES: dict[str, Decision] = {
    "team": Decision(
        "true", insert="can(teams.manage)", update=f"can(teams.manage) or {_MINE.format(team='t.id')}", delete="can(teams.manage)",
        change="name = 'Probe'", new={"org_id": ":org", "slug": "'probe'", "name": "'Probe'"}, in_person=True),
    "team_member": Decision(
        f"t.user_id = :me or can(members.read) or {_MANAGED.format(team='t.team_id', manager='')}",
        insert="can(teams.manage) or :me = :builder", update="can(teams.manage)",
        delete=f"t.user_id = :me or can(teams.manage) or not t.manager and {_MINE.format(team='t.team_id')}",
        change="manager = true", new={"org_id": ":org", "team_id": ":team", "user_id": ":analyst"}, in_person=True),
    "deny_rule": Decision(
        "can(rules.manage) or can(teams.manage) and t.team_id is not null", insert="can(rules.manage)", delete="can(rules.manage)",
        new={"org_id": ":org", "tool": "'my_orders'", "role_id": ":auditor_role", "reason": "'Probe'"}, in_person=True),
}

_TEAM = {"org_id": ":org", "team_id": ":team"}
RECIPES: dict[str, Recipe] = {
    "list_teams": ("customer", {"org_id": ":org"}),
    "create_team": ("admin", {"org_id": ":org", "slug": "probe", "name": "Probe"}),
    "rename_team": ("builder", _TEAM | {"slug": "probe", "name": "Probe"}),
    "delete_team": ("admin", _TEAM),
    "list_team_members": ("customer", _TEAM),
    "add_team_member": ("builder", _TEAM | {"user_id": ":analyst", "manager": False}),
    "remove_team_member": ("builder", _TEAM | {"user_id": ":customer"}),
    "set_team_manager": ("admin", _TEAM | {"user_id": ":customer", "manager": True}),
}

EVENTS: dict[str, list[str]] = {
    "create_team": ["team.insert"],
    "rename_team": ["team.update"],
    "delete_team": ["team.delete", "team_member.delete", "team_member.delete"],
    "add_team_member": ["team_member.insert"],
    "remove_team_member": ["team_member.delete"],
    "set_team_manager": ["team_member.update"],
}


def fill(db: Request, organization: Organization) -> None:
    """One team whose manager is the builder and with the customer in it; one rule that denies auditors a tool they have no use for."""
    ids, people = organization.ids, organization.people
    ids["team"] = db.one("insert into app.team (org_id, slug, name) values (%s, 'support', %s) returning id",
                         organization.id, f"Support {organization.canary}")
    for role in ("builder", "customer"):
        db.run("insert into app.team_member (org_id, team_id, user_id, manager) values (%s, %s, %s, %s)",
               organization.id, ids["team"], people[role].user_id, role == "builder")
    db.run("insert into app.deny_rule (org_id, role_id, tool, reason) select %s, r.id, 'create_ticket', %s from app.role r"
           " where r.org_id = %s and r.name = 'auditor'", organization.id, f"Auditors of the {organization.canary} change nothing.", organization.id)
