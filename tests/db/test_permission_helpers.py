"""The helpers that policies call answer for the person asking and nobody else, and nothing for what they do not know (R10, F09)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.db.registry import PERSONAL, ROLES
from tests.db.matrix import become, planted
from tests.db.world import World

PERMISSIONS = sorted(ROLES["owner"])


@pytest.mark.parametrize("role", [*ROLES, "customer"])
def test_a_person_holds_exactly_the_permissions_of_their_role_in_their_own_organization_R10(world: World, role: str) -> None:
    for organization in (world.acme, world.globex):
        with world.as_(organization.people[role]) as db:
            assert db.all("select authz.org_ids()") == [(organization.id,)]
            held = {p: [o for (o,) in db.all("select authz.orgs_with(%s)", p)] for p in PERMISSIONS}
            assert held == {p: [organization.id] if p in ROLES[{"customer": "member"}.get(role, role)] else [] for p in PERMISSIONS}
            assert db.one("select count(*) from authz.role_ids()") == 1


def test_the_registry_is_what_was_decided_F10(world: World) -> None:
    with world.as_(world.nobody) as db:
        assert [name for (name,) in db.all("select name from app.permission order by name")] == PERMISSIONS


def test_what_is_personal_is_used_by_no_app_of_the_person_R44(world: World) -> None:
    owner = world.acme.people["owner"]
    with world.as_(owner, client_id="an app") as db:
        assert {p for p in PERMISSIONS if not db.all("select authz.orgs_with(%s)", p)} == set(PERSONAL)
    with world.as_(owner) as db:
        assert [p for p in PERMISSIONS if not db.all("select authz.orgs_with(%s)", p)] == []


@pytest.mark.parametrize("permission", [None, "", "*", "%", "documents", "documents.%", "DOCUMENTS.READ", "documents.read ", "owner", "null"])
def test_an_unknown_permission_is_held_by_nobody_F09(world: World, permission: Any) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        assert db.all("select authz.orgs_with(%s)", permission) == []
        assert db.all("select authz.orgs_with('documents.read')") == [(world.acme.id,)]


@pytest.mark.parametrize("who", ["nobody", "removed"])
def test_who_belongs_nowhere_holds_nothing_R10(world: World, who: str) -> None:
    with world.as_(getattr(world, who)) as db:
        assert db.all("select authz.org_ids() union all select authz.role_ids() union all select authz.runnable_bots()") == []
        assert [db.all("select authz.orgs_with(%s)", p) for p in PERMISSIONS] == [[]] * len(PERMISSIONS)


def test_a_helper_that_forgot_the_person_would_be_seen_R10(world: World) -> None:
    """The negative control: membership without the person's own condition, and the policy of the owner role opened."""
    with planted(world, "alter policy membership_select_owner on app.membership using (true)",
                 "create or replace function authz.org_ids() returns setof uuid language sql stable security definer set search_path = pg_catalog, pg_temp"
                 " as $$ select distinct org_id from app.membership $$") as db:
        become(db, world.nobody)
        assert len(db.all("select authz.org_ids()")) == 2
        assert db.one("select count(*) from app.organization") == 2


def test_a_helper_that_forgot_the_person_is_still_held_by_the_policy_of_its_owner_R10(world: World) -> None:
    with planted(world, "create or replace function authz.org_ids() returns setof uuid language sql stable security definer"
                 " set search_path = pg_catalog, pg_temp as $$ select distinct org_id from app.membership $$") as db:
        become(db, world.nobody)
        assert db.all("select authz.org_ids()") == []
        become(db, world.acme.people["member"])
        assert db.all("select authz.org_ids()") == [(world.acme.id,)]


def test_founding_in_somebodys_name_is_impossible_and_liveness_is_only_ones_own_R10(world: World) -> None:
    owner = world.acme.people["owner"]
    with world.as_(world.nobody) as db:
        made = db.one("select authz.found_organization('probe', 'Probe')")
        assert db.all("select created_by from app.organization where id = %s", made) == [(world.nobody.user_id,)]
        assert db.all("select user_id from app.membership") == [(world.nobody.user_id,)]
    with world.as_(world.nobody) as db:
        claims = world.nobody.claims(session_id=str(owner.session_id))
        db.run("select set_config('request.jwt.claims', %s, true)", json.dumps(claims))
        assert db.one("select authz.session_is_live()") is False
