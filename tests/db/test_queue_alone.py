"""The functions of the queue touch the one job they are called for, under its lease, also where no policy says so (F44, F51, F53).

Acme has two jobs that run and one that waits; globex has the same, and one of the same id. What a function does to the first it does to none of
the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.db.matrix import planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Request
from tests.db.world import World

RESULT = json.dumps({"columns": [{"name": "one", "type": "int4"}], "rows": [[1]], "truncated": False})
LEASE, OTHER, TWIN = uuid4(), uuid4(), uuid4()


@pytest.fixture
def queue(world: World) -> Iterator[Request]:
    """A session of the worker for which the policies of the definers' owner say nothing about jobs; the first job is leased under LEASE, a second under OTHER."""
    acme = world.acme
    with planted(world, *(f"create policy opened on app.{t} for all to ringfence_owner using (true) with check (true)" for t in ("analytics_job", "job_lease", "analytics_result")),
                 REPLICA, "delete from app.job_scope",
                 f"update app.job_lease set lease = '{LEASE}', expires_at = now() + interval '1 minute' where job_id = '{acme.ids['held_job']}'",
                 f"update app.analytics_job set status = 'running', attempts = 2, started_at = now(), finished_at = null where id = '{acme.ids['accepted_job']}'",
                 "insert into app.job_lease (org_id, job_id, lease, worker, place, expires_at)"
                 f" values ('{acme.id}', '{acme.ids['accepted_job']}', '{OTHER}', 'planted', 2, now() + interval '1 minute')",
                 *(f"insert into app.{t} select (jsonb_populate_record(t, jsonb_build_object('org_id', '{world.globex.id}') || '{more}')).* from app.{t} t"
                   f" where org_id = '{acme.id}' and {key} = '{acme.ids['held_job']}'"
                   for t, key, more in (("analytics_job", "id", "{}"), ("job_lease", "job_id", json.dumps({"lease": str(TWIN), "place": 4})))),
                 ORIGIN) as db:
        yield db


def asked(db: Request, query: str, *arguments: Any) -> Any:
    """What the worker is answered."""
    db.run("set local session authorization ringfence_worker")
    try:
        return db.one(query, *arguments)
    finally:
        if db.connection.info.transaction_status is not psycopg.pq.TransactionStatus.INERROR:
            db.run("set local session authorization default")


def refused(db: Request, query: str, *arguments: Any, login: str = "ringfence_worker") -> str | None:
    try:
        with db.connection.transaction(force_rollback=True):
            db.run(f"set local session authorization {login}")
            db.one(query, *arguments)
    except psycopg.Error as error:
        return error.sqlstate
    return None


def state(db: Request) -> dict[tuple[UUID, UUID], tuple[Any, ...]]:
    """Of every job, by its organization and its id: its status, how often it began, and under which lease it is held, until when."""
    return {row[:2]: row[2:] for row in db.all(
        "select j.org_id, j.id, j.status, j.attempts, l.lease, l.expires_at::text from app.analytics_job j left join app.job_lease l on l.org_id = j.org_id and l.job_id = j.id")}


def changed(before: dict[tuple[UUID, UUID], tuple[Any, ...]], after: dict[tuple[UUID, UUID], tuple[Any, ...]]) -> set[tuple[UUID, UUID]]:
    return {job for job in before if before[job] != after[job]}


def test_a_lease_is_renewed_for_its_job_alone_F53(world: World, queue: Request) -> None:
    job, before = world.acme.ids["held_job"], state(queue)
    for lease, change in ((OTHER, ""), (LEASE, "update app.job_lease set expires_at = now() - interval '1 second' where lease = %s"),
                          (LEASE, "update app.analytics_job set status = 'cancelled' where id in (select job_id from app.job_lease where lease = %s)"),
                          (LEASE, "update app.analytics_job j set status = 'cancelled' from app.job_lease l where l.lease = %s and j.id = l.job_id and j.org_id = l.org_id")):
        with queue.connection.transaction(force_rollback=True):
            queue.run(REPLICA)
            queue.run(change, lease) if change else None
            then = state(queue)
            assert asked(queue, "select authz.renew_job(%s, %s)", job, lease) is None
            assert changed(then, state(queue)) == set()
    assert asked(queue, "select authz.renew_job(%s, %s)", job, LEASE) is True
    assert changed(before, state(queue)) == {(world.acme.id, job)}


@pytest.mark.parametrize("counts", [True, False])
def test_a_job_is_let_go_under_its_own_lease_alone_F53(world: World, queue: Request, counts: bool) -> None:
    job, before = world.acme.ids["held_job"], state(queue)
    with queue.connection.transaction(force_rollback=True):
        asked(queue, "select authz.release_job(%s, %s, %s)", job, OTHER, counts)
        assert changed(before, state(queue)) == set()
    assert asked(queue, "select authz.release_job(%s, %s, %s)", job, LEASE, counts) is True
    after = state(queue)
    assert changed(before, after) == {(world.acme.id, job)}
    assert after[world.acme.id, job] == ("queued", 1 if counts else 0, None, None)


