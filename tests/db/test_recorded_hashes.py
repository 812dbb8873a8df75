"""A hash that a row records is of what the row holds, as anybody can compute it (F53, F55)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.db.jobs import Jobs
from tests.db.world import World

SQL = "select count(*) as \"Bestellungen für 'é'\" from orders"
RAN = 'SELECT count(*) AS "Bestellungen für \'é\'" FROM "source".orders'
COLUMNS, ROWS = [{"name": "größe", "type": "int4"}, {"name": "b", "type": "text"}], [[1, "ü"], [2, None]]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def jobs(own_world: World, cluster: Any) -> Jobs:
    return Jobs(own_world, cluster)


def test_a_metric_records_the_hash_of_its_sql_F55(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        for sql in ("sum(total_cents)", SQL):
            made = db.rpc("create_metric", org_id=world.acme.id, source="shop", name="revenue", description="d", sql=sql)
            assert made["sha256"] == digest(sql)
        assert db.all("select sha256 from app.metric where name = 'revenue' order by version") == [(digest("sum(total_cents)"),), (digest(SQL),)]


def test_a_job_records_the_hashes_of_its_sql_of_what_ran_and_of_what_it_found_F53(jobs: Jobs) -> None:
    taken = jobs.taken(jobs.world.acme.people["owner"], SQL)
    with jobs.worker(taken) as db:
        result = json.dumps({"columns": COLUMNS, "rows": ROWS, "truncated": False})
        assert db.one("select authz.finish_job('succeeded', ran_sql => %s, result => %s::jsonb)", RAN, result)
    with jobs.world.operator() as db:
        (row,) = db.all("select sql, sql_sha256, ran_sql, ran_sha256 from app.analytics_job where id = %s", taken["job_id"])
        assert row == (SQL, digest(SQL), RAN, digest(RAN))
        # As PostgreSQL writes jsonb: in the order of its keys, a space after each comma and colon.
        found = "".join(json.dumps(one, ensure_ascii=False) for one in (COLUMNS, ROWS))
        assert db.one("select sha256 from app.analytics_result where job_id = %s", taken["job_id"]) == digest(found)


def test_a_job_that_ran_nothing_records_no_hash_of_it_F53(jobs: Jobs) -> None:
    taken = jobs.taken(jobs.world.acme.people["owner"], SQL)
    with jobs.worker(taken) as db:
        assert db.one("select authz.finish_job('refused', 'not_a_query', 'Only a SELECT runs.')")
    with jobs.world.operator() as db:
        assert db.all("select sql_sha256, ran_sql, ran_sha256 from app.analytics_job where id = %s", taken["job_id"]) == [(digest(SQL), None, None)]
