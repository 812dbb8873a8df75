"""Whom small helpers answer for where the policies of the definers' owner say nothing: who owns an organization, who is well, which rules a provider meets (F15, F23, F44, F70)."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.db.matrix import become, planted
from tests.db.registry import OWNER_ALONE
from tests.db.session import second_factor
from tests.db.test_purge import tables
from tests.db.world import World

REPLICA, ORIGIN = "set local session_replication_role = replica", "set local session_replication_role = origin"
_MINE = "where org_id = '{acme}' and user_id = '{me}'"
_OWNERS, _MEMBERS = ("(select id from app.role where org_id = '{%s}' and name = '%s')" % of for of in (("acme", "owner"), ("globex", "member")))
OWNING: dict[str, tuple[list[str], set[str]]] = {
    # what is so besides, and which organizations are the owner's of acme, who is a member of globex
    "nothing": ([], {"acme"}),
    "suspended": ([f"update app.membership set status = 'suspended' {_MINE}"], set()),
    "a role of that name that somebody made": (["update app.role set built_in = false where org_id = '{acme}' and name = 'owner'"], set()),
    "the role of a member elsewhere has the id of an owner's here": ([f"update app.role set id = {_MEMBERS} where id = {_OWNERS}"], set()),
}


@pytest.mark.parametrize("what", OWNING)
def test_one_owns_where_ones_own_membership_says_owner_F23(world: World, what: str) -> None:
    changes, owned = OWNING[what]
    names = {"acme": world.acme.id, "globex": world.globex.id, "me": world.acme.people["owner"].user_id}
    joins = ("insert into app.membership (org_id, user_id, role_id, permissions) select org_id, '{me}', id, permissions from app.role"
             " where org_id = '{globex}' and name = 'member'")
    with planted(world, *(f"create policy opened on app.{t} for select to ringfence_owner using (true)" for t in ("membership", "role")),
                 REPLICA, *(s.format(**names) for s in (joins, *changes)), ORIGIN) as db:
        become(db, world.acme.people["owner"], role="ringfence_owner")
        assert {o for (o,) in db.all("select * from authz.owned_org_ids()")} == {names[slug] for slug in owned}


def test_that_somebody_else_is_well_says_nothing_of_the_person_asking_F44(world: World) -> None:
    owner = world.acme.people["owner"]
    with planted(world, "create policy opened on auth.users for select to ringfence_owner using (true)") as db:
        for change, well in (("deleted_at = null", True), ("deleted_at = now()", False), ("deleted_at = null", True)):
            db.run(f"update auth.users set {change} where id = %s", owner.user_id)
            become(db, owner, role="ringfence_owner")
            assert db.one("select authz.person_is_well()") is well
            db.run("reset role")


def test_a_table_of_an_organization_is_one_of_ours_and_named_once_F23(world: World) -> None:
    with planted(world, "create table public.planted (org_id uuid, id uuid primary key)", "grant select on public.planted to authenticated") as db:
        there = set(tables(db)) - {name.removeprefix("app.") for name in OWNER_ALONE}
        become(db, world.acme.people["owner"], **second_factor())
        assert Counter(name for (name,) in db.all("select name from authz.organization_tables()")) == Counter(there)


@pytest.mark.parametrize(("slug", "provider", "refuses"), [("acme", "careful", None), ("acme", "training", "training"), ("globex", "training", None)])
def test_a_provider_is_refused_by_the_rules_of_the_organization_that_asks_F70(world: World, slug: str, provider: str, refuses: str | None) -> None:
    register = "insert into app.provider (name, leaves, retention_days, trains, attestation, attested_on) values ('{}', true, 0, {}, 'a paper', current_date)"
    rules = f"update app.organization set allowed_regions = null, zero_retention = false, external_classification = 3, no_training = id = '{world.acme.id}'"
    with planted(world, "create policy opened on app.organization for select to ringfence_owner using (true)", register.format("careful", "false"),
                 register.format("training", "true"), REPLICA, rules, ORIGIN) as db:
        become(db, world.both, role="ringfence_owner")
        assert db.one("select authz.provider_refusal(%s, %s, 0::smallint)", getattr(world, slug).id, provider) == refuses