@pytest.mark.parametrize(("attempts", "status", "then"), [(1, "running", "queued"), (3, "running", "failed"), (1, "cancelled", "cancelled")])
def test_whose_lease_ran_out_alone_is_put_back_F53(world: World, queue: Request, attempts: int, status: str, then: str) -> None:
    job = world.acme.ids["held_job"]
    queue.run(REPLICA)
    queue.run("update app.job_lease set expires_at = now() - interval '1 second' where job_id = %s and org_id = %s", job, world.acme.id)
    queue.run("update app.analytics_job set attempts = %s, status = %s where id = %s and org_id = %s", attempts, status, job, world.acme.id)
    queue.run(ORIGIN)
    before = state(queue)
    assert asked(queue, "select authz.recover_jobs()") == 1
    after = state(queue)
    assert changed(before, after) == {(world.acme.id, job)}
    assert after[world.acme.id, job] == (then, attempts, None, None)


def test_only_results_that_have_expired_are_taken_out_F53(world: World, queue: Request) -> None:
    results = "select org_id from app.analytics_result order by 1"
    assert len(queue.all(results)) == 2
    asked(queue, "select authz.recover_jobs()")
    assert len(queue.all(results)) == 2
    queue.run("update app.analytics_result set expires_at = now() - interval '1 second' where org_id = %s", world.acme.id)
    asked(queue, "select authz.recover_jobs()")
    assert queue.all(results) == [(world.globex.id,)]


def test_a_job_is_begun_under_its_own_lease_while_it_runs_and_one_in_a_transaction_F44_F51(world: World, queue: Request) -> None:
    job, other = world.acme.ids["held_job"], world.acme.ids["accepted_job"]
    begin = "select authz.begin_job(%s, %s)"
    for change in ("", "update app.job_lease set expires_at = now() - interval '1 second' where job_id = %s", "update app.analytics_job set status = 'cancelled' where id = %s"):
        with queue.connection.transaction(force_rollback=True):
            queue.run(REPLICA)
            queue.run(change, job) if change else None
            assert refused(queue, begin, job, LEASE) == ("PT409" if change else None)
            assert refused(queue, begin, job, OTHER) == "PT409"
            assert refused(queue, begin, uuid4(), LEASE) == "PT409"
    begun = asked(queue, begin, job, LEASE)
    assert (begun["outcome"], begun["job_id"], begun["org_id"], begun["source"], begun["attempt"]) == ("begun", str(job), str(world.acme.id), "shop", 1)
    assert refused(queue, begin, other, OTHER) == "55000"
    assert refused(queue, "select authz.rehearse_job()::text") == "42501"
    assert refused(queue, "select authz.rehearse_job()::text", login="ringfence_analyst") == "55000"


@pytest.mark.parametrize("status", ["running", "cancelled"])
def test_a_job_is_ended_by_the_transaction_that_has_begun_it_and_only_while_it_runs_F53(world: World, queue: Request, status: str) -> None:
    job = world.acme.ids["held_job"]
    assert refused(queue, "select authz.finish_job('succeeded', result => %s::text::jsonb, ran_sql => 'select 1')", RESULT) == "55000"
    asked(queue, "select authz.begin_job(%s, %s)", job, LEASE)
    queue.run(REPLICA)
    queue.run("update app.analytics_job set status = %s where id = %s and org_id = %s", status, job, world.acme.id)
    # That of the same id ended as this one would have, if this one ends otherwise.
    queue.run("update app.analytics_job set status = %s where id = %s and org_id = %s", "running" if status == "running" else "succeeded", job, world.globex.id)
    queue.run(ORIGIN)
    before = state(queue)
    drafted = "select count(*) from app.analytics_job where drafted_sql = 'select 1'"
    assert asked(queue, "select authz.finish_job('succeeded', result => %s::text::jsonb, ran_sql => 'select 1', drafted_sql => 'select 1')", RESULT) is (status == "running")
    after = state(queue)
    assert after[world.acme.id, job][0] == ("succeeded" if status == "running" else "cancelled")
    assert changed(before, after) == {(world.acme.id, job)} and after[world.acme.id, job][2] is None
    assert queue.one(drafted) == (status == "running")
    assert queue.one("select count(*) from app.analytics_result where job_id = %s and org_id = %s", job, world.acme.id) == (status == "running")


def test_what_its_requester_sees_is_noted_of_the_one_job_that_is_begun_F53(world: World, queue: Request) -> None:
    """By the relations of its own source, where the definers see every source, and one of the same id."""
    job, source = world.acme.ids["held_job"], world.acme.ids["data_source"]
    queue.run("create policy opened on app.data_source for all to ringfence_owner using (true)")
    queue.run(REPLICA)
    queue.run("insert into app.data_source (org_id, id, slug, name, created_by) values (%s, %s, 'twin', 'Twin', %s)", world.globex.id, source, uuid4())
    queue.run(ORIGIN)
    noted = "select org_id, id, authz.permission_bit(p.name) from app.analytics_job j, app.permission p where j.reads & authz.permission_bit(p.name) <> 0"
    assert queue.all(noted) == []
    asked(queue, "select authz.begin_job(%s, %s)", job, LEASE)
    assert {row[:2] for row in queue.all(noted)} == {(world.acme.id, job)}
    bits = queue.one("select bit_or(authz.permission_bit(p)) from unnest(array['orders.place', 'tickets.create', 'bots.run']) p")
    assert queue.one("select reads from app.analytics_job where org_id = %s and id = %s", world.acme.id, job) == bits


