"""Jobs in the tests: handed in as their person, taken as a worker, begun as the analyst, without any process of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.db.session import Person, Request
from tests.db.world import Organization, World


class Jobs:
    """The two log-ins for background work, on the database of a world."""

    def __init__(self, world: World, cluster: Any) -> None:
        self.world = world
        name = urlsplit(world.superuser_url).path[1:]
        self.worker_url, self.analyst_url = cluster.url("ringfence_worker", name), cluster.url("ringfence_analyst", name)

    def submit(self, person: Person, sql: str = "select 1 as one", *, organization: Organization | None = None, source: str = "shop",
               claims: dict[str, Any] | None = None, **arguments: Any) -> str:
        """Hand in a job; return its id."""
        org = (organization or self.world.acme).id
        with self.world.as_(person, keep=True, **claims or {}) as db:
            return str(db.rpc("submit_analytics_job", org_id=org, source=source, sql=sql, **arguments)["job_id"])

    def take(self, worker: str = "test") -> dict[str, Any] | None:
        """What authz.next_job() gives, committed."""
        with psycopg.connect(self.worker_url) as connection:
            return Request(connection).one("select authz.next_job(%s)", worker)

    def drain(self) -> None:
        """Cancel everything that waits or runs, so that the next job taken is the next one handed in."""
        with self.world.operator(keep=True) as db:
            db.run("delete from app.job_lease")
            db.run("update app.analytics_job set status = 'cancelled' where status in ('queued', 'running')")

    def taken(self, person: Person, sql: str = "select 1 as one", **arguments: Any) -> dict[str, Any]:
        """Hand in a job and take it: {outcome, job_id, org_id, lease, ...}."""
        self.drain()
        job = self.submit(person, sql, **arguments)
        got = self.take()
        assert got is not None and got["job_id"] == job
        return got

    @contextmanager
    def worker(self, job: dict[str, Any] | None = None) -> Iterator[Request]:
        """A transaction of a worker, in this job when one is given; committed at the end."""
        with psycopg.connect(self.worker_url) as connection:
            db = Request(connection)
            if job is not None:
                assert db.one("select authz.begin_job(%s, %s)", job["job_id"], job["lease"])["outcome"] == "begun"
            yield db

    @contextmanager
    def analyst(self, job: dict[str, Any]) -> Iterator[Request]:
        """A transaction of the analyst in this job, read only from here on; rolled back at the end."""
        with psycopg.connect(self.analyst_url, autocommit=True) as connection:
            db = Request(connection)
            db.run("begin read write")
            assert db.one("select authz.begin_job(%s, %s)", job["job_id"], job["lease"])["outcome"] == "begun"
            db.run("set transaction read only")
            yield db
            connection.rollback()

    @contextmanager
    def inside(self, person: Person, **arguments: Any) -> Iterator[Request]:
        """The analyst inside a job that this person has just handed in."""
        with self.analyst(self.taken(person, **arguments)) as db:
            yield db

    def status(self, job: str) -> tuple[str, str | None]:
        """Status and error code, as they are in the table."""
        with self.world.operator() as db:
            ((status, code),) = db.all("select status, error_code from app.analytics_job where id = %s", job)
        return status, code
