"""An organization that requires a second factor does not exist for a token without one."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.db.registry import OWNER_ALONE
from tests.db.session import LONG_AGO, second_factor
from tests.db.world import World



def tables(world: World) -> list[str]:
    with world.operator() as db:
        return [name for (name,) in db.all(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id'"
            " where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') order by 1") if f"app.{name}" not in OWNER_ALONE]


def visible(world: World, role: str, **claims: object) -> dict[str, tuple[int, int]]:
    """Rows of acme and rows of all other organizations that a person of acme sees, by table."""
    with world.as_(world.acme.people[role], **claims) as db:
        return {t: db.all(f"select count(*) filter (where org_id = %s), count(*) filter (where org_id <> %s) from app.{t}",
                          world.acme.id, world.acme.id)[0] for t in tables(world)}


@pytest.mark.parametrize("role", ["owner", "admin", "customer", "auditor"])
def test_no_row_of_it_is_seen_without_a_second_factor_R42(strict_world: World, role: str) -> None:
    assert set(visible(strict_world, role).values()) == {(0, 0)}
    assert sum(mine for mine, _ in visible(strict_world, role, **LONG_AGO).values()) > 0
    with strict_world.as_(strict_world.acme.people[role]) as db:
        assert db.one("select count(*) from app.organization") == 0
    with strict_world.as_(strict_world.acme.people[role], **LONG_AGO) as db:
        assert db.one("select count(*) from app.organization") == 1


def test_an_owner_with_one_sees_rows_in_every_table_R42(strict_world: World, world: World) -> None:
    seen, usual = visible(strict_world, "owner", **LONG_AGO), visible(world, "owner")
    assert {t for t, rows in seen.items() if rows[0]} == {t for t, rows in usual.items() if rows[0]} and len(seen) >= 15


@pytest.mark.parametrize("claims", [{}, {"aal": "aal1"}, {"aal": "aal3"}, {"aal": None}, {"aal": "AAL2"}, {"user_metadata": {"aal": "aal2"}}])
def test_only_the_claim_aal2_opens_it_R42(strict_world: World, claims: dict[str, object]) -> None:
    with strict_world.as_(strict_world.acme.people["owner"], **claims) as db:
        assert db.all("select * from authz.org_ids()") == db.all("select * from authz.orgs_with('bots.run')") == []
        assert db.all("select * from authz.role_ids()") == []
    with strict_world.as_(strict_world.acme.people["owner"], **LONG_AGO) as db:
        assert db.one("select authz.org_ids()") == db.one("select authz.orgs_with('bots.run')") == strict_world.acme.id


def test_nothing_is_written_into_it_without_a_second_factor_R42(strict_world: World) -> None:
    org, owner = strict_world.acme, strict_world.acme.people["owner"]
    inserted = "insert into app.knowledge_base (org_id, slug, name) values (%s, 'probe', 'Probe')"
    updated, deleted = "update app.knowledge_base set name = 'Probe'", "delete from app.bot_runner"
    with strict_world.as_(owner) as db:
        error = db.error(inserted, org.id)
        assert error.sqlstate == "42501" and "row-level security" in str(error)
        assert (db.run(updated), db.run(deleted)) == (0, 0)
        assert db.rpc_error("start_run", bot=f"{org.id}/{org.ids['bot']}", question="Why?").sqlstate == "PT404"
    with strict_world.as_(owner, **LONG_AGO) as db:
        assert db.rpc("start_run", bot=f"{org.id}/{org.ids['bot']}", question="Why?")["run_id"]
        assert db.run(inserted, org.id) == 1 and db.run(updated) >= 2 and db.run(deleted) >= 1


def test_other_organizations_of_the_person_stay_open_F06(strict_world: World) -> None:
    with strict_world.as_(strict_world.both) as db:
        assert db.all("select * from authz.org_ids()") == [(strict_world.globex.id,)]
        me = db.rpc("whoami")
        assert ([o["slug"] for o in me["organizations"]], me["aal"], me["second_factor_missing"]) == (["globex"], "aal1", True)
    with strict_world.as_(strict_world.both, **LONG_AGO) as db:
        me = db.rpc("whoami")
        assert ([o["slug"] for o in me["organizations"]], me["aal"], me["second_factor_missing"]) == (["acme", "globex"], "aal2", False)
    with strict_world.as_(strict_world.both, org_id=str(strict_world.globex.id)) as db:
        assert db.rpc("whoami")["second_factor_missing"] is False


def test_strangers_are_not_told_that_it_requires_one(strict_world: World) -> None:
    for person in (strict_world.nobody, strict_world.removed, strict_world.globex.people["owner"]):
        with strict_world.as_(person) as db:
            assert db.rpc("whoami")["second_factor_missing"] is False


def test_who_manages_the_organization_turns_it_on_and_off_and_it_works_at_once_F06(own_world: World) -> None:
    org, owner, member = own_world.acme.id, own_world.acme.people["owner"], own_world.acme.people["member"]
    for required in (True, False):
        with own_world.as_(owner, keep=True, **second_factor()) as db:
            assert db.rpc("set_mfa_policy", org_id=org, required=required) == {"org_id": str(org), "require_mfa": required}
        with own_world.as_(member) as db:
            assert db.all("select * from authz.org_ids()") == ([] if required else [(org,)])
    assert own_world.rows("audit_event", "action = 'organization.update' and changed = '{require_mfa}'") == 2


def test_setting_it_takes_the_permission_and_a_fresh_second_factor_F07(world: World) -> None:
    org = world.acme.id
    for person in (world.acme.people["owner"], world.acme.people["admin"], world.nobody):
        for claims in ({}, LONG_AGO):
            with world.as_(person, **claims) as db:
                assert db.rpc_error("set_mfa_policy", org_id=org, required=True).sqlstate == "PT401"
                assert db.rpc_error("set_mfa_policy", org_id=uuid4(), required=True).sqlstate == "PT401"
    said = set()
    for person, named in ((world.acme.people["admin"], org), (world.nobody, org), (world.globex.people["owner"], org), (world.nobody, uuid4())):
        with world.as_(person, **second_factor()) as db:
            error = db.rpc_error("set_mfa_policy", org_id=named, required=True)
            said.add((error.sqlstate, error.diag.message_primary))
    assert said == {("PT404", "no such organization, or not yours to manage")}
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        assert db.rpc("set_mfa_policy", org_id=org, required=True)["require_mfa"] is True
        assert db.rpc_error("set_mfa_policy", org_id=None, required=True).sqlstate == "22004"
        assert db.rpc_error("set_mfa_policy", org_id=org, required=None).sqlstate == "22023"
