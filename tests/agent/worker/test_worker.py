"""The worker as a process: jobs end once, whatever happens to whoever runs them (F44, F52, F53)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.agent.worker.dying import STEPS
from tests.agent.worker.workers import Workers, attempts, limit, on_opening
from tests.db.jobs import Jobs

COUNT = "select count(*) as n from orders"
SLOW = "select count(*) as n from orders a, orders b, usage c, usage d, usage e, usage f, usage g"


def ends(jobs: Jobs, job: str) -> list[tuple[Any, ...]]:
    """How often its end was written: audit events of an end, results, leases."""
    with jobs.world.operator() as db:
        return db.all("select (select count(*) from app.audit_event where object_id = %(j)s::text and action = 'analytics_job.update'),"
                      " (select count(*) from app.analytics_result where job_id = %(j)s), (select count(*) from app.job_lease), (select count(*) from app.job_scope where began_at > '-infinity')"
                      .replace("%(j)s", f"'{job}'"))


def test_a_job_is_answered_as_whoever_asked_and_refused_sql_never_runs_F49_F50(workers: Workers) -> None:
    jobs = workers.jobs
    people = jobs.world.acme.people
    workers.ready()
    mine, all_of_them, refused = jobs.submit(people["customer"], COUNT), jobs.submit(people["owner"], COUNT), jobs.submit(people["owner"], "select pg_sleep(1)")
    assert workers.ended(mine, all_of_them) == [("succeeded", None)] * 2
    assert workers.ended(refused)[0][0] == "refused"
    for person, job, count in (("customer", mine, 1), ("owner", all_of_them, 2)):
        with jobs.world.as_(people[person]) as db:
            found = db.rpc("read_analytics_result", org_id=jobs.world.acme.id, job_id=job)
            assert (found["columns"], found["rows"]) == ([{"name": "n", "type": "int8"}], [[count]])


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_leaves_a_job_that_ends_exactly_once_F53(workers: Workers, step: str) -> None:
    jobs = workers.jobs
    dying = workers.start("tests.agent.worker.dying", step)
    job = jobs.submit(jobs.world.acme.people["customer"], COUNT)
    assert dying.wait(timeout=60) == -signal.SIGKILL
    workers.ready()
    assert workers.ended(job) == [("succeeded", None)]
    assert attempts(jobs, job) == (1 if step == "when its end is written" else 2)
    assert ends(jobs, job) == [(1, 1, 0, 0)]


def test_a_model_for_names_that_is_not_there_is_said_at_the_start_and_takes_no_job_F69() -> None:
    environment = os.environ | {"RINGFENCE_WORKER_DATABASE_URL": "postgresql://nowhere", "RINGFENCE_ANALYST_DATABASE_URL": "postgresql://nowhere",
                                "RINGFENCE_NAMES_MODEL": "no_such_model"}
    done = subprocess.run([sys.executable, "-m", "agent.worker"], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ringfence worker: RINGFENCE_NAMES_MODEL: no_such_model cannot be loaded")


def test_several_workers_end_each_job_once_and_one_killed_among_them_loses_none_F53(workers: Workers) -> None:
    jobs = workers.jobs
    people = jobs.world.acme.people
    running = [workers.ready() for _ in range(3)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda number: jobs.submit(people["owner" if number % 2 else "customer"], COUNT), range(24)))
    running[0].kill()
    assert set(workers.ended(*made)) == {("succeeded", None)}
    assert {tuple(ends(jobs, job)[0][:2]) for job in made} == {(1, 1)}


def test_the_watchdog_ends_what_takes_too_long_from_outside_F52(workers: Workers) -> None:
    jobs = workers.jobs
    limit(jobs, lease_seconds=60, max_seconds=1)
    # The session's own limit out of the way, as SQL that raised it would have it.
    on_opening(jobs, "perform set_config('statement_timeout', '0', true);")
    workers.ready()
    slow, quick = jobs.submit(jobs.world.acme.people["owner"], SLOW), jobs.submit(jobs.world.acme.people["owner"], COUNT)
    assert workers.ended(slow, quick) == [("failed", "timeout"), ("succeeded", None)]
    with jobs.world.operator() as db:
        assert db.all("select pg_terminate_backend(pid, 60000) from pg_stat_activity where application_name = 'ringfence watchdog' and datname = current_database()") == [(True,)]
    again = jobs.submit(jobs.world.acme.people["owner"], SLOW)
    assert workers.ended(again) == [("failed", "timeout")], "also when its connection was lost meanwhile"
    assert attempts(jobs, again) == 1
    with jobs.world.operator() as db:
        assert db.one("select count(*) from pg_stat_activity where usename = 'ringfence_analyst' and state = 'active' and datname = current_database()") == 0


def test_cancelling_a_running_job_ends_its_session_F52(workers: Workers) -> None:
    jobs = workers.jobs
    owner = jobs.world.acme.people["owner"]
    workers.ready()
    job = jobs.submit(owner, SLOW)
    running = "select count(*) from pg_stat_activity where usename = 'ringfence_analyst' and query ~ 'fetch_rows' and state = 'active' and datname = current_database()"

    def sessions() -> int:
        with jobs.world.operator() as db:
            return int(db.one(running))

    workers.until(lambda: sessions() == 1)
    with jobs.world.as_(owner, keep=True) as db:
        assert db.rpc("cancel_analytics_job", org_id=jobs.world.acme.id, job_id=job)["status"] == "cancelled"
    workers.until(lambda: sessions() == 0, 15)
    assert jobs.status(job) == ("cancelled", None)
    assert ends(jobs, job)[0][:2] == (1, 0)


def test_more_rows_or_bytes_than_a_job_may_are_cut_off_and_that_is_said_F52(workers: Workers) -> None:
    jobs = workers.jobs
    limit(jobs, max_rows=3)
    workers.ready()
    owner = jobs.world.acme.people["owner"]
    job, fits = jobs.submit(owner, "select measure from usage"), jobs.submit(owner, COUNT)
    workers.ended(job, fits)
    with jobs.world.as_(owner) as db:
        found = db.rpc("read_analytics_result", org_id=jobs.world.acme.id, job_id=job)
        assert (found["row_count"], found["truncated"]) == (3, True)
        assert db.rpc("read_analytics_result", org_id=jobs.world.acme.id, job_id=fits)["truncated"] is False


def test_a_plan_that_costs_too_much_is_refused_before_it_runs_F52(workers: Workers) -> None:
    jobs = workers.jobs
    limit(jobs, max_plan_cost=40)
    workers.ready()
    owner = jobs.world.acme.people["owner"]
    costly, cheap = jobs.submit(owner, SLOW), jobs.submit(owner, "select 1 as one")
    assert workers.ended(costly, cheap) == [("refused", "too_costly"), ("succeeded", None)]


def test_a_session_that_dies_under_a_job_is_tried_again(workers: Workers) -> None:
    jobs = workers.jobs
    workers.ready()
    job = jobs.submit(jobs.world.acme.people["owner"], SLOW)
    kill = ("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'ringfence_analyst' and query ~ 'fetch_rows'"
            " and state = 'active' and datname = current_database()")

    def killed() -> bool:
        with jobs.world.operator() as db:
            return bool(db.all(kill))

    workers.until(killed)

    workers.until(lambda: attempts(jobs, job) == 2)


def test_told_to_stop_a_worker_ends_what_it_runs_or_lets_go_of_it(workers: Workers) -> None:
    jobs = workers.jobs
    owner = jobs.world.acme.people["owner"]
    first = workers.ready(RINGFENCE_WORKER_DRAIN_S="0.5")
    job = jobs.submit(owner, SLOW)
    workers.until(lambda: jobs.status(job)[0] == "running")
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=30) == 0
    assert jobs.status(job) == ("queued", None)
    assert attempts(jobs, job) == 0
    with jobs.world.as_(owner, keep=True) as db:
        db.rpc("cancel_analytics_job", org_id=jobs.world.acme.id, job_id=job)
    idle = workers.ready()
    idle.send_signal(signal.SIGTERM)
    assert idle.wait(timeout=30) == 0
    assert ends(jobs, job) == [(1, 0, 0, 0)]


def test_a_worker_without_its_settings_or_its_database_says_so(workers: Workers) -> None:
    unset = workers.start(RINGFENCE_WORKER_DATABASE_URL="")
    assert unset.stderr is not None and "RINGFENCE_WORKER_DATABASE_URL is not set" in unset.stderr.read() and unset.wait() == 2
    away = workers.start(RINGFENCE_WORKER_DATABASE_URL="postgresql://ringfence_worker@127.0.0.1:1/x?connect_timeout=2")
    assert away.stderr is not None and "does not answer" in away.stderr.read() and away.wait() == 1
    assert os.environ.get("RINGFENCE_WORKER_DATABASE_URL") is None
