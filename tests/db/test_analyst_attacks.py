"""The attacks of the guard's list with the guard removed: as ringfence_analyst, directly inside a begun job. The database alone holds (F51).

Each attack runs with more freedom than a job ever gives: relations are found without their schema, several statements may come at once, and
after an error it goes on behind a savepoint. The PostgreSQL of the tests has no libxml, so its XML functions only say so; `authz.open_query` stands for
functions that run text. What it gets or is told must hold nothing of anybody else, and must not change who asks. What is of somebody else is known by identifiers, by words and by
numbers that stand in one row each: a count or a sum over rows that were not shown would be seen by none of them.
"""

from __future__ import annotations

import json
import time
from typing import Any

import psycopg
import pytest

from tests.agent.analytics import attacks
from tests.db.attacking import VIEWS, everything, held, leaked, said, session, spelled, words_of_others
from tests.db.jobs import Jobs
from tests.db.session import Person
from tests.db.world import World

TOO_LARGE_HERE = {"a long text", "a wide padding", "a format with a width"}
"""One gigabyte of this machine's memory each; PostgreSQL sets that bound itself. All others run, for as long as `attacking.TIMEOUT_MS` lets them."""

MORE = {
    "role: postgres": "set role postgres", "role: service_role": "set role service_role", "role: owner": "set role ringfence_owner",
    "role: worker": "set role ringfence_worker", "role: authenticated": "set role authenticated", "role: none": "set role none",
    "authorization": "set session authorization ringfence_owner",
    "prepared before, run after": "prepare p as select * from source.orders; select set_config('request.jwt.claims', '{claims}', true); execute p",
    "a cursor before, read after": "declare c cursor for select * from source.orders; select set_config('request.jwt.claims', '{claims}', true); fetch all from c",
    "a cached plan under other claims": "select count(*) from source.orders; set local request.jwt.claims = '{claims}'; select * from source.orders",
    "text run by the worker's own function": "select authz.open_query('select set_config(''request.jwt.claims'', ''{claims}'', true), o.* from source.orders o')",
    "text run for XML": "select query_to_xml('select set_config(''request.jwt.claims'', ''{claims}'', true), o.* from source.orders o', true, false, '')",
    "text over the table for XML": "select query_to_xml('select * from app.customer_order', true, false, '')",
    "all of the database for XML": "select database_to_xml(true, false, '')",
    "a schema for XML": "select schema_to_xml('source', true, false, '')",
    "the scope of another organization": "insert into app.job_scope (org_id, job_id, data_source_id, claims) values ('{other}', '{job}', '{job}', '{claims}')",
    "the scope changed": "update app.job_scope set claims = '{claims}'",
    "the scope deleted": "delete from app.job_scope",
    "the queue": "select authz.next_job('me')",
    "an end by itself": "select authz.finish_job('failed', 'x', 'y')",
    "claims in the legacy setting": "set request.jwt.claim.sub = '{user}'; select * from source.orders",
    "row security off": "set row_security = off; select * from source.orders",
    "another path": "set search_path = app, source, authz; select * from customer_order",
    "a function in the temporary schema": "create function pg_temp.uid() returns uuid language sql as $$ select '{user}'::uuid $$",
    "a temporary view": "create temporary view orders as select * from app.customer_order",
    "an operator": "create operator public.=== (leftarg = uuid, rightarg = uuid, function = uuid_eq)",
    "a cast": "create cast (text as uuid) with inout",
    "a type": "create type source.t as (a int)",
    "another organization's rows by the view": "select * from source.orders where customer_id = '{user}'",
    # Both errors quote a row, if it is one of theirs that the condition is put to.
    "a leaky condition": "select * from source.orders where case when customer_id::text = '{user}' then id::text::int = 1 else true end",
    "a leaky cast": "select * from source.tickets where case when subject like '%{canary}%' then subject::int = 1 else true end",
    "an estimate": "explain select * from source.orders where customer_id = '{user}'",
    "an estimate that runs": "explain (analyze, verbose, buffers) select * from source.orders",
    "histograms": "select * from pg_stats where schemaname in ('app', 'auth')",
    "histograms themselves": "select * from pg_statistic",
    "pages of a table": "select * from heap_page_items(get_raw_page('app.customer_order', 0))",
    "a row by its place": "select * from app.customer_order where ctid = '(0,1)'",
    "what others run": "select * from pg_stat_activity",
    "what others ran": "select * from pg_stat_statements",
    "all large objects": "select lo_get(oid) from pg_largeobject_metadata",
    "a copy to the client": "copy (select * from app.customer_order) to stdout",
    "a copy to a file": "copy (select 1) to '/tmp/x'",
    "a session setting": "set session request.jwt.claims = '{claims}'; select * from source.orders",
    "writing in its own transaction": "set transaction read write; delete from app.customer_order",
    "writing by a setting": "set default_transaction_read_only = off; update app.customer_order set status = 'x'",
    "a definer with its own text": "select api.search_documents('{other}', 'x')",
    "somebody's token": "select * from auth.sessions",
    "an RPC of support": "select * from api.list_orders('{other}')",
    "keys": "select * from vault.decrypted_secrets",
    "a subtransaction": "savepoint s; select set_config('request.jwt.claims', '{claims}', true); rollback to s; select * from source.orders",
}
LEGITIMATE = {"another organization's rows by the view", "a leaky condition", "a leaky cast"}
"""Of these: analytics as anybody writes them. The guard lets them pass; what they may reach is for the database alone to say."""
ALL = {name: sql for name, sql in attacks.ALL.items()
       if name.split(": ")[1] not in TOO_LARGE_HERE and "{pid}" not in sql and "\x00" not in sql and "\ud800" not in sql} | MORE