def test_a_lease_is_of_the_job_of_its_own_organization_F53(world: World, queue: Request) -> None:
    """The job of the same id that globex has is not looked at under it."""
    job = world.acme.ids["held_job"]
    assert refused(queue, "select authz.begin_job(%s, %s)", job, LEASE) is None
    queue.run(REPLICA)
    queue.run("delete from app.analytics_job where id = %s and org_id = %s", job, world.acme.id)
    queue.run("update app.analytics_job set data_source_id = %s where id = %s", world.globex.ids["data_source"], job)
    queue.run(ORIGIN)
    assert refused(queue, "select authz.begin_job(%s, %s)", job, LEASE) == "PT409"
    assert asked(queue, "select authz.begin_job(%s, %s)", job, TWIN)["outcome"] == "revoked", "its requester does not belong to globex"


@pytest.mark.parametrize("may", [True, False])
def test_a_transaction_has_begun_the_job_that_it_began_itself_and_leaves_those_of_others_F44(world: World, queue: Request, may: bool) -> None:
    """Where the definers see what every transaction began, and every source."""
    job, elsewhere, source = world.acme.ids["held_job"], uuid4(), world.acme.ids["data_source"]
    for table in ("job_scope", "data_source"):
        queue.run(f"create policy opened on app.{table} for all to ringfence_owner using (true)")
    queue.run(REPLICA)
    queue.run("insert into app.job_scope (org_id, xact_id, job_id, data_source_id, claims) values (%s, '3', %s, %s, '{}')", world.globex.id, elsewhere, source)
    queue.run("insert into app.data_source (org_id, id, slug, name, created_by) values (%s, %s, 'of-globex', 'Theirs', %s)", world.globex.id, source, elsewhere)
    queue.run("update app.membership set status = %s where user_id = %s and org_id = %s", "active" if may else "suspended", world.acme.people["customer"].user_id, world.acme.id)
    queue.run(ORIGIN)
    begun = asked(queue, "select authz.begin_job(%s, %s)", job, LEASE)
    assert (begun["outcome"], begun.get("source"), begun.get("code")) == (("begun", "shop", None) if may else ("revoked", None, "membership"))
    assert {j for (j,) in queue.all("select job_id from app.job_scope")} == ({job, elsewhere} if may else {elsewhere})
    queue.run("set local role ringfence_owner")
    assert queue.all("select * from authz.begun_jobs()") == ([(job,)] if may else [])


def test_the_next_job_is_one_that_waits_in_an_organization_with_a_free_place_F53(world: World, queue: Request) -> None:
    ours, theirs = world.acme.ids["queued_job"], world.globex.ids["queued_job"]
    queue.run(REPLICA)
    queue.run("insert into app.analytics_job select (jsonb_populate_record(j, jsonb_build_object('org_id', %s::text, 'status', 'cancelled'))).* from app.analytics_job j"
              " where org_id = %s and id = %s", world.acme.id, world.globex.id, theirs)
    queue.run(ORIGIN)
    before = state(queue)
    with queue.connection.transaction(force_rollback=True):
        taken = asked(queue, "select authz.next_job('one')")
        assert (taken["outcome"], UUID(taken["job_id"])) == ("begun", theirs), "globex has less running"
        after = state(queue)
        assert changed(before, after) == {(world.globex.id, theirs)} and after[world.globex.id, theirs][:2] == ("running", 1)
    queue.run(REPLICA)
    queue.run("update app.analytics_job set status = 'cancelled' where id = %s", theirs)
    with queue.connection.transaction(force_rollback=True):
        before = state(queue)
        taken = asked(queue, "select authz.next_job('one')")
        assert (UUID(taken["job_id"]), changed(before, state(queue))) == (ours, {(world.acme.id, ours)})
    for place in (3, 4):
        queue.run("insert into app.job_lease (org_id, job_id, lease, worker, place, expires_at) values (%s, gen_random_uuid(), gen_random_uuid(), 'planted', %s, 'infinity')",
                  world.acme.id, place)
    before = state(queue)
    assert asked(queue, "select authz.next_job('one')") is None
    assert changed(before, state(queue)) == set()


def test_an_organization_waits_while_a_job_of_it_is_queued_F53(world: World, queue: Request) -> None:
    """Whichever comes first by its id: one of them waits, the other, both or none."""
    both = sorted((world.acme.id, world.globex.id))
    for waiting in (both[:1], both[1:], both, []):
        with queue.connection.transaction(force_rollback=True):
            queue.run(REPLICA)
            queue.run("update app.analytics_job set status = 'cancelled' where status = 'queued' and not org_id = any (%s::uuid[])", "{" + ",".join(map(str, waiting)) + "}")
            queue.run("set local role ringfence_owner")
            assert [org for (org,) in queue.all("select org_id from authz.waiting_orgs()")] == waiting
