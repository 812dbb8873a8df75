"""A job runs as whoever handed it in, with what they may when it runs, and ends once (DESIGN 6, F44, F50, F51, F53)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.db import matrix
from tests.db.jobs import Jobs
from tests.db.registry import TABLES
from tests.db.session import Request, second_factor
from tests.db.world import World

COUNT = "select count(*) from source.orders"
RESULT = json.dumps({"columns": [{"name": "one", "type": "int4"}], "rows": [[1]], "truncated": False})


@pytest.fixture
def jobs(own_world: World, cluster: Any) -> Iterator[Jobs]:
    yield Jobs(own_world, cluster)


@pytest.fixture(scope="module")
def shared_jobs(module_world: World, cluster: Any) -> Jobs:
    return Jobs(module_world, cluster)


def test_the_same_sql_gives_each_person_what_they_may_see_F50(shared_jobs: Jobs) -> None:
    people = shared_jobs.world.acme.people
    seen = {}
    for role in ("owner", "analyst", "customer", "member"):
        with shared_jobs.inside(people[role]) as db:
            seen[role] = db.one(COUNT)
            assert db.one("select authz.uid()") == people[role].user_id
    assert seen == {"owner": 2, "analyst": 2, "customer": 1, "member": 0}


def test_a_job_sees_its_organization_alone_also_for_a_member_of_both_F51(shared_jobs: Jobs) -> None:
    world = shared_jobs.world
    with world.operator() as db:
        assert db.one("select count(*) from app.customer_order where org_id = %s", world.globex.id) > 0
    for organization in (world.acme, world.globex):
        with shared_jobs.inside(world.both, organization=organization) as db:
            assert db.all("select authz.orgs_with('bots.run')") == [(organization.id,)]
            assert {row[0] for row in db.all("select title from source.conversations")} == set()
    with shared_jobs.inside(world.globex.people["owner"], organization=world.globex) as db:
        assert db.one("select string_agg(distinct title, '') from source.conversations") is None
        assert db.one("select count(*) from source.tickets where subject ~ %s", world.acme.canary) == 0
        assert db.one("select count(*) from source.tickets where subject ~ %s", world.globex.canary) == 1


def test_a_source_gives_only_the_relations_it_holds_F44(shared_jobs: Jobs) -> None:
    analyst = shared_jobs.world.acme.people["analyst"]
    with shared_jobs.inside(analyst, source="books") as db:
        assert (db.one(COUNT), db.one("select count(*) from source.tickets"), db.one("select count(*) from source.usage")) == (2, 0, 0)
    with shared_jobs.inside(analyst) as db:
        assert db.one(COUNT) == 2 and db.one("select count(*) from source.tickets") == 1 and db.one("select count(*) from source.usage") > 0


def test_outside_a_job_the_log_ins_see_nothing_and_are_nobody_F51(shared_jobs: Jobs) -> None:
    with psycopg.connect(shared_jobs.analyst_url) as connection:
        claims = json.dumps(shared_jobs.world.acme.people["owner"].claims())
        connection.execute("select set_config('request.jwt.claims', %s, false)", [claims])
        for view in ("orders", "tickets", "conversations", "usage"):
            assert connection.execute(f"select count(*) from source.{view}".encode()).fetchone() == (0,)
        assert connection.execute("select authz.uid(), authz.claims()").fetchone() == (None, {})
    with shared_jobs.inside(shared_jobs.world.acme.people["owner"]) as db:
        assert db.one(COUNT) == 2


@pytest.mark.parametrize("forged", [
    "select set_config('request.jwt.claims', '{{\"sub\": \"{other}\"}}', true)", "select set_config('request.jwt.claim.sub', '{other}', true)",
    "set local request.jwt.claims = '{{\"sub\": \"{other}\"}}'",
])
def test_no_setting_changes_who_the_job_is_F51(shared_jobs: Jobs, forged: str) -> None:
    world = shared_jobs.world
    with shared_jobs.inside(world.acme.people["customer"]) as db:
        db.run(forged.format(other=world.globex.people["owner"].user_id))
        assert db.one("select authz.uid()") == world.acme.people["customer"].user_id
        assert db.one(COUNT) == 1


@pytest.mark.parametrize(("statement", "sqlstate"), [
    ("set role authenticated", "42501"), ("set session authorization postgres", "42501"), ("set transaction read write", "25001"),
    ("select set_config('transaction_read_only', 'off', true)", "25001"), ("select * from app.job_scope", "42501"), ("select * from app.job_lease", "42501"),
    ("select * from app.customer_order", "42501"), ("insert into app.job_scope (job_id) values (gen_random_uuid())", "42501"),
    ("select authz.next_job('me')", "42501"), ("select authz.finish_job('failed')", "42501"), ("select api.whoami()", "42501"),
])
def test_what_would_leave_the_job_is_refused_F51(shared_jobs: Jobs, statement: str, sqlstate: str) -> None:
    with shared_jobs.inside(shared_jobs.world.acme.people["owner"]) as db:
        assert db.one(COUNT) == 2  # the snapshot is taken
        assert db.error(statement).sqlstate == sqlstate


def test_a_transaction_that_read_as_somebody_leaves_nothing_behind_F51(shared_jobs: Jobs) -> None:
    job = shared_jobs.taken(shared_jobs.world.acme.people["owner"])
    scopes = "select count(*) from app.job_scope where began_at > '-infinity'"
    with shared_jobs.worker(job) as db:
        assert db.one("select authz.uid()") == shared_jobs.world.acme.people["owner"].user_id
        with shared_jobs.world.operator() as operator:
            assert operator.one(scopes) == 0
    with psycopg.connect(shared_jobs.analyst_url, autocommit=True) as connection:
        connection.execute("begin read write")
        connection.execute("select authz.begin_job(%s, %s)", [job["job_id"], job["lease"]])
        connection.execute("set transaction read only")
        connection.execute("notify ringfence_jobs")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("commit")
    with shared_jobs.world.operator() as operator:
        assert operator.one(scopes) == 0


def test_a_transaction_begins_one_job_and_a_lease_opens_its_own_job_alone_F51(jobs: Jobs) -> None:
    people = jobs.world.acme.people
    jobs.drain()
    mine, other = jobs.submit(people["customer"]), jobs.submit(people["owner"])
    taken = {job["job_id"]: job for job in (jobs.take(), jobs.take()) if job}
    with psycopg.connect(jobs.analyst_url, autocommit=True) as connection:
        connection.execute("begin read write")
        connection.execute("select authz.begin_job(%s, %s)", [mine, taken[mine]["lease"]])
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("select authz.begin_job(%s, %s)", [other, taken[other]["lease"]])
        assert caught.value.sqlstate == "55000"
        connection.rollback()
        for job, lease in ((other, taken[mine]["lease"]), (other, uuid4()), (uuid4(), taken[mine]["lease"]), (other, None)):
            connection.execute("begin read write")
            with pytest.raises(psycopg.Error) as caught:
                connection.execute("select authz.begin_job(%s, %s)", [job, lease])
            assert caught.value.sqlstate == "PT409"
            connection.rollback()
        connection.execute("begin read write")
        assert connection.execute("select authz.begin_job(%s, %s) ->> 'outcome'", [other, taken[other]["lease"]]).fetchone() == ("begun",)
        connection.rollback()


def _leave(jobs: Jobs) -> None:
    with jobs.world.as_(jobs.world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("remove_member", org_id=jobs.world.acme.id, user_id=jobs.world.acme.people["customer"].user_id)


def _operator(statement: str) -> Any:
    def change(jobs: Jobs) -> None:
        with jobs.world.operator(keep=True) as db:
            db.connection.execute(statement.encode(), {"org": jobs.world.acme.id, "user": jobs.world.acme.people["customer"].user_id})
    return change


def _unshare(jobs: Jobs) -> None:
    with jobs.world.as_(jobs.world.acme.people["owner"], keep=True) as db:
        db.rpc("unshare_data_source", org_id=jobs.world.acme.id, source="shop")


def _deny(jobs: Jobs) -> None:
    with jobs.world.as_(jobs.world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("create_deny_rule", org_id=jobs.world.acme.id, reason="x", user_id=jobs.world.acme.people["customer"].user_id,
               data_source_id=jobs.world.acme.ids["data_source"])


REVOKED = {
    "membership": [_leave, _operator("update app.membership set status = 'suspended' where org_id = %(org)s and user_id = %(user)s"),
                   _operator("update app.organization set suspended_at = now() where id = %(org)s"),
                   _operator("update app.organization set require_mfa = true where id = %(org)s")],
    "permission": [_operator("delete from app.role_permission p using app.role r where r.org_id = p.org_id and r.id = p.role_id and r.name = 'member'"
                             " and p.permission = 'analytics.run' and p.org_id = %(org)s")],
    "source": [_unshare, _deny],
    "person": [_operator("update auth.users set banned_until = now() + interval '1 day' where id = %(user)s")],
}


@pytest.mark.parametrize(("code", "change"), [(code, change) for code, changes in REVOKED.items() for change in changes])
def test_what_was_taken_away_since_ends_a_waiting_job_and_that_is_audited_F44(jobs: Jobs, code: str, change: Any) -> None:
    customer = jobs.world.acme.people["customer"]
    jobs.drain()
    job = jobs.submit(customer)
    change(jobs)
    got = jobs.take()
    assert got is not None and (got["outcome"], got["job_id"], got["code"]) == ("revoked", job, code)
    assert jobs.status(job) == ("cancelled_revoked", code)
    with jobs.world.operator() as db:
        assert db.all("select actor_id, action, 'status' = any (changed) from app.audit_event where object_id = %s order by at", job) == [
            (customer.user_id, "analytics_job.insert", False), (customer.user_id, "analytics_job.update", True)]
        assert db.one("select count(*) from app.job_scope where began_at > '-infinity'") == 0 and db.one("select count(*) from app.job_lease") == 0


@pytest.mark.parametrize(("code", "change"), [(code, change) for code, changes in REVOKED.items() for change in changes])
def test_what_is_taken_away_while_it_runs_shows_nothing_more_and_keeps_no_result_F44(jobs: Jobs, code: str, change: Any) -> None:
    job = jobs.taken(jobs.world.acme.people["customer"])
    with jobs.analyst(job) as db:
        assert db.one(COUNT) == 1
        change(jobs)
        if code != "person":  # a ban is looked for when a step begins
            assert db.one(COUNT) == 0
    with psycopg.connect(jobs.analyst_url, autocommit=True) as connection:
        connection.execute("begin read write")
        answer = connection.execute("select authz.begin_job(%s, %s)", [job["job_id"], job["lease"]]).fetchone()
        assert answer is not None and (answer[0]["outcome"], answer[0]["code"]) == ("revoked", code)
        assert connection.execute("select authz.uid()").fetchone() == (None,)
    with jobs.worker() as db:
        assert db.one("select authz.begin_job(%s, %s)", job["job_id"], job["lease"])["outcome"] == "revoked"
    assert jobs.status(job["job_id"]) == ("cancelled_revoked", code)


def test_a_job_of_an_api_token_ends_with_the_token_and_sees_no_more_than_it_F08(jobs: Jobs) -> None:
    world = jobs.world
    owner = world.acme.people["owner"]
    with world.operator(keep=True) as db:
        db.run("update app.api_token set permissions = array['analytics.run', 'tickets.read'] where user_id = %s", owner.user_id)
    claims = {"session_id": str(owner.token_session_id)}
    with jobs.inside(owner, claims=claims) as inside:
        assert (inside.one(COUNT), inside.one("select count(*) from source.tickets"), inside.one("select count(*) from source.usage")) == (0, 1, 0)
    job = jobs.submit(owner, claims=claims)
    with world.operator(keep=True) as db:
        db.run("update app.api_token set revoked_at = now() where user_id = %s", owner.user_id)
    got = jobs.take()
    assert got is not None and got["job_id"] == job and (got["outcome"], got["code"]) == ("revoked", "membership")


def test_a_job_ends_once_and_only_under_its_lease_F53(jobs: Jobs) -> None:
    customer = jobs.world.acme.people["customer"]
    job = jobs.taken(customer)
    with jobs.worker(job) as db:
        assert db.one("select authz.finish_job('succeeded', ran_sql => 'select 1', result => %s::jsonb)", RESULT) is True
        assert db.one("select authz.finish_job('failed', 'x', 'x')") is False
    assert jobs.status(job["job_id"]) == ("succeeded", None)
    with jobs.worker() as db:
        assert db.error("select authz.begin_job(%s, %s)", job["job_id"], job["lease"]).sqlstate == "PT409"
        assert db.error("select authz.finish_job('failed', 'x', 'x')").sqlstate == "55000"
    with jobs.world.as_(customer) as db:
        assert db.rpc("read_analytics_result", org_id=jobs.world.acme.id, job_id=job["job_id"])["rows"] == [[1]]
        assert db.rpc("cancel_analytics_job", org_id=jobs.world.acme.id, job_id=job["job_id"])["status"] == "succeeded"
    with jobs.world.as_(jobs.world.acme.people["owner"]) as db:
        assert db.rpc_error("read_analytics_result", org_id=jobs.world.acme.id, job_id=job["job_id"]).sqlstate == "PT404"


def test_a_lost_lease_puts_the_job_back_until_it_was_lost_too_often(jobs: Jobs) -> None:
    job = jobs.taken(jobs.world.acme.people["customer"])
    leases = {job["lease"]}
    for attempt in (2, 3):
        _expire(jobs)
        got = jobs.take()
        assert got is not None and got["job_id"] == job["job_id"] and got["attempt"] == attempt and got["lease"] not in leases
        with jobs.worker() as db:
            assert db.one("select authz.renew_job(%s, %s)", job["job_id"], job["lease"]) is None
            assert db.error("select authz.begin_job(%s, %s)", job["job_id"], job["lease"]).sqlstate == "PT409"
            assert db.one("select authz.renew_job(%s, %s)", job["job_id"], got["lease"]) is True
        leases.add(got["lease"])
    _expire(jobs)
    assert jobs.take() is None
    assert jobs.status(job["job_id"]) == ("failed", "worker_lost")


def _expire(jobs: Jobs) -> None:
    with jobs.world.operator(keep=True) as db:
        db.run("update app.job_lease set expires_at = now() - interval '1 second'")


def test_a_person_says_of_their_job_only_that_it_is_cancelled_F53(world: World) -> None:
    customer, ids = world.acme.people["customer"], world.acme.ids
    with world.as_(customer) as db:
        for status in ("succeeded", "running", "refused"):
            assert db.error("update app.analytics_job set status = %s where id = %s", status, ids["queued_job"]).sqlstate == "42501"
        assert db.run("update app.analytics_job set status = 'cancelled' where id = %s", ids["queued_job"]) == 1
        assert db.run("update app.analytics_job set status = 'cancelled' where id = %s", ids["queued_job"]) == 0


def test_an_expired_result_is_taken_out_by_whoever_looks_for_work(jobs: Jobs) -> None:
    jobs.drain()
    with jobs.world.operator(keep=True) as db:
        db.run("update app.analytics_result set expires_at = now() - interval '1 second' where org_id = %s", jobs.world.acme.id)
    assert jobs.take() is None
    with jobs.world.operator() as db:
        assert db.all("select org_id from app.analytics_result") == [(jobs.world.globex.id,)]
        assert db.one("select status from app.analytics_job where id = %s", jobs.world.acme.ids["analytics_job"]) == "succeeded"


def test_cancelling_works_on_what_waits_and_on_what_runs(jobs: Jobs) -> None:
    world, customer = jobs.world, jobs.world.acme.people["customer"]
    job = jobs.taken(customer)
    waiting = jobs.submit(customer)
    for one in (job["job_id"], waiting):
        with world.as_(customer, keep=True) as db:
            assert db.rpc("cancel_analytics_job", org_id=world.acme.id, job_id=one)["status"] == "cancelled"
    assert jobs.take() is None
    with jobs.worker() as db:
        assert db.one("select authz.renew_job(%s, %s)", job["job_id"], job["lease"]) is None
        assert db.error("select authz.begin_job(%s, %s)", job["job_id"], job["lease"]).sqlstate == "PT409"


def test_the_same_key_is_the_same_job_and_another_job_is_refused_R103(jobs: Jobs) -> None:
    customer = jobs.world.acme.people["customer"]
    first = jobs.submit(customer, "select 1 as one", idempotency_key="k")
    assert jobs.submit(customer, "select 1 as one", idempotency_key="k") == first
    assert jobs.submit(jobs.world.acme.people["owner"], "select 1 as one", idempotency_key="k") != first
    with jobs.world.as_(customer) as db:
        assert db.rpc_error("submit_analytics_job", org_id=jobs.world.acme.id, source="shop", sql="select 2", idempotency_key="k").sqlstate == "PT409"


def test_a_thousand_waiting_jobs_of_one_person_are_enough(jobs: Jobs) -> None:
    jobs.drain()
    world, customer = jobs.world, jobs.world.acme.people["customer"]
    _queue(jobs, 1000, customer.user_id)
    with world.as_(customer) as db:
        assert db.rpc_error("submit_analytics_job", org_id=world.acme.id, source="shop", sql="select 1").sqlstate == "PT429"
    jobs.submit(world.acme.people["owner"])


def _queue(jobs: Jobs, count: int, user_id: Any) -> None:
    with jobs.world.operator(keep=True) as db:
        db.run("insert into app.analytics_job (org_id, user_id, data_source_id, sql) select %s, %s, %s, 'select 1' from generate_series(1, %s)",
               jobs.world.acme.id, user_id, jobs.world.acme.ids["data_source"], count)


def test_nobody_waits_behind_somebody_else_s_queue(jobs: Jobs) -> None:
    world = jobs.world
    jobs.drain()
    _queue(jobs, 2000, world.acme.people["owner"].user_id)
    other = [jobs.submit(world.globex.people["owner"], organization=world.globex) for _ in range(3)]
    took = [jobs.take() for _ in range(6)]
    assert [job["job_id"] for job in took if job and job["job_id"] in other] == other
    # No organization has more at once than its share, however many workers ask.
    while (job := jobs.take()) is not None:
        took.append(job)
    held = [job["org_id"] for job in took if job]
    assert held.count(str(world.acme.id)) == 4 and held.count(str(world.globex.id)) == 3


def test_two_workers_at_once_take_no_more_than_the_places_there_are(jobs: Jobs) -> None:
    """Each sees three jobs running and one place free: the key lets one of them have it, and the other waits no longer than a moment."""
    jobs.drain()
    _queue(jobs, 5, jobs.world.acme.people["owner"].user_id)
    for _ in range(3):
        assert jobs.take() is not None
    with psycopg.connect(jobs.worker_url) as one, psycopg.connect(jobs.worker_url) as two:
        assert Request(one).one("select authz.next_job('one')")["outcome"] == "begun"
        assert Request(two).one("select authz.next_job('two')") is None
        one.rollback()
        two.rollback()
        # A worker that let go of it leaves the place to the next.
        assert Request(two).one("select authz.next_job('two')")["outcome"] == "begun"
    assert jobs.take() is None
    with jobs.world.operator() as db:
        assert db.all("select place from app.job_lease where org_id = %s order by 1", jobs.world.acme.id) == [(1,), (2,), (3,), (4,)]


LOCKS = ("select pg_advisory_lock(key) from (select hashtextextended(word || org_id, 0) as key from unnest(array['job ', '', 'data source ']) word,"
         " (select '{org}' as org_id) o union all select n from generate_series(0, 1000) n) k")


def test_no_lock_that_an_analyst_can_take_stands_in_the_way_of_the_queue_F52(jobs: Jobs) -> None:
    """Without the guard: advisory locks are for everybody who is logged in, and rows and tables of ours are for nobody there."""
    owner, org = jobs.world.acme.people["owner"], jobs.world.acme.id
    with jobs.inside(owner) as db:
        db.run(LOCKS.replace("{org}", str(org)))
        for taking in ("select * from source.orders for update", "select * from source.orders for key share", "lock table source.orders in row share mode",
                       "lock table app.job_lease in access share mode", "lock table app.analytics_job in access share mode"):
            with pytest.raises(psycopg.Error), db.connection.transaction():
                db.run(taking)
        job = jobs.submit(jobs.world.acme.people["customer"])
        got = jobs.take()
        assert got is not None and got["job_id"] == job and got["outcome"] == "begun"
        with jobs.worker(got) as worker:
            assert worker.one("select authz.finish_job('succeeded', ran_sql => 'select 1', result => %s::jsonb)", RESULT) is True
    assert jobs.status(job) == ("succeeded", None)


def test_another_organization_s_job_is_not_found_byte_for_byte_F53(shared_jobs: Jobs) -> None:
    world = shared_jobs.world
    with world.as_(world.acme.people["customer"]) as db:
        for name in ("get_analytics_job", "cancel_analytics_job", "read_analytics_result"):
            answers = {str(db.rpc_error(name, org_id=org, job_id=job)) for org in (world.acme.id, world.globex.id, uuid4())
                       for job in (world.globex.ids["analytics_job"], world.globex.ids["queued_job"], uuid4())}
            assert len(answers) == 1, answers
            own = "queued_job" if name == "cancel_analytics_job" else "analytics_job"
            assert db.rpc(name, org_id=world.acme.id, job_id=world.acme.ids[own])


@pytest.mark.parametrize("login", ["ringfence_worker", "ringfence_analyst"])
def test_inside_a_job_too_a_log_in_reaches_no_table_R31(shared_jobs: Jobs, login: str) -> None:
    """The access matrix asks the same outside a job: whoever the job acts for, the log-in has no way to the tables but the views."""
    world = shared_jobs.world
    job = shared_jobs.taken(world.acme.people["owner"])
    persona = matrix.personas(world)["owner"]
    begun = shared_jobs.worker(job) if login == "ringfence_worker" else shared_jobs.analyst(job)
    with world.operator() as superuser, begun as db:
        assert db.one("select authz.uid()") == world.acme.people["owner"].user_id
        for table in TABLES:
            assert set(matrix.observed(db, matrix.statements(world, table, persona, superuser)).values()) == {"no usage of the schema"}, table
