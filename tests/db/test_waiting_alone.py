"""What the operator's functions list, row by row: who waits in the queue, and which keys are wrapped by another key of the operator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.db.matrix import planted
from tests.db.planting import REPLICA
from tests.db.session import Request
from tests.db.world import Organization, World


_TO_THE_WORKER = ("alter function authz.waiting_orgs() security definer", "alter function authz.waiting_orgs() owner to ringfence_owner",
                  "grant execute on function authz.waiting_orgs() to ringfence_worker", "set local session authorization ringfence_worker")
"""As the functions of the queue call it: the rows are shown to the owner of the definers while the log-in is the worker's."""


def _waits(org: Organization, *, served: str | None, runs: bool) -> list[str]:
    """One job of an organization waits, and one of another status was begun at `served`; a lease of one runs."""
    waiting, other, begun = org.ids["accepted_job"], org.ids["held_job"], f"'{served}'" if served else "null"
    return [f"update app.analytics_job set status = 'queued', finished_at = null, started_at = null where id = '{waiting}'",
            f"update app.analytics_job set status = 'running', finished_at = null, started_at = {begun} where id = '{other}'",
            *([] if runs else [f"delete from app.job_lease where org_id = '{org.id}'"])]


def test_each_organization_that_waits_comes_once_with_what_it_runs_and_when_it_was_served_F53(world: World) -> None:
    def asked(*changes: str) -> set[tuple[object, ...]]:
        with planted(world, REPLICA, "update app.analytics_job set status = 'cancelled', finished_at = now(), started_at = null",
                     *changes, *_TO_THE_WORKER) as db:
            rows = db.all("select org_id, running, (served_at at time zone 'utc')::date::text from authz.waiting_orgs()")
            assert len(rows) == len(set(rows))
            return set(rows)

    acme, globex = world.acme, world.globex
    assert asked() == set()
    one = _waits(acme, served="2026-01-01T12:00Z", runs=True)
    assert asked(*one) == {(acme.id, 1, "2026-01-01")}
    assert asked(*one, *_waits(globex, served="2026-02-01T12:00Z", runs=False)) == {(acme.id, 1, "2026-01-01"), (globex.id, 0, "2026-02-01")}
    assert asked(*one, *_waits(globex, served=None, runs=True)) == {(acme.id, 1, "2026-01-01"), (globex.id, 1, None)}


@pytest.fixture
def keys(world: World) -> Iterator[Request]:
    """A session in which acme's secrets are wrapped by one key of the operator and globex's by another."""
    with planted(world, REPLICA, f"update app.secret set key_id = 'old' where org_id = '{world.acme.id}'",
                 f"update app.secret set key_id = 'new' where org_id = '{world.globex.id}'") as db:
        yield db


def test_keys_wrapped_by_another_key_are_listed_from_the_one_named_on(world: World, keys: Request) -> None:
    def listed(current: str, after: str) -> list[object]:
        return [row[0] for row in keys.all(f"select id from authz.wrapped_keys('{current}', {after}, 100)")]

    of = {org.id: [row[0] for row in keys.all("select id from app.secret where org_id = %s order by id", org.id)] for org in (world.acme, world.globex)}
    old, new = of[world.acme.id], of[world.globex.id]
    assert old and new
    keys.run("set local session authorization ringfence_worker")
    assert (listed("new", "null"), listed("old", "null")) == (old, new)
    assert listed("none", "null") == sorted(old + new)
    assert listed("new", f"'{old[0]}'") == old[1:] and listed("none", f"'{min(old + new)}'") == sorted(old + new)[1:]
