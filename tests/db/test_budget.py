"""Budgets: reserved before a call, settled after it, never overspent by more than one reservation (F75)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.db.session import Request, second_factor
from tests.db.world import World

AT_ONCE = 50


@pytest.fixture
def spending(own_world: World) -> World:
    """Acme with a budget of 1,000 tokens a day and no other."""
    with own_world.operator(keep=True) as db:
        db.run("delete from app.budget")
        db.run("insert into app.provider (name, input_price, output_price) values ('priced', 1000000, 3000000)")
    limit(own_world, "day", max_tokens=1000)
    return own_world


def limit(world: World, period: str, **limits: Any) -> None:
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("set_budget", org_id=world.acme.id, period=period, **limits)


def begin(db: Request, world: World, tokens: int, provider: str = "offline") -> dict[str, Any]:
    answer: dict[str, Any] = db.rpc("begin_model_call", org_id=world.acme.id, provider=provider, model="m", max_tokens=tokens)
    return answer


def call(world: World, tokens: int, provider: str = "offline", who: str = "customer") -> dict[str, Any]:
    with world.as_(world.acme.people[who], keep=True) as db:
        return begin(db, world, tokens, provider)


def settle(world: World, call: dict[str, Any], sent: int, received: int, who: str = "customer") -> None:
    with world.as_(world.acme.people[who], keep=True) as db:
        db.rpc("end_model_call", call_id=call["call_id"], key=call["key"], input_tokens=sent, output_tokens=received, duration_ms=1)


def used(world: World, period: str = "day") -> tuple[int, int]:
    with world.as_(world.acme.people["auditor"]) as db:
        (row,) = [b for b in db.rpc("list_budgets", org_id=world.acme.id) if b["period"] == period]
        return row["used_tokens"], row["used_cost"]


def test_fifty_calls_at_once_reserve_no_token_more_than_there_is_F75(spending: World) -> None:
    """Each wants 30 of 1,000: 33 of 50 get it, whoever they are, and the rest are told so."""
    people = ["customer", "member", "agent", "analyst", "owner"]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda i: call(spending, 30, who=people[i % len(people)]), range(AT_ONCE)))
    allowed = [a for a in answers if a["refused_by"] is None]
    assert len(allowed) == 33 and {a["refused_by"] for a in answers} == {None, "budget"}
    assert used(spending) == (990, 0)


def test_what_was_not_taken_is_given_back_and_what_was_is_counted_F75(spending: World) -> None:
    first, second = call(spending, 600), call(spending, 400)
    assert call(spending, 1)["refused_by"] == "budget"
    settle(spending, first, 50, 25)
    assert used(spending) == (475, 0)
    settle(spending, second, 0, 0)
    assert used(spending) == (75, 0)
    assert call(spending, 925)["refused_by"] is None and call(spending, 1)["refused_by"] == "budget"


def test_only_who_made_the_call_says_what_it_took_and_once_F75(spending: World) -> None:
    made = call(spending, 100)
    wrong = {"call_id": made["call_id"], "input_tokens": 0, "output_tokens": 0, "duration_ms": 1}
    for who, key, code in (("customer", "guess", "PT404"), ("customer", None, "22023"), ("owner", made["key"], "PT404")):
        with spending.as_(spending.acme.people[who]) as db:
            assert db.rpc_error("end_model_call", **wrong, key=key).sqlstate == code
    settle(spending, made, 60, 40)
    with spending.as_(spending.acme.people["customer"]) as db:
        assert db.rpc_error("end_model_call", **wrong, key=made["key"]).sqlstate == "PT404"
    assert used(spending) == (100, 0)


def test_the_narrowest_of_day_and_month_and_money_decides_F75(spending: World) -> None:
    limit(spending, "month", max_cost=300)
    # At most 3 millionths a token: 101 tokens could cost 303.
    assert call(spending, 101, "priced")["refused_by"] == "budget"
    made = call(spending, 100, "priced")
    assert made["refused_by"] is None and used(spending, "month") == (100, 300)
    settle(spending, made, 50, 10)
    assert used(spending, "month") == (60, 80) and used(spending) == (60, 80)
    with spending.as_(spending.acme.people["customer"]) as db:
        (listed,) = [c for c in db.rpc("list_model_calls", org_id=spending.acme.id) if c["provider"] == "priced" and not c["refused_by"]]
        assert (listed["cost"], listed["input_tokens"], listed["output_tokens"], listed["reserved_tokens"]) == (80, 50, 10, 100)
    # Nobody knows what these cost, but what runs here costs nothing.
    assert call(spending, 1, "unknown")["refused_by"] == "budget" and call(spending, 1, "offline")["refused_by"] is None


def test_a_new_period_begins_at_nothing_and_old_calls_do_not_lower_it_F75(spending: World) -> None:
    old = call(spending, 900)
    with spending.operator(keep=True) as db:
        db.run("update app.budget set starts_on = starts_on - 1")
        db.run("update app.model_call set started_at = started_at - interval '1 day'")
    assert used(spending) == (0, 0)
    assert call(spending, 1000)["refused_by"] is None and used(spending) == (1000, 0)
    settle(spending, old, 1, 1)
    assert used(spending) == (1000, 0)


def test_a_limit_set_again_owes_nothing_to_calls_it_never_counted_F75(spending: World) -> None:
    old = call(spending, 900)
    limit(spending, "day")
    with spending.as_(spending.acme.people["owner"]) as db:
        assert db.rpc("list_budgets", org_id=spending.acme.id) == []
    limit(spending, "day", max_tokens=1000)
    settle(spending, old, 1, 1)
    assert used(spending) == (0, 0)


def test_limits_are_set_by_who_manages_the_organization_and_counters_by_nobody_F75(spending: World) -> None:
    org = spending.acme.id
    for who, code in (("admin", "PT404"), ("member", "PT404")):
        with spending.as_(spending.acme.people[who], **second_factor()) as db:
            assert db.rpc_error("set_budget", org_id=org, period="day", max_tokens=5).sqlstate == code
    with spending.as_(spending.acme.people["owner"], **second_factor()) as db:
        assert db.error("update app.budget set used_tokens = 0").sqlstate == "42501"
        assert db.rpc_error("set_budget", org_id=org, period="week", max_tokens=5).sqlstate == "22023"
        assert db.rpc_error("set_budget", org_id=org, period="day", max_tokens=-1).sqlstate == "23514"
        assert db.rpc("set_budget", org_id=org, period="day", max_tokens=5)["max_tokens"] == 5
    with spending.as_(spending.globex.people["owner"]) as db:
        assert db.rpc("list_budgets", org_id=org) == []
