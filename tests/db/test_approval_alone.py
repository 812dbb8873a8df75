"""Whose approval a call is about, what counts as waiting, and which organization wants one: one condition at a time, where every approval is seen (F36, R101)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.session import Request
from tests.db.world import World

DIGEST = "a" * 64
ASK = "from authz.approval_for(%s, %s, 'create_ticket', '{\"subject\": \"s\", \"body\": \"b\"}', %s)"
OTHERS: dict[str, dict[str, str]] = {
    "of the other organization": {"org_id": "globex"}, "of somebody else": {"user_id": "agent"}, "of another run": {"run_id": "run"}, "of another call": {"arguments_sha256": "b" * 64},
    "over": {"expires_at": "2020-01-01"},
}
"""How an approval differs from one of this very call."""
WAITING = {"of the other organization", "of somebody else", "over"}


@pytest.fixture
def asking(world: World) -> Iterator[Request]:
    """A session of the superuser, without keys and with no approval yet; acme wants one for what writes, and whoever asks sees all of them."""
    with planted(world, REPLICA, "delete from app.approval", "drop policy approval_floor on app.approval",
                 "alter policy approval_select_decider on app.approval using (true)", "update app.run set taint = '{}'",
                 f"update app.organization set approve_writes = (id = '{world.acme.id}')") as db:
        yield db


def plant(db: Request, world: World, differs: dict[str, str], state: str, count: int = 1) -> None:
    """So many approvals of the customer's call, but for what differs."""
    acme, names = world.acme, {"globex": world.globex.id, "agent": world.acme.people["agent"].user_id, "run": world.acme.ids["run"]}
    row: dict[str, Any] = {"org_id": acme.id, "run_id": acme.ids["running_run"], "user_id": acme.people["customer"].user_id, "tool": "create_ticket", "arguments": {},
                           "arguments_sha256": DIGEST, "reason": "organization", "state": state, "expires_at": "infinity"}
    row |= {k: names.get(v, v) for k, v in differs.items()} | ({"decided_by": uuid4(), "decided_at": "2020-01-01"} if state == "approved" else {})
    db.run("select set_config('role', 'none', true), set_config('session_replication_role', 'replica', true)")
    db.run(f"insert into app.approval ({', '.join(row)}) select {', '.join(['%s'] * len(row))} from generate_series(1, {count})", *row.values())
    db.run("select set_config('session_replication_role', 'origin', true)")
    become(db, world.acme.people["customer"])


@pytest.mark.parametrize("how", OTHERS)
def test_only_ones_own_approval_of_this_very_call_is_what_it_is_about_F36(world: World, asking: Request, how: str) -> None:
    run = world.acme.ids["running_run"]
    plant(asking, world, OTHERS[how], "approved")
    with asking.connection.transaction(force_rollback=True):
        assert asking.all(f"select state, org_id, user_id, run_id {ASK}", world.acme.id, run, DIGEST) == [
            ("pending", world.acme.id, world.acme.people["customer"].user_id, run)], "asked for now"
    plant(asking, world, {}, "approved")
    assert asking.one(f"select state {ASK}", world.acme.id, run, DIGEST) == "approved"


@pytest.mark.parametrize("how", sorted(WAITING))
def test_only_what_waits_and_is_ones_own_here_counts_as_waiting_F36(world: World, asking: Request, how: str) -> None:
    """Twenty may; each is another call, so that none of them is what this one waits for."""
    run, elsewhere = world.acme.ids["running_run"], {"arguments_sha256": "c" * 64}
    plant(asking, world, OTHERS[how] | elsewhere, "pending", 20)
    plant(asking, world, elsewhere, "pending", 19)
    with asking.connection.transaction(force_rollback=True):
        assert asking.one(f"select state {ASK}", world.acme.id, run, DIGEST) == "pending"
    plant(asking, world, elsewhere, "pending")
    assert asking.error(f"select state {ASK}", world.acme.id, run, DIGEST).sqlstate == "PT429"


@pytest.mark.parametrize("where", ["acme", "globex"])
def test_an_organization_wants_an_approval_for_what_writes_in_it_R101(world: World, asking: Request, where: str) -> None:
    """Its wish is none of another organization that one belongs to."""
    customer = world.acme.people["customer"]
    asking.run("update app.organization set approve_writes = (id = %s)", getattr(world, where).id)
    asking.run(world.belongs_too(customer, "customer"))
    become(asking, customer)
    assert asking.one("select count(*) from app.organization where approve_writes") == 1, "it is seen"
    reason = asking.one("select authz.approval_reason(%s, %s, 'create_ticket')", world.acme.id, world.acme.ids["running_run"])
    assert reason == ("organization" if where == "acme" else None)
