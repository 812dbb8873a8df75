"""Who changes members, roles and invitations stands in one line, with a snapshot that sees who stood there before (R46).

The races themselves are run in the tests of each noun, on two connections. Here each function and trigger is looked at alone.
"""

from __future__ import annotations

import re

import pytest

from tests.db.calling import caller, filled, own_ids
from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.registry import RECIPES
from tests.db.session import second_factor
from tests.db.test_rpc_sweep import call, signatures  # noqa: F401  (a fixture)
from tests.db.world import World

_NO_LINE = ("create or replace function authz.lock_organization(org_id uuid) returns void language plpgsql set search_path = pg_catalog, pg_temp as"
            " $$ begin return; end $$")
GUARDED = ("membership", "role", "role_permission", "invitation", "departure", "sso_group")
STANDING = {
    "change_member": "membership", "remove_member": "membership", "create_role": "role", "create_invitation": "invitation", "deprovision_member": "departure",
    "set_sso_group": "sso_group", "accept_invitation": "", "join_by_sso": "", "purge_organization": "", "create_organization": "", "create_api_token": "",
}
"""Calls that stand in a line by the guard of this table, or by the definer they call: with every other guard gone."""
KEYS = {"create_organization": ("{me}", 1), "create_api_token": ("{me}", 2)}
"""What the line is for, and of which kind; of the organization for all others."""
HELD = "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and (classid::bigint << 32 | objid::bigint) = hashtextextended(%s, %s)"


@pytest.mark.parametrize("name", STANDING)
def test_the_table_makes_whoever_writes_stand_in_line_R46(world: World, signatures: dict[str, dict[str, str]], name: str) -> None:  # noqa: F811
    person, (text, seed) = caller(world, name), KEYS.get(name, ("{org}", 0))
    key = text.format(org=world.acme.id, me=person.user_id)
    with planted(world, _NO_LINE, *(f"alter table app.{t} disable trigger _100_guard" for t in GUARDED if t != STANDING[name])) as db:
        become(db, person, **second_factor())
        assert db.one(HELD, key, seed) == 0
        answer = call(db, name, signatures[name], filled(RECIPES[name][1], own_ids(world)), keep=True)
        assert answer[0] == "ok", answer
        assert db.one(HELD, key, seed) == 1


@pytest.mark.parametrize(("line", "key"), [("authz.lock_organization({org})", "{org}"), ("authz.lock_name({org}, 'a name')", "{org} a name")])
def test_one_stands_in_the_line_of_ones_own_organization_alone_R46(world: World, line: str, key: str) -> None:
    """In the line of another organization one would keep its people waiting."""
    with world.as_(world.acme.people["owner"]) as db:
        for organization, stands in ((world.globex, 0), (world.acme, 1)):
            db.run("select " + line.format(org=f"'{organization.id}'::uuid"))
            assert db.one(HELD, key.format(org=organization.id), 0) == stands


def test_calls_of_one_run_stand_in_its_line_alone_and_are_counted_R46(world: World) -> None:
    """Globex has a run of the same id, with steps; acme has others: nobody waits for those, and their steps are none of this one's."""
    org, run = world.acme.id, world.acme.ids["run"]
    twins = (f"insert into app.{t} select (jsonb_populate_record(t, jsonb_build_object('org_id', '{world.globex.id}'))).* from app.{t} t where org_id = '{org}' and {key} = '{run}'"
             for t, key in (("run", "id"), ("run_step", "run_id")))
    with planted(world, REPLICA, *twins, ORIGIN) as db:
        locks = "select org_id, id, xmax::text from app.run"
        steps, before = db.one("select count(*) from app.run_step where org_id = %s and run_id = %s", org, run), set(db.all(locks))
        assert steps and db.one("select authz.next_position(%s, %s)", org, run) == steps + 1
        assert {row[:2] for row in set(db.all(locks)) - before} == {(org, run)}


REFUSING_OLD_SNAPSHOTS = ["join_by_group", "join_by_invitation", "tg_departure_guard", "tg_invitation_guard", "tg_membership_guard", "tg_role_guard", "tg_sso_group_guard"]
_REFUSES = re.compile(r"if current_setting\('transaction_isolation'\) <> 'read committed' then\s+raise sqlstate '25001'")


def test_the_ledger_of_what_refuses_a_snapshot_of_before_R46(world: World) -> None:
    """Whatever reads after standing in line. That each does is tried where a transaction of another isolation level can be begun, in the tests of each noun."""
    with world.operator() as db:
        bodies = dict(db.all("select proname::text, prosrc from pg_proc where pronamespace = 'authz'::regnamespace"))
    assert sorted(name for name, body in bodies.items() if _REFUSES.search(body)) == REFUSING_OLD_SNAPSHOTS
