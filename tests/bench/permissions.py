"""What the helpers of the policies cost: each runs once a statement and table."""

from __future__ import annotations

import json
import secrets
import time

import psycopg

from tests.bench.report import Report, median, percentile
from tests.bench.server import Server, patient
from tests.db.session import Person, request
from tests.db.world import make_person

MEMBERSHIPS = 1000
HELPERS = {
    "authz.org_ids()": "select cardinality(array(select authz.org_ids()))",
    "authz.orgs_with('documents.read')": "select cardinality(array(select authz.orgs_with('documents.read')))",
}


def measure(report: Report, server: Server, database: str, calls: int) -> None:
    """Add the median of each helper, and what one call of a hundred takes (F17), for a person with one membership and for one with a thousand."""
    for memberships in (1, MEMBERSHIPS):
        person = join(server.cluster.url("supabase_admin", database), memberships)
        for name, (middle, slowest) in times(server, database, person, calls, memberships).items():
            of = f"{name}, {memberships:,} membership{'s' if memberships > 1 else ''}"
            report.add(of, middle, "s", at_most=0.001)
            report.add(f"{of}, 99 of 100 calls", slowest, "s", at_most=0.001)


def join(superuser_url: str, memberships: int) -> Person:
    """Return a new person who is a member of that many organizations."""
    person = make_person(superuser_url, f"member-{secrets.token_hex(4)}@bench.test")
    with psycopg.connect(superuser_url) as db:
        db.execute("set local session_replication_role = replica")
        db.execute("set local synchronous_commit = on")  # or vacuum cannot call the rows visible to all
        joined = db.execute(
            "insert into app.membership (org_id, user_id, role_id, permissions) select r.org_id, %s, r.id, r.permissions from app.role r where r.name = 'member'"
            " order by r.org_id limit %s", [person.user_id, memberships]).rowcount
        if joined != memberships:
            raise SystemExit(f"only {joined} organizations to join")
    with psycopg.connect(superuser_url, autocommit=True) as db:
        db.execute("vacuum (analyze) app.membership")
    return person


def times(server: Server, database: str, person: Person, calls: int, memberships: int) -> dict[str, tuple[float, float]]:
    """Return (median, 99th percentile) seconds of each helper, called as policies call it, without the median of the way there and back."""
    url = server.cluster.url("authenticator", database)
    found = {}
    with patient(url) as connection, request(url, json.dumps(person.claims()), connection=connection) as db:
        empty = median(_calls(db.connection, "select 1", calls))
        for name, statement in HELPERS.items():
            if (counted := db.one(statement)) != memberships:
                raise SystemExit(f"{name}: {counted} of {memberships} organizations")
            taken = _calls(db.connection, statement, calls)
            found[name] = max(median(taken) - empty, 0), max(percentile(taken, 99) - empty, 0)
    return found


def _calls(connection: psycopg.Connection, statement: str, calls: int) -> list[float]:
    taken = []
    for _ in range(calls + 8):  # the first ones make the plans
        began = time.perf_counter()
        connection.execute(statement).fetchall()  # type: ignore[arg-type]
        taken.append(time.perf_counter() - began)
    return taken[8:]
