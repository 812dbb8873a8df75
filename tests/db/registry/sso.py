"""Single sign-on: the identity provider an operator connected, the groups that give roles, who joined that way; and who was sent away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    import psycopg

    from tests.db.session import Person
    from tests.db.world import Organization

_SEEN = "can(organization.manage) or can(members.manage)"
TABLES: dict[str, Decision] = {
    "departure": Decision(
        "can(members.manage) or can(members.deprovision)", insert="can(members.deprovision)", new={"org_id": ":org", "user_id": ":member"}, in_person=True),
    "sso_connection": Decision(_SEEN),
    "sso_group": Decision(
        _SEEN, insert="can(organization.manage)", update="can(organization.manage)", delete="can(organization.manage)", change="position = 5",
        new={"org_id": ":org", "connection_id": ":sso_connection", "name": "'Probe'", "role_id": ":member_role"}, in_person=True),
    "sso_member": Decision("t.user_id = :me or can(members.read)"),
}

RECIPES: dict[str, Recipe] = {
    "list_sso_groups": ("owner", {"org_id": ":org"}),
    "set_sso_group": ("owner", {"org_id": ":org", "connection_id": ":sso_connection", "group_name": "Probe", "role": "member", "position": 5}),
    "delete_sso_group": ("owner", {"org_id": ":org", "group_id": ":sso_group"}),
    "list_sso_organizations": ("guest", {}),
    "join_by_sso": ("guest", {"org_id": ":org"}),
    "deprovision_member": ("owner", {"org_id": ":org", "user_id": ":member"}),
}

EVENTS: dict[str, list[str]] = {
    "set_sso_group": ["sso_group.insert"],
    "delete_sso_group": ["sso_group.delete"],
    "join_by_sso": ["membership.insert"],
    "deprovision_member": ["membership.delete"],
}


def signed_in_through(connection: psycopg.Connection[Any], person: Person, provider: str, groups: Any, *, hours_ago: float = 0) -> None:
    """Write what Supabase Auth writes when somebody signs in through an identity provider: the identity with what the provider asserted."""
    told = {"sub": person.email, "email": person.email, "email_verified": True, "custom_claims": {"groups": groups}}
    connection.execute(
        "insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)"
        " values (%s, %s, %s, %s, now() - make_interval(mins => %s), now(), now())"
        " on conflict (provider_id, provider) do update set identity_data = excluded.identity_data, last_sign_in_at = excluded.last_sign_in_at",
        [person.email, person.user_id, Jsonb(told), provider, round(hours_ago * 60)])


def plant(connection: psycopg.Connection[Any], organization: Organization) -> None:
    """An identity provider; staff who may join, analysts of whom one did; and somebody who was sent away."""
    ids, owner, canary = organization.ids, organization.people["owner"], organization.canary
    provider = f"sso:{uuid4()}"

    def made(query: str, *values: Any) -> UUID:
        row = connection.execute(query, values).fetchone()  # type: ignore[arg-type]
        assert row
        return UUID(str(row[0]))

    ids["sso_connection"] = made("insert into app.sso_connection (org_id, provider) values (%s, %s) returning id", organization.id, provider)
    for key, name, role in (("sso_group", f"Staff {canary}", "member"), ("analysts_group", f"Analysts {canary}", "analyst")):
        ids[key] = made(
            "insert into app.sso_group (org_id, connection_id, name, role_id, position, created_by)"
            " select r.org_id, %s, %s, r.id, 10, %s from app.role r where r.org_id = %s and r.name = %s returning id",
            ids["sso_connection"], name, owner.user_id, organization.id, role)
    analyst = organization.people["analyst"]
    signed_in_through(connection, analyst, provider, [f"Analysts {canary}"])
    signed_in_through(connection, organization.guest, provider, ["Everyone", f"Staff {canary}"])
    connection.execute("insert into app.sso_member (org_id, user_id, connection_id) values (%s, %s, %s)",
                       [organization.id, analyst.user_id, ids["sso_connection"]])
    connection.execute("insert into app.departure (org_id, user_id, how, ended_by) values (%s, %s, 'removed', %s)", [organization.id, uuid4(), owner.user_id])
