"""Attacks of an analyst's session: the job it is in, what it may not see, and everything that it is told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.db.jobs import Jobs
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Person

VIEWS = ("orders", "tickets", "conversations", "usage", "uploaded")
TABLES = ("customer_order", "support_ticket", "conversation", "usage_entry", "uploaded_row")

_UUID = re.compile("[0-9a-f]{8}-[0-9a-f-]{27}")
_PLANTED = re.compile("713[0-9]{5,9}")
_NUMBERED = [f"update app.{table} t set {column} = {first} + r.n from (select ctid as place, row_number() over () as n from app.{table}) r where t.ctid = r.place"
             for table, column, first in (("customer_order", "total_cents", 71300000), ("usage_entry", "amount", 713000000000))]
"""A number of its own for each row, as few others are."""
TIMEOUT_MS = 700


def held(jobs: Jobs, person: Person) -> dict[str, Any]:
    """One job for all attacks, held for as long as they take, in a database whose rows have numbers to be known by."""
    taken = jobs.taken(person)
    with jobs.world.operator(keep=True) as db:
        db.run("update app.job_lease set expires_at = now() + interval '1 hour' where job_id = %s", taken["job_id"])
        for statement in (REPLICA, *_NUMBERED, ORIGIN):
            db.run(statement)
    return taken


def words_of_others(jobs: Jobs, job: dict[str, Any]) -> set[str]:
    """Words and numbers that stand in rows the attacker may not see, and in none that they may."""
    with jobs.world.operator() as db:
        whole = {str(value) for table in TABLES for row in db.all(f"select * from app.{table}") for value in row}
    with jobs.analyst(job) as db:
        mine = "\n".join(str(value) for view in VIEWS for row in db.all(f"select * from source.{view}") for value in row)
    canaries = (jobs.world.acme.canary, jobs.world.globex.canary)
    found = {value for value in whole if value not in mine and (_UUID.fullmatch(value) or _PLANTED.fullmatch(value) or any(canary in value for canary in canaries))}
    assert any(jobs.world.globex.canary in value for value in found) and any(value.isdigit() for value in found)
    return found | {jobs.world.globex.canary}


def everything(db: Any) -> dict[str, Any]:
    return {view: db.execute(f"select * from source.{view} order by 1::text, 2::text".encode()).fetchall() for view in VIEWS}


@contextmanager
def session(jobs: Jobs, job: dict[str, Any]) -> Iterator[psycopg.Connection]:
    """The analyst inside the job, with relations in reach of their bare names."""
    with psycopg.connect(jobs.analyst_url, autocommit=True) as connection:
        try:
            connection.execute("begin read write")
            connection.execute("select authz.begin_job(%s, %s)", [job["job_id"], job["lease"]])
            connection.execute("set transaction read only")
            connection.execute("set local search_path = source, pg_catalog")
            connection.execute(f"set local statement_timeout = {TIMEOUT_MS}")
            yield connection
        finally:
            connection.pgconn.finish()


def said(connection: psycopg.Connection, sql: str) -> str:
    """Everything the server says to each of these statements: rows, errors, notices."""
    heard: list[str] = []
    connection.add_notice_handler(lambda notice: heard.append(f"{notice.message_primary} {notice.message_detail}"))
    connection.pgconn.send_query(sql.encode())
    while (result := connection.pgconn.get_result()) is not None:
        for row in range(min(result.ntuples, 5_000)):
            heard += [(result.get_value(row, column) or b"").decode(errors="replace") for column in range(result.nfields)]
        heard.append(result.error_message.decode(errors="replace"))
        if result.status == psycopg.pq.ExecStatus.COPY_OUT:
            while (got := connection.pgconn.get_copy_data(0))[0] > 0:
                heard.append(bytes(got[1]).decode(errors="replace"))
    return "\n".join(heard)


def leaked(heard: str, secrets: set[str], sql: str) -> list[str]:
    return [secret for secret in secrets if secret in heard and secret not in sql]


def spelled(sql: str, jobs: Jobs, job: dict[str, Any]) -> str:
    victim = jobs.world.globex.people["owner"]
    claims = json.dumps(victim.claims(role="authenticated", org_id=str(jobs.world.globex.id)))
    for name, value in (("claims", claims), ("user", victim.user_id), ("other", jobs.world.globex.id), ("job", job["job_id"]), ("lease", job["lease"]),
                        ("canary", jobs.world.globex.canary)):
        sql = sql.replace("{" + name + "}", str(value))
    return sql
