"""For whom small helpers answer, and what they refuse, where no policy says it too: who owns an organization, who is well, whose tokens count (F03, F08, F23, F44, F70)."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.registry import OWNER_ALONE
from tests.db.session import second_factor
from tests.db.test_purge import tables
from tests.db.world import World

_MINE = "where org_id = '{acme}' and user_id = '{me}'"
_OWNERS, _MEMBERS = ("(select id from app.role where org_id = '{%s}' and name = '%s')" % of for of in (("acme", "owner"), ("globex", "member")))
OWNING: dict[str, tuple[list[str], set[str]]] = {
    # what is so besides, and which organizations are the owner's of acme, who is a member of globex
    "nothing": ([], {"acme"}),
    "suspended": ([f"update app.membership set status = 'suspended' {_MINE}"], set()),
    "one of that name that somebody made": (["update app.role set built_in = false where org_id = '{acme}' and name = 'owner'"], set()),
    "a member's elsewhere has the id of an owner's here": ([f"update app.role set id = {_MEMBERS} where id = {_OWNERS}"], set()),
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


def test_a_service_account_alone_has_somebody_who_answers_for_it_F03(world: World) -> None:
    people, helpers = world.acme.people, ("authz.service_owner_ids()", "authz.service_owner_role_ids()")
    serves = ("update app.membership m set service_owner_id = o.user_id, service_owner_role_id = o.role_id, service_owner_status = 'active' from app.membership o"
              f" where m.org_id = o.org_id and m.user_id = '{people['customer'].user_id}' and o.user_id = '{people['admin'].user_id}' returning o.user_id, o.role_id")
    with planted(world, "create policy opened on app.membership for select to ringfence_owner using (true)", REPLICA) as db:
        ((*answers,),) = db.all(serves)
        for who, has in (("customer", True), ("agent", False)):
            become(db, people[who], role="ringfence_owner")
            assert [db.all(f"select * from {helper}") for helper in helpers] == [[(a,)] if has else [] for a in answers]


def test_a_role_carries_what_it_carries_in_its_own_organization_F03(world: World) -> None:
    with planted(world, REPLICA, f"update app.role set id = {_MEMBERS.replace('globex', 'acme').format(acme=world.acme.id)}"
                 f" where org_id = '{world.globex.id}' and name = 'owner'", ORIGIN) as db:
        one = db.one("select id from app.role where org_id = %s and name = 'member'", world.acme.id)
        carries = "select authz.role_carries(%s, %s, authz.permission_bit('organization.manage'))"
        assert [db.one(carries, o.id, one) for o in (world.acme, world.globex)] == [False, True]


@pytest.mark.parametrize(("who", "may"), [("owner", True), ("admin", False)])
def test_who_owns_an_organization_alone_suspends_it_F06(world: World, who: str, may: bool) -> None:
    with planted(world, "create policy opened on app.organization for all to ringfence_owner using (true) with check (true)") as db:
        become(db, world.acme.people[who], **second_factor())
        suspend = ("select authz.set_suspended(%s, true)", world.acme.id)
        assert db.run(*suspend) == 1 if may else db.error(*suspend).sqlstate == "PT404"
        db.run("reset role")
        assert db.one("select suspended_at is not null from app.organization where id = %s", world.acme.id) is may


@pytest.mark.parametrize("holds", [True, False])
def test_a_result_is_shared_with_who_may_still_run_analytics_F44(world: World, holds: bool) -> None:
    analyst = world.acme.people["analyst"]
    change = f"update app.membership set permissions = permissions {'|' if holds else '& ~'} authz.permission_bit('analytics.run') where user_id = '{analyst.user_id}'"
    with planted(world, REPLICA, change, ORIGIN) as db:
        become(db, analyst)
        assert db.all("select * from authz.shared_results()") == ([(world.acme.ids["analytics_job"],)] if holds else [])


TOKEN = ("insert into app.api_token (org_id, user_id, session_id, name, prefix, token_sha256, permissions, with_second_factor, created_at, expires_at, revoked_at)"
         " select '{org}', '{user}', gen_random_uuid(), 'Probe', 'rft_probe000', repeat('0', 64), array['documents.read'], false, now() - interval '9 days', {expires}, {revoked}"
         " from generate_series(1, {times})")
LAST: dict[str, tuple[dict[str, str], bool]] = {
    # the fiftieth token that there is, and whether it is one too many
    "one's own": ({}, True), "elsewhere": ({"org": "globex"}, False), "somebody else's": ({"user": "analyst"}, False),
    "revoked": ({"revoked": "now()"}, False), "over": ({"expires": "now() - interval '1 second'"}, False),
}


@pytest.mark.parametrize("what", LAST)
def test_one_has_fifty_tokens_of_ones_own_that_live_in_an_organization_F08(world: World, what: str) -> None:
    differs, refused = LAST[what]
    names = {"acme": str(world.acme.id), "globex": str(world.globex.id), **{who: str(world.acme.people[who].user_id) for who in ("customer", "analyst")}}
    row = {"org": "acme", "user": "customer", "expires": "now() + interval '1 day'", "revoked": "null"}
    made = [TOKEN.format(times=times, **{k: names.get(v, v) for k, v in given.items()}) for times, given in ((49, row), (1, row | differs))]
    with planted(world, REPLICA, "delete from app.api_token", *made, ORIGIN) as db:
        # As the superuser with the claims of the person: no policy hides any of them.
        become(db, world.acme.people["customer"], role="none")
        wish = ("select authz.require_token_wish(%s, array['documents.read'], now() + interval '1 hour')", world.acme.id)
        assert db.error(*wish).sqlstate == "PT429" if refused else db.run(*wish) == 1


def test_a_permission_is_one_that_there_is_F12(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        db.run("select authz.require_permissions(array['documents.read', 'bots.run'])")
        assert db.error("select authz.require_permissions(array['documents.read', 'no.such'])").sqlstate == "22023"
        wish = "select authz.require_token_wish(%s, array['documents.read', 'no.such'], now() + interval '1 hour')"
        assert "'no.such' is none" in str(db.error(wish, world.acme.id).diag.message_primary)


def test_a_page_ends_where_it_is_full_and_one_row_always_goes_F23(world: World) -> None:
    large = json.dumps(["x" * 450_000])
    page = "select authz.rows_page(%s, 'run_step', false, %s::text[], 1000)"
    with planted(world, REPLICA) as db:
        steps = db.one("select count(*) from app.run_step where org_id = %s", world.acme.id)
        become(db, world.acme.people["owner"])
        assert (len((told := db.one(page, world.acme.id, None))["rows"]), told["next"]) == (steps, None) and steps > 1
        db.run("reset role")
        db.run("update app.run_step set sources = %s::text::jsonb where org_id = %s", large, world.acme.id)
        become(db, world.acme.people["owner"])
        sizes, after = [], None
        while not sizes or after:
            told = db.one(page, world.acme.id, "{" + ",".join(after) + "}" if after else None)
            sizes, after = [*sizes, len(told["rows"])], told["next"]
    assert sizes == [1] * steps