"""Those that signal another session are in test_analyst_signals: what they do shows there and not here."""


@pytest.fixture(scope="module")
def jobs(described: bytes, module_world: World, cluster: Any) -> Jobs:
    return Jobs(module_world, cluster)


@pytest.fixture(scope="module")
def attacker(jobs: Jobs) -> Person:
    """Somebody who sees only their own rows of their own organization."""
    return jobs.world.acme.people["customer"]


@pytest.fixture(scope="module")
def job(jobs: Jobs, attacker: Person) -> dict[str, Any]:
    return held(jobs, attacker)


@pytest.fixture(scope="module")
def secrets_of_others(jobs: Jobs, job: dict[str, Any]) -> set[str]:
    return words_of_others(jobs, job)


@pytest.mark.parametrize("name", ALL)
def test_the_database_alone_holds_identity_and_isolation_F51(jobs: Jobs, job: dict[str, Any], attacker: Person, secrets_of_others: set[str], name: str) -> None:
    sql = spelled(ALL[name], jobs, job)
    with session(jobs, job) as connection:
        before = everything(connection)
        assert before["orders"], "the attacker sees something, so that seeing more would show"
        connection.execute("savepoint before")
        heard = said(connection, sql)
        assert leaked(heard, secrets_of_others, sql) == []
        status = connection.pgconn.transaction_status
        if status == psycopg.pq.TransactionStatus.INERROR:
            connection.execute("rollback to before")
        elif status != psycopg.pq.TransactionStatus.INTRANS:
            connection.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps(attacker.claims())])
            assert all(rows == [] for rows in everything(connection).values()), "outside the job there is nothing"
            return
        connection.execute("set local row_security = on")  # off, every reading is an error
        assert connection.execute("select authz.uid(), session_user, current_user").fetchone() == (attacker.user_id, "ringfence_analyst", "ringfence_analyst")
        assert connection.execute("show transaction_read_only").fetchone() == ("on",)
        assert everything(connection) == before


def test_the_list_of_secrets_is_seen_where_it_may_be_seen_F51(jobs: Jobs, secrets_of_others: set[str]) -> None:
    with jobs.inside(jobs.world.globex.people["owner"], organization=jobs.world.globex) as db:
        seen = "\n".join(str(value) for view in VIEWS for row in db.all(f"select * from source.{view}") for value in row)
    assert any(secret in seen for secret in secrets_of_others)


NAP_S = 0.3
# How long it takes tells which rows the condition was put to.
TIMED = {"a nap a row": f"select count(*) from {{view}} where pg_sleep({NAP_S}) is not null",
         "a nap a row of somebody": f"select count(*) from {{view}} where case when {{column}}::text = '{{user}}' then pg_sleep({NAP_S}) is not null end",
         "a nap a row in order": f"select * from {{view}} order by pg_sleep({NAP_S})::text"}


