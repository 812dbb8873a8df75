"""Knowledge bases and with whom they are shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    from tests.db.session import Request
    from tests.db.world import Organization

APPLIES = ("(g.user_id = :me or g.user_id is null and g.team_id is null or exists (select from app.team_member m"
           " where m.org_id = g.org_id and m.team_id = g.team_id and m.user_id = :me))")
"""Whether a grant `g` concerns the person."""


def on_base(levels: str, base: str = "t.knowledge_base_id") -> str:
    """The person has one of the levels, written as an SQL list, on the knowledge base: it is shared with them, as it is with who made it."""
    return (f"exists (select from app.kb_grant g where g.org_id = t.org_id and g.knowledge_base_id = {base} and g.level in ({levels}) and {APPLIES})")


ALL, EDIT, OWN = "'viewer', 'editor', 'owner'", "'editor', 'owner'", "'owner'"
_READ = f"can(documents.read) and (t.visibility = 'organization' or {on_base(ALL, 't.id')})"
_CHANGE = f"({on_base(OWN, 't.id')} and can(documents.read) or can(documents.manage) and {_READ})"
_OF_BASE = (f"can(documents.read) and ({on_base(ALL)} or exists (select from app.knowledge_base k where k.org_id = t.org_id"
            " and k.id = t.knowledge_base_id and k.visibility = 'organization'))")

TABLES: dict[str, Decision] = {
    "knowledge_base": Decision(
        write_scope="documents.manage", read=_READ, insert="can(documents.manage) and can(resources.publish)", update=_CHANGE, delete=_CHANGE,
        change="name = 'Probe'", new={"org_id": ":org", "slug": "'probe'", "name": "'Probe'"},
        # Documents go before their knowledge base.
        every_row={f"{role} delete": "no such parent of yours" for role in ("owner", "admin", "builder")}),
    "kb_grant": Decision(
        write_scope="documents.manage", read=f"{_OF_BASE} and ({APPLIES.replace('g.', 't.')} or {on_base(OWN)} or can(documents.manage))",
        insert="can(documents.manage)", delete=f"{_OF_BASE} and (t.user_id = :me or {on_base(OWN)} or can(documents.manage))",
        new={"org_id": ":org", "knowledge_base_id": ":knowledge_base", "user_id": ":auditor"}),
}

RECIPES: dict[str, Recipe] = {
    "create_knowledge_base": ("owner", {"org_id": ":org", "slug": "probe", "name": "Probe", "visibility": "organization"}),
    "set_knowledge_base_visibility": ("owner", {"org_id": ":org", "knowledge_base_id": ":empty_knowledge_base", "visibility": "restricted"}),
    "list_knowledge_bases": ("owner", {"org_id": ":org"}),
    "share_knowledge_base": ("admin", {"org_id": ":org", "knowledge_base_id": ":vault_knowledge_base", "user_id": None, "team_id": ":team", "level": "viewer"}),
    "unshare_knowledge_base": ("admin", {"org_id": ":org", "knowledge_base_id": ":vault_knowledge_base", "user_id": ":agent", "team_id": None}),
    "list_knowledge_base_grants": ("agent", {"org_id": ":org", "knowledge_base_id": ":vault_knowledge_base"}),
    "delete_knowledge_base": ("owner", {"org_id": ":org", "knowledge_base_id": ":other_base"}),
}

EVENTS: dict[str, list[str]] = {
    "create_knowledge_base": ["kb_grant.insert", "knowledge_base.insert"],
    "set_knowledge_base_visibility": ["knowledge_base.update"],
    "share_knowledge_base": ["kb_grant.insert"],
    "unshare_knowledge_base": ["kb_grant.delete"],
    "delete_knowledge_base": ["document.delete", "kb_grant.delete", "knowledge_base.delete"],
}

_WITH = [{"user_id", "team_id"}]
EITHER: dict[str, list[set[str]]] = {"share_knowledge_base": _WITH, "unshare_knowledge_base": _WITH}


def fill(db: Request, organization: Organization) -> None:
    """One without documents; and a restricted one of the admin's, which an agent may edit, with one document that has its file."""
    from tests.db.registry.document import add_with_file, speaking_as

    ids, people = organization.ids, organization.people
    ids["empty_knowledge_base"] = db.rpc("create_knowledge_base", org_id=organization.id, slug="empty", name=f"Empty {organization.canary}")["id"]
    with speaking_as(db, people["admin"]):
        made = db.rpc("create_knowledge_base", org_id=organization.id, slug="vault", name=f"Vault {organization.canary}", visibility="restricted")
        ids["vault_knowledge_base"] = made["id"]
        db.run("insert into app.kb_grant (org_id, knowledge_base_id, user_id, level) values (%s, %s, %s, 'editor')",
               organization.id, ids["vault_knowledge_base"], people["agent"].user_id)
        ids["vault_document"] = add_with_file(db, organization, "vault_knowledge_base", "vault", 1)
