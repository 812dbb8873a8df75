"""Who changes members, roles and invitations stands in one line, with a snapshot that sees who stood there before (R46).

The races themselves are run in the tests of each noun, on two connections. Here each function and trigger is looked at alone.
"""

from __future__ import annotations

import re

import pytest

from tests.db.calling import caller, filled, own_ids
from tests.db.matrix import become, planted
from tests.db.registry import RECIPES
from tests.db.session import second_factor
from tests.db.test_rpc_sweep import call, signatures  # noqa: F401  (a fixture)
from tests.db.world import World

_NO_LINE = ("create or replace function authz.lock_organization(org_id uuid) returns void language plpgsql set search_path = pg_catalog, pg_temp as"
            " $$ begin return; end $$")
ORGANIZATION, FOUNDER, TOKENS = ("{org}", 0), ("{me}", 1), ("{me}", 2)
STANDING = {
    "change_member": ORGANIZATION, "remove_member": ORGANIZATION, "create_role": ORGANIZATION, "create_invitation": ORGANIZATION,
    "accept_invitation": ORGANIZATION, "deprovision_member": ORGANIZATION, "set_sso_group": ORGANIZATION, "join_by_sso": ORGANIZATION,
    "purge_organization": ORGANIZATION, "create_organization": FOUNDER, "create_api_token": TOKENS,
}
"""In which line the table itself makes a call stand, though the function did not."""


@pytest.mark.parametrize("name", STANDING)
def test_the_table_makes_whoever_writes_stand_in_line_R46(world: World, signatures: dict[str, dict[str, str]], name: str) -> None:  # noqa: F811
    text, seed = STANDING[name]
    person = caller(world, name)
    key = text.format(org=world.acme.id, me=person.user_id)
    held = ("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
            " and (classid::bigint << 32 | objid::bigint) = hashtextextended(%s, %s)")
    with planted(world, _NO_LINE) as db:
        become(db, person, **second_factor())
        assert db.one(held, key, seed) == 0
        answer = call(db, name, signatures[name], filled(RECIPES[name][1], own_ids(world)), keep=True)
        assert answer[0] == "ok", answer
        assert db.one(held, key, seed) == 1


REFUSING_OLD_SNAPSHOTS = ["join_by_group", "join_by_invitation", "tg_departure_guard", "tg_invitation_guard", "tg_membership_guard", "tg_role_guard", "tg_sso_group_guard"]
_REFUSES = re.compile(r"if current_setting\('transaction_isolation'\) <> 'read committed' then\s+raise sqlstate '25001'")


def test_whatever_reads_after_standing_in_line_refuses_a_snapshot_of_before_R46(world: World) -> None:
    """A ledger: that each does is tried where a transaction of another isolation level can be begun, in the tests of each noun."""
    with world.operator() as db:
        bodies = dict(db.all("select proname::text, prosrc from pg_proc where pronamespace = 'authz'::regnamespace"))
    assert sorted(name for name, body in bodies.items() if _REFUSES.search(body)) == REFUSING_OLD_SNAPSHOTS
