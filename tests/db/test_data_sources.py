"""What a source tells of itself, what is uploaded into it, and what is shared of what was found (F48, F53, F55)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.db.jobs import Jobs
from tests.db.session import Request, second_factor
from tests.db.world import World

COLUMNS = [{"name": "word", "type": "text"}, {"name": "n", "type": "bigint"}, {"name": "share", "type": "numeric"}, {"name": "on_day", "type": "date"},
           {"name": "at", "type": "timestamptz"}, {"name": "yes", "type": "boolean"}, {"name": "ratio", "type": "double precision"}]


def begin(db: Request, world: World, columns: Any = None, name: str = "things") -> str:
    return str(db.rpc("create_uploaded_table", org_id=world.acme.id, source="shop", name=name, columns=columns or COLUMNS)["table_id"])


def described(db: Request, world: World, relation: str, source: str = "shop") -> dict[str, Any]:
    found = db.rpc("describe_data_source", org_id=world.acme.id, source=source)
    return next(dict(one) for one in found["relations"] if one["name"] == relation)


def test_a_source_tells_columns_meanings_and_the_latest_metrics_F55(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        status = next(c for c in described(db, world, "orders")["columns"] if c["name"] == "status")
        assert status == {"name": "status", "type": "text", "meaning": f"How far the {world.acme.canary} is."}
        assert "target" not in described(db, world, "orders")
        made = [db.rpc("create_metric", org_id=world.acme.id, source="shop", name="revenue", description="d", sql=f"sum(total_cents) / {n}") for n in (1, 100)]
        assert [one["version"] for one in made] == [1, 2] and made[0]["sha256"] != made[1]["sha256"]
        metrics = {m["name"]: m for m in db.rpc("describe_data_source", org_id=world.acme.id, source="shop")["metrics"]}
        assert (metrics["revenue"]["version"], metrics["revenue"]["sql"]) == (2, "sum(total_cents) / 100")
        db.rpc("create_metric", org_id=world.acme.id, source="shop", name="revenue", description="d", sql="0", retired=True)
        assert {m["name"] for m in db.rpc("describe_data_source", org_id=world.acme.id, source="shop")["metrics"]} == {"order_count"}
    with world.as_(world.acme.people["customer"]) as db:
        assert db.rpc_error("describe_data_source", org_id=world.acme.id, source="books").sqlstate == "PT404"
    with world.as_(world.acme.people["analyst"]) as db:
        db.rpc("create_data_source", org_id=world.acme.id, slug="mine", name="Mine")
        db.rpc("unshare_data_source", org_id=world.acme.id, source="mine", user_id=world.acme.people["analyst"].user_id)
        # Managing sources is seeing that they are there, not asking them.
        assert db.rpc_error("describe_data_source", org_id=world.acme.id, source="mine").sqlstate == "42501"
        assert db.rpc_error("submit_analytics_job", org_id=world.acme.id, source="mine", sql="select 1").sqlstate == "42501"


WRONG_TESTS = [["select 1"] * 11, ["select 1", None], [""], ["x" * 10_001], ["x" * 5_001] * 2]


@pytest.mark.parametrize("tests", WRONG_TESTS, ids=["eleven", "null", "empty", "long", "long together"])
def test_a_metric_keeps_its_tests_with_each_version_within_bounds_F55(world: World, tests: list[str | None]) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        metric = {"org_id": world.acme.id, "source": "shop", "name": "revenue", "description": "d", "sql": "sum(total_cents)"}
        db.rpc("create_metric", **metric, tests=["select 1 from orders where total_cents < 0"] * 10)
        assert db.rpc_error("create_metric", **metric, tests=tests).sqlstate == "23514"
        (kept,) = [m for m in db.rpc("describe_data_source", org_id=world.acme.id, source="shop")["metrics"] if m["name"] == "revenue"]
        assert (kept["version"], kept["tests"]) == (1, ["select 1 from orders where total_cents < 0"] * 10)
        db.rpc("create_metric", **metric)
        (kept,) = [m for m in db.rpc("describe_data_source", org_id=world.acme.id, source="shop")["metrics"] if m["name"] == "revenue"]
        assert (kept["version"], kept["tests"]) == (2, [])


def _examples(db: Request, world: World, source: str = "shop") -> list[tuple[str, str]]:
    return [(one["question"], one["sql"]) for one in db.rpc("describe_data_source", org_id=world.acme.id, source=source)["examples"]]


def test_an_accepted_query_is_an_example_for_whoever_may_ask_the_source_and_nobody_else_F48(own_world: World, cluster: Any) -> None:
    world, jobs, org = own_world, Jobs(own_world, cluster), own_world.acme.id
    owner, analyst, customer = (world.acme.people[name] for name in ("owner", "analyst", "customer"))
    (planted,) = [("How many " + world.acme.canary + "?", "select count(*) from orders")]
    job = str(world.acme.ids["accepted_job"])
    with world.as_(owner, keep=True) as db:
        assert _examples(db, world) == [planted]
        made = db.rpc("accept_analytics_query", org_id=org, job_id=job, question="How many orders in all?")
        # The same question again takes the place of the one before.
        assert db.rpc("accept_analytics_query", org_id=org, job_id=job, question="How many orders in all?") != made
        assert [question for question, _ in _examples(db, world)] == ["How many orders in all?", planted[0]]
        newest = db.rpc("list_accepted_queries", org_id=org, source="shop")[0]
    taken = jobs.taken(customer)
    with jobs.worker(taken) as db:
        assert [one["question"] for one in db.one("select authz.job_context()")["examples"]] == ["How many orders in all?", planted[0]]
    # Another source and another organization have their own.
    with world.as_(analyst) as db:
        assert _examples(db, world, "books") == [planted]
    with world.as_(world.globex.people["owner"]) as db:
        theirs = db.rpc("describe_data_source", org_id=world.globex.id, source="shop")["examples"]
        assert [one["question"] for one in theirs] == [f"How many {world.globex.canary}?"]
        assert db.rpc_error("withdraw_accepted_query", org_id=org, query_id=newest["id"]).sqlstate == "PT404"
        assert db.rpc_error("list_accepted_queries", org_id=org, source="shop").sqlstate == "PT404"
    with world.as_(customer) as db:
        assert db.rpc_error("withdraw_accepted_query", org_id=org, query_id=newest["id"]).sqlstate == "PT404"
    with world.as_(owner, keep=True) as db:
        db.rpc("withdraw_accepted_query", org_id=org, query_id=newest["id"])
        assert _examples(db, world) == [planted]


def test_only_ones_own_answered_job_is_accepted_and_only_by_who_edits_the_source_F48(own_world: World) -> None:
    world, org, ids = own_world, own_world.acme.id, own_world.acme.ids
    with world.operator(keep=True) as db:
        db.run("update app.analytics_job set ran_sql = 'select 1 from source.orders' where id = %s", ids["analytics_job"])
    with world.as_(world.acme.people["owner"]) as db:
        # Somebody else's, one that waits, one that is not there: all the same.
        for job in (ids["analytics_job"], ids["queued_job"], ids["held_job"], ids["order"]):
            assert db.rpc_error("accept_analytics_query", org_id=org, job_id=job, question="Q").sqlstate == "PT404"
        for wrong in (None, "", "x" * 401):
            assert db.rpc_error("accept_analytics_query", org_id=org, job_id=ids["accepted_job"], question=wrong).sqlstate == "22023"
    with world.as_(world.acme.people["customer"]) as db:
        assert db.rpc_error("accept_analytics_query", org_id=org, job_id=ids["analytics_job"]).sqlstate == "22023", "what ran is no example: the draft is"
    with world.operator(keep=True) as db:
        db.run("update app.analytics_job set drafted_sql = 'select 1 from orders' where id = %s", ids["analytics_job"])
    with world.as_(world.acme.people["customer"]) as db:
        assert db.rpc_error("accept_analytics_query", org_id=org, job_id=ids["analytics_job"]).sqlstate == "42501", "they may only ask"
    with world.as_(world.acme.people["owner"], keep=True) as db:
        db.rpc("share_data_source", org_id=org, source="shop", user_id=world.acme.people["customer"].user_id, level="editor")
    with world.as_(world.acme.people["customer"]) as db:
        accepted = db.rpc("accept_analytics_query", org_id=org, job_id=ids["analytics_job"])
        assert (accepted["question"], accepted["sql"]) == (f"How many {world.acme.canary}?", "select 1 from orders")


def test_an_organization_says_whether_rows_are_shown_to_models_as_it_is_now_F48(own_world: World) -> None:
    world, org, job = own_world, own_world.acme.id, own_world.acme.ids["analytics_job"]

    def told() -> bool:
        with world.as_(world.acme.people["customer"]) as db:
            return bool(db.rpc("read_analytics_result", org_id=org, job_id=job)["rows_to_model"])

    assert told() is False, "unless it says so, no"
    for allowed in (True, False):
        with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
            assert db.rpc("set_data_policy", org_id=org, rows_to_model=allowed)["rows_to_model"] is allowed
        assert told() is allowed
        with world.as_(world.globex.people["customer"]) as db:
            theirs = db.rpc("read_analytics_result", org_id=world.globex.id, job_id=world.globex.ids["analytics_job"])
            assert theirs["rows_to_model"] is False


def test_an_uploaded_table_is_asked_by_its_columns_with_their_types_F48(own_world: World, cluster: Any) -> None:
    world, jobs = own_world, Jobs(own_world, cluster)
    row = ["It's \"so\"", 9007199254740993, "12.345678901234567890", "2026-11-22", "2026-11-22T05:00:00Z", True, 0.25]
    with world.as_(world.acme.people["owner"], keep=True) as db:
        table = begin(db, world)
        assert db.rpc("append_uploaded_rows", org_id=world.acme.id, table_id=table, rows=[row, [None] * 7])["row_count"] == 2
        assert "things" not in {r["name"] for r in db.rpc("describe_data_source", org_id=world.acme.id, source="shop")["relations"]}
        db.rpc("commit_uploaded_table", org_id=world.acme.id, table_id=table)
        assert described(db, world, "things")["columns"][1] == {"name": "n", "type": "bigint", "meaning": ""}
    job = jobs.taken(world.acme.people["customer"])
    with jobs.worker(job) as db:
        target = next(r["target"] for r in db.one("select authz.job_context()")["relations"] if r["name"] == "things")
    with jobs.analyst(job) as db:
        found = db.all(f"select t.* from ({target}) t order by word")
        types = db.one(f"select array[pg_typeof(word), pg_typeof(n), pg_typeof(share), pg_typeof(on_day), pg_typeof(at), pg_typeof(yes), pg_typeof(ratio)]::text[] from ({target}) t limit 1")
    assert types == ["text", "bigint", "numeric", "date", "timestamp with time zone", "boolean", "double precision"]
    assert found[0][:2] == (row[0], row[1]) and str(found[0][2]) == row[2] and found[0][4] == datetime(2026, 11, 22, 5, tzinfo=UTC)
    assert found[1] == (None,) * 7


@pytest.mark.parametrize("value", ["x", "1.5", "", "99999999999999999999"])
def test_a_value_that_is_not_of_its_type_is_refused_with_its_place(world: World, value: str) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        table = begin(db, world, [{"name": "n", "type": "bigint"}])
        db.rpc("append_uploaded_rows", org_id=world.acme.id, table_id=table, rows=[[1]])
        error = db.rpc_error("append_uploaded_rows", org_id=world.acme.id, table_id=table, rows=[[2], [value]])
        assert (error.sqlstate, str(error).splitlines()[0]) == ("22023", "row 3, column n: not a bigint")
        assert db.rpc("append_uploaded_rows", org_id=world.acme.id, table_id=table, rows=[[2]])["row_count"] == 2


@pytest.mark.parametrize("columns", [
    [], [{"name": "a b", "type": "text"}], [{"name": "a", "type": "regclass"}], [{"name": "a", "type": "text"}, {"name": "a", "type": "text"}],
    [{"name": "a", "type": "text", "x": 1}], [{"name": 'a"; drop', "type": "text"}], {"name": "a"}, [{"type": "text"}], ["a"],
])
def test_columns_that_sql_could_not_be_made_of_are_refused_R20(world: World, columns: Any) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        error = db.error("select api.create_uploaded_table(%s, 'shop', 'things', %s)", world.acme.id, columns)
        assert error.sqlstate == "22023"
        assert begin(db, world)


def test_an_upload_of_the_same_name_replaces_the_one_before_at_once(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        tables = []
        for n in (1, 2):
            tables.append(begin(db, world, [{"name": "n", "type": "bigint"}]))
            db.rpc("append_uploaded_rows", org_id=world.acme.id, table_id=tables[-1], rows=[[n]])
            db.rpc("commit_uploaded_table", org_id=world.acme.id, table_id=tables[-1])
        assert [str(t["table_id"]) for t in db.rpc("list_uploaded_tables", org_id=world.acme.id, source="shop") if t["name"] == "things"] == [tables[1]]
        # Complete is complete.
        assert db.rpc_error("append_uploaded_rows", org_id=world.acme.id, table_id=tables[1], rows=[[3]]).sqlstate == "PT404"


def test_an_upload_stays_within_its_limits(own_world: World) -> None:
    world = own_world
    with world.operator(keep=True) as db:
        db.run("create or replace function authz.upload_limits(out rows_per_table integer, out bytes_per_table bigint, out tables_per_source integer,"
               " out rows_per_call integer, out columns integer) returns setof record language sql immutable set search_path = pg_catalog, pg_temp"
               " as $$ select 3, 1000::bigint, 4, 5000, 200 $$")
    with world.as_(world.acme.people["owner"]) as db:
        table = begin(db, world, [{"name": "w", "type": "text"}])
        db.rpc("append_uploaded_rows", org_id=world.acme.id, table_id=table, rows=[["a"], ["b"]])
        assert db.rpc_error("append_uploaded_rows", org_id=world.acme.id, table_id=table, rows=[["c"], ["d"]]).sqlstate == "PT429"
        assert db.rpc_error("append_uploaded_rows", org_id=world.acme.id, table_id=table, rows=[["x" * 1000]]).sqlstate == "PT429"
        begin(db, world, name="more")
        assert db.rpc_error("create_uploaded_table", org_id=world.acme.id, source="shop", name="late", columns=COLUMNS).sqlstate == "PT429"


def test_a_result_is_its_requester_s_until_they_share_it_and_expires_F53(own_world: World) -> None:
    world = own_world
    people, read = world.acme.people, {"org_id": world.acme.id, "job_id": world.acme.ids["analytics_job"]}

    def readers() -> set[str]:
        found = set()
        for role, person in people.items():
            with world.as_(person) as db:
                try:
                    db.rpc("read_analytics_result", **read)
                    found.add(role)
                except Exception as error:
                    assert getattr(error, "sqlstate", None) == "PT404", error
        return found

    assert readers() == {"customer", "analyst"}
    with world.as_(people["customer"], keep=True) as db:
        db.rpc("unshare_analytics_result", **read, user_id=people["analyst"].user_id)
        db.rpc("share_analytics_result", **read, user_id=people["owner"].user_id)
        assert db.rpc_error("share_analytics_result", **read).sqlstate == "42501"
    assert readers() == {"customer", "owner"}
    # What may no longer be asked is no longer read by who asked; what was shared stays shared.
    with world.as_(people["owner"], keep=True) as db:
        db.rpc("unshare_data_source", org_id=world.acme.id, source="shop")
    assert readers() == {"owner"}
    with world.operator(keep=True) as db:
        db.run("update app.analytics_result set expires_at = now()")
    assert readers() == set()


def test_a_bot_asks_only_the_sources_it_is_bound_to_and_its_job_ends_with_the_binding_F44(own_world: World, cluster: Any) -> None:
    world, jobs = own_world, Jobs(own_world, cluster)
    customer, ids = world.acme.people["customer"], world.acme.ids
    jobs.drain()
    with world.as_(world.acme.people["owner"], keep=True) as db:
        tool = db.rpc("bind_bot", org_id=world.acme.id, bot_id=ids["bot"], tool="ask_data")["id"]
        db.rpc("share_data_source", org_id=world.acme.id, source="books", user_id=customer.user_id)

    def ask(source: str, question: str = "How many?") -> dict[str, Any]:
        with world.as_(customer, keep=True) as db:
            return dict(db.rpc("call_tool", run_id=ids["running_run"], tool="ask_data", arguments={"source": source, "question": question}))

    first = ask("shop")
    assert first["outcome"] == "ok" and ask("shop")["rows"] == first["rows"], "the same call in the same run is the same job"
    assert ask("books")["outcome"] == "not_found", "shared with the person, not bound to the bot"
    got = jobs.take()
    assert got is not None and (got["outcome"], got["job_id"], got["question"]) == ("begun", first["rows"][0]["id"], "How many?")
    second = ask("shop", "And now?")
    with world.as_(world.acme.people["owner"], keep=True) as db:
        db.rpc("unbind_bot", org_id=world.acme.id, binding_id=tool)
    got = jobs.take()
    assert got is not None and (got["outcome"], got["job_id"], got["code"]) == ("revoked", second["rows"][0]["id"], "bot")
