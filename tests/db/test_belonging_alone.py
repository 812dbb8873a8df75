"""What it takes to belong and to hold a permission, one condition at a time, where the policies of the definers' owner say nothing (F08, F12, R40, R42, R43).

Everything else asks authz.org_ids() and authz.orgs_with(): so each of their conditions is seen alone.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.registry.identity import TOKEN_PERMISSIONS
from tests.db.world import World

PERMISSION, PERSONAL = "documents.read", "members.manage"
ME, TOKEN = "where user_id = '{me}' and org_id = '{acme}'", "where session_id = '{token}'"
AAL2 = {"aal": "aal2"}
_SERVES = ("update app.membership m set service_owner_id = o.user_id, service_owner_role_id = {role}, service_owner_status = '{status}' from app.membership o"
           " where m.user_id = '{{me}}' and m.org_id = '{{acme}}' and o.org_id = m.org_id and o.user_id = '{{admin}}'")
_OWN, _AGENTS = "o.role_id", "(select id from app.role where org_id = m.org_id and name = 'auditor')"
BOTH, ACME, NOWHERE = {"acme", "globex"}, {"acme"}, set[str]()
# What is so, what the token says besides, where one belongs, where one holds documents.read, and where members.manage.
CASES: dict[str, tuple[str, dict[str, Any], set[str], set[str], set[str]]] = {
    "nothing": ("", {}, BOTH, BOTH, BOTH), "anonymous": ("", {"is_anonymous": True}, NOWHERE, NOWHERE, NOWHERE),
    "suspended": (f"update app.membership set status = 'suspended' {ME}", {}, {"globex"}, {"globex"}, {"globex"}),
    "one is suspended": ("update app.organization set suspended_at = now() where id = '{globex}'", AAL2, ACME, ACME, ACME),
    "one asks for a second factor": ("update app.organization set require_mfa = true where id = '{globex}'", {}, ACME, ACME, ACME),
    "one gets its second factor": ("update app.organization set require_mfa = true where id = '{globex}'", AAL2, BOTH, BOTH, BOTH),
    "narrowed": ("", {"org_id": "{globex}"}, {"globex"}, {"globex"}, {"globex"}), "an app": ("", {"client_id": "an app"}, BOTH, BOTH, NOWHERE),
    "a token": ("", {"session_id": "{token}"}, ACME, ACME, NOWHERE),
    "a token for something else": (f"update app.api_token set permissions = '{{{{orders.read}}}}' {TOKEN}", {"session_id": "{token}"}, ACME, NOWHERE, NOWHERE),
    "a token revoked": (f"update app.api_token set revoked_at = now() {TOKEN}", {"session_id": "{token}"}, NOWHERE, NOWHERE, NOWHERE),
    "a token expired": (f"update app.api_token set created_at = now() - interval '9 days', expires_at = now() - interval '1 second' {TOKEN}; update app.membership set created_at = now() - interval '99 days'",
                        {"session_id": "{token}"}, NOWHERE, NOWHERE, NOWHERE),
    "a token made before one belonged": (f"update app.membership set created_at = now() + interval '1 hour' {ME}", {"session_id": "{token}"}, NOWHERE, NOWHERE, NOWHERE),
    "a revoked token of somebody else": (f"update app.api_token set user_id = '{{admin}}', revoked_at = now() {TOKEN}", {"session_id": "{token}"}, BOTH, BOTH, BOTH),
    "a service account": (_SERVES.format(role=_OWN, status="active"), {}, BOTH, BOTH, {"globex"}),
    "a service account of who may less": (_SERVES.format(role=_AGENTS, status="active"), {}, BOTH, {"globex"}, {"globex"}),
    "a service account of who is suspended": (_SERVES.format(role=_OWN, status="suspended"), {}, {"globex"}, {"globex"}, {"globex"}),
}


@pytest.mark.parametrize("what", CASES)
def test_one_belongs_and_holds_a_permission_while_all_of_it_is_so_R10(world: World, what: str) -> None:
    change, claims, belongs, holds, personal = CASES[what]
    owner, organizations = world.acme.people["owner"], {"acme": world.acme.id, "globex": world.globex.id}
    assert PERMISSION in TOKEN_PERMISSIONS
    names = {"me": owner.user_id, "token": owner.token_session_id, "admin": world.acme.people["admin"].user_id, **organizations}
    joins = (f"insert into app.membership (org_id, user_id, role_id, permissions) select org_id, '{owner.user_id}', role_id, permissions from app.membership"
             f" where org_id = '{world.globex.id}' and user_id = '{world.globex.people['owner'].user_id}'")
    statements = [s for s in change.format(**names).split("; ") if s]
    with planted(world, *(f"create policy opened on app.{t} for select to ringfence_owner using (true)" for t in ("membership", "api_token", "organization", "role")),
                 REPLICA, joins, *statements) as db:
        become(db, owner, **{k: v.format(**names) if isinstance(v, str) else v for k, v in claims.items()})
        for question, expected in (("authz.org_ids()", belongs), (f"authz.orgs_with('{PERMISSION}')", holds), (f"authz.orgs_with('{PERSONAL}')", personal)):
            assert sorted(o for (o,) in db.all(f"select * from {question}")) == sorted(organizations[slug] for slug in expected), question


def test_teams_and_roles_are_those_of_where_one_belongs_R10(world: World) -> None:
    """In an organization that is suspended one has neither."""
    with planted(world, *(f"create policy opened on app.{t} for select to ringfence_owner using (true)" for t in ("membership", "team_member")),
                 f"insert into app.team_member (org_id, team_id, user_id, manager) select org_id, team_id, '{world.acme.people['analyst'].user_id}', true from app.team_member"
                 f" where org_id = '{world.acme.id}' limit 1") as db:
        helpers = ("authz.team_ids()", "authz.managed_team_ids()", "authz.role_ids()")
        become(db, world.acme.people["analyst"])
        assert [len(db.all(f"select * from {h}")) for h in helpers] == [1, 1, 1]
        db.run("select set_config('role', 'none', true)")
        db.run("update app.organization set suspended_at = now() where id = %s", world.acme.id)
        become(db, world.acme.people["analyst"])
        assert [len(db.all(f"select * from {h}")) for h in helpers] == [0, 0, 0]