@pytest.mark.parametrize("name", TIMED)
def test_how_long_a_statement_takes_tells_of_ones_own_rows_alone_F51(jobs: Jobs, attacker: Person, name: str) -> None:
    """A nap by what stands in a row is taken for rows that policies let through and for no other; by an operator for all."""
    job = held(jobs, attacker)

    def took(connection: psycopg.Connection, view: str, column: str) -> float:
        sql = spelled(TIMED[name].replace("{view}", view).replace("{column}", column), jobs, job)
        began = time.monotonic()
        connection.execute(sql.encode())
        return time.monotonic() - began

    with session(jobs, job) as connection:
        connection.execute("set local statement_timeout = '20s'")
        row = connection.execute("select count(*) from source.orders").fetchone()
        assert row is not None and row[0] == 1
        # A busy machine adds to it and takes nothing away.
        quick = min(took(connection, "source.orders", "customer_id") for _ in range(3))
    with jobs.world.operator() as db:
        all_of_them = db.one("select count(*) from app.customer_order")
        theirs = db.one("select count(*) from app.customer_order where user_id = %s", jobs.world.globex.people["owner"].user_id)
        slow = took(db.connection, "app.customer_order", "user_id")
    expected = (0, theirs) if "somebody" in name else (1, all_of_them)
    assert theirs >= 1 and all_of_them >= 3
    assert expected[0] * NAP_S <= quick < (expected[0] + 1) * NAP_S and slow >= expected[1] * NAP_S


@pytest.mark.parametrize("sql", [
    "with s as materialized (select set_config('request.jwt.claims', '{claims}', true)) select b.* from s, lateral (select * from source.by_setting where s is not null) b",
    "select order_number::int from source.as_owner where user_id = '{user}'",
    "select * from source.as_owner where case when user_id::text = '{user}' then id::text::int = 1 else true end",
    "select total_cents from source.as_owner where user_id = '{user}'",
    "select 1; select id from source.as_owner; select 2",
    "select authz.open_query('select * from source.as_owner'); fetch all from job_result",
])
def test_the_same_attacks_succeed_on_what_rests_on_a_setting_or_on_an_owner(own_world: World, cluster: Any, sql: str) -> None:
    jobs = Jobs(own_world, cluster)
    with own_world.operator(keep=True) as db:
        db.run("create view source.by_setting as select * from app.customer_order o"
               " where o.org_id::text = nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'org_id'")
        db.run("create view source.as_owner as select * from app.customer_order")
        db.run("grant select on source.by_setting, source.as_owner to ringfence_analyst")
    job = held(jobs, own_world.acme.people["customer"])
    secrets, sql = words_of_others(jobs, job), spelled(sql, jobs, job)
    if "order_number" in sql:
        secrets.add("ORD-")
    with session(jobs, job) as connection:
        connection.execute("set local statement_timeout = '20s'")
        assert leaked(said(connection, sql), secrets, sql) != []


@pytest.mark.parametrize("name", ["a leaky condition", "a leaky cast"])
def test_the_leaky_attacks_succeed_on_a_database_that_takes_them_for_harmless(own_world: World, cluster: Any, name: str) -> None:
    """A condition of functions that are called leakproof and cheap is put to rows before the policies are, where the view does not keep it above."""
    jobs = Jobs(own_world, cluster)
    with own_world.operator(keep=True) as db:
        for function in ("int4in(cstring)", "textout(text)", "uuid_out(uuid)", "textin(cstring)", "textlike(text, text)", "texteq(text, text)", "int4eq(integer, integer)"):
            db.run(f"alter function pg_catalog.{function} leakproof cost 0.0001")
        for view in ("orders", "tickets"):
            ((text,),) = db.all("select pg_get_viewdef(%s::regclass)", f"source.{view}")
            db.run(f"create or replace view source.{view} with (security_invoker = true) as {text.removesuffix(';').replace('OFFSET 0', '')}")
    job = held(jobs, own_world.acme.people["customer"])
    secrets, sql = words_of_others(jobs, job), spelled(MORE[name], jobs, job)
    with session(jobs, job) as connection:
        connection.execute("set local statement_timeout = '20s'")
        for way in ("indexscan", "indexonlyscan", "bitmapscan"):
            connection.execute(f"set local enable_{way} = off".encode())  # an index by organization would pass by the rows
        assert leaked(said(connection, sql), secrets, sql) != []
