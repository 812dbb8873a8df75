"""What PostgreSQL expects a statement to cost tells of no row of anybody else: `too_costly` is an answer too (F51, F52).

Its statistics are of whole tables. Under policies it still goes by them for leakproof operators, so that a condition on a value that somebody
else has often would be dearer than one on a value that nobody has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.db.jobs import Jobs
from tests.db.session import Request
from tests.db.world import World

OFTEN, NEVER = "ffffffff-0000-4000-8000-00000000000f", "ffffffff-0000-4000-8000-0000000000ff"
_LOW, _HIGH = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
_UUID, _TIME = (OFTEN, NEVER, _LOW, _HIGH), ("2031-01-01", "2032-01-01", "1900-01-01", "2100-01-01")

# By view and column: a value that somebody else has often, one that nobody has, one below and one above all of them.
VALUES: dict[str, dict[str, tuple[str, str, str, str]]] = {
    "orders": {"id": _UUID, "customer_id": _UUID, "order_number": ("ZZ-777", "ZZ-778", "AA", "ZZZ"), "status": ("paid", "lost", "a", "z"),
               "total_cents": ("777", "778", "-1", "99999999999"), "currency": ("XTS", "XXX", "A", "ZZZZ"), "placed_at": _TIME},
    "tickets": {"id": _UUID, "customer_id": _UUID, "order_id": _UUID, "subject": ("zebra mussels", "zebra finches", " ", "zz"), "status": ("pending", "lost", "a", "z"),
                "created_at": _TIME},
    "conversations": {"id": _UUID, "bot_id": _UUID, "title": ("zebra mussels", "zebra finches", " ", "zz"), "started_at": _TIME},
    "usage": {"on_day": _TIME, "measure": ("characters", "nothing", "a", "z"), "amount": ("777", "778", "-99999", "99999")},
    "uploaded": {"table_id": _UUID, "data": ('{"word": "zebra"}', '{"word": "finch"}', "[]", '{"a": 1, "b": 2, "c": 3}')},
}
# The worker writes which table of the source is meant; no SQL of anybody's names that column, and no table elsewhere has an id to guess.
ASKED = [(view, column) for view, columns in VALUES.items() for column in columns if column != "table_id"]

# What has a key is often the same in every second row only, where the rest of the key is not.
PLANTED = (
    "insert into app.customer_order (org_id, user_id, order_number, status, total_cents, currency, placed_at)"
    " select '{org}', '{often}', 'ZZ-' || (10000 + n), 'paid', 777, 'XTS', '2031-01-01' from generate_series(1, 2000) n",
    "insert into app.customer_order (org_id, user_id, order_number, status, total_cents, currency, placed_at)"
    " select '{org}', gen_random_uuid(), 'ZZ-777', 'paid', 777, 'XTS', '2031-01-01' from generate_series(1, 2000)",
    "insert into app.support_ticket (org_id, user_id, order_id, subject, body, status, created_at)"
    " select '{org}', '{often}', '{often}', 'zebra mussels', 'b', 'pending', '2031-01-01' from generate_series(1, 4000)",
    "insert into app.conversation (org_id, user_id, bot_id, title, created_at)"
    " select '{org}', '{often}', '{often}', 'zebra mussels', '2031-01-01' from generate_series(1, 4000)",
    "insert into app.usage_entry (org_id, on_day, measure, amount) select '{org}', '2031-01-01', 'characters', 777 from generate_series(1, 4000)",
    "insert into app.uploaded_row (org_id, table_id, position, data)"
    """ select '{org}', '{often}', n + 1000, '{"word": "zebra"}' from generate_series(1, 2000) n""",
    "insert into app.uploaded_row (org_id, table_id, position, data)"
    """ select '{org}', gen_random_uuid(), 777, '{"word": "zebra"}' from generate_series(1, 2000)""",
)


@pytest.fixture(scope="module")
def analyst(described: bytes, module_world: World, cluster: Any) -> Iterator[Request]:
    """The analyst inside a job of somebody who sees little, where another organization has much."""
    with module_world.operator(keep=True) as db:
        db.run("set local session_replication_role = replica")
        for statement in PLANTED:
            db.run(statement.replace("{org}", str(module_world.globex.id)).replace("{often}", OFTEN))
        db.run("set local session_replication_role = origin")
        db.run("analyze app.customer_order, app.support_ticket, app.conversation, app.usage_entry, app.uploaded_row")
    jobs = Jobs(module_world, cluster)
    with jobs.inside(module_world.acme.people["customer"]) as db:
        yield db


def expected(db: Request, sql: str) -> list[tuple[Any, ...]]:
    """What PostgreSQL expects of each node of the plan."""
    def nodes(plan: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        yield plan["Node Type"], plan["Startup Cost"], plan["Total Cost"], plan["Plan Rows"], plan["Plan Width"]
        for below in plan.get("Plans", ()):
            yield from nodes(below)
    answer = db.one(f"explain (format json, costs) {sql}")
    [found] = json.loads(answer) if isinstance(answer, str) else answer
    return list(nodes(found["Plan"]))


def asks(view: str, column: str) -> dict[str, tuple[str, str]]:
    """Pairs of statements that differ in a value alone."""
    often, never, low, high = VALUES[view][column]
    counted = f"select count(*) as n from source.{view} v, generate_series(1, 100000) g where v.{column}"
    joined = f"select count(*) as n from source.{view} v join source.{view} w on w.{column} = v.{column} where v.{column}"
    return {
        "equal": (f"{counted} = '{often}'", f"{counted} = '{never}'"),
        "in a list": (f"{counted} in ('{often}', '{low}')", f"{counted} in ('{never}', '{low}')"),
        "below": (f"{counted} < '{high}'", f"{counted} < '{low}'"),
        "between": (f"{counted} >= '{often}' and v.{column} <= '{high}'", f"{counted} >= '{high}' and v.{column} <= '{high}'"),
        "joined": (f"{joined} = '{often}'", f"{joined} = '{never}'"),
        "joined below": (f"{joined} < '{high}'", f"{joined} < '{low}'"),
    }


@pytest.mark.parametrize(("view", "column"), ASKED)
def test_a_value_that_others_have_often_is_expected_to_cost_what_one_does_that_nobody_has_F52(analyst: Request, view: str, column: str) -> None:
    for way, (there, nowhere) in asks(view, column).items():
        assert expected(analyst, there) == expected(analyst, nowhere), way


@pytest.mark.parametrize("view", VALUES)
def test_no_column_of_a_view_is_left_out(analyst: Request, view: str) -> None:
    names = analyst.one("select array_agg(attname::text) from pg_attribute where attrelid = %s::regclass and attnum > 0", f"source.{view}")
    assert set(names) == set(VALUES[view])


def test_without_the_barrier_the_same_conditions_tell_of_others(analyst: Request, module_world: World) -> None:
    """What the tests above would notice: as one who passes policies by, straight from the table."""
    with module_world.operator() as db:
        there, nowhere = (sql.replace("source.orders", "app.customer_order").replace("customer_id", "user_id") for sql in asks("orders", "customer_id")["equal"])
        assert expected(db, there) != expected(db, nowhere)
