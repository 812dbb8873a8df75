"""What a model call is counted against and told, and who ends it, where the policies of the definers' owner say nothing (F15, F70, F75)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.db.matrix import become, planted
from tests.db.planting import OPENED, ORIGIN, REPLICA
from tests.db.session import Request
from tests.db.world import World

LIMIT = "insert into app.budget (org_id, id, period, max_tokens, used_tokens, starts_on) values ('{}', '{}', 'day', {}, {}, current_date)"
TWIN = "insert into app.{0} select (jsonb_populate_record(t, '{1}')).* from app.{0} t where org_id = '{2}' and id = '{3}'"


def reserved(db: Request, column: str, org: Any, run: Any = None, provider: str = "offline") -> Any:
    return db.one(f"select c.{column} from authz.reserve_model_call(%s, %s, 'answer', %s, 'none', 10, repeat('0', 64)) c", org, run, provider)


def used(db: Request, world: World) -> list[tuple[int]]:
    """By organization and period what is counted; the session is the superuser's again."""
    db.run("reset role")
    return [db.all("select used_tokens from app.budget where org_id = %s order by period", o.id) for o in (world.acme, world.globex)]


def test_what_is_in_another_run_or_in_one_of_the_same_id_elsewhere_is_not_in_this_one_F15(world: World) -> None:
    org, run, customer = world.acme.id, world.acme.ids["running_run"], world.acme.people["customer"]
    secret = f'{{"org_id": "{world.globex.id}", "taint": ["secret"]}}'
    others = f"update app.run set taint = case when id = '{run}' then '{{}}' else '{{secret}}'::text[] end where org_id = '{org}'"
    with planted(world, REPLICA, others, TWIN.format("run", secret, org, run), ORIGIN) as db:
        become(db, customer)
        assert reserved(db, "classification", org, run) == 0
        db.run("reset role")
        db.run("update app.run set taint = '{secret}' where org_id = %s and id = %s", org, run)
        become(db, customer)
        assert reserved(db, "classification", org, run) == 3


def test_what_is_in_somebody_elses_run_is_not_in_ones_own_F15(world: World) -> None:
    """The key of the call to its run refuses such a call as well: here it is taken away."""
    org, run, people = world.acme.id, world.acme.ids["running_run"], world.acme.people
    with planted(world, "alter table app.model_call drop constraint model_call_run_id_fkey", OPENED.format("run"), REPLICA,
                 f"update app.run set taint = '{{secret}}' where org_id = '{org}' and id = '{run}'", ORIGIN) as db:
        for who, classification in (("owner", 0), ("customer", 3)):
            become(db, people[who])
            assert reserved(db, "classification", org, run) == classification
            db.run("reset role")


def test_a_call_is_counted_against_the_limits_of_its_own_organization_F75(world: World) -> None:
    """`both` belongs to two, of which one has nothing left."""
    limits = (LIMIT.format(world.acme.id, uuid4(), 1000, 0), LIMIT.format(world.globex.id, uuid4(), 0, 0))
    with planted(world, "delete from app.budget", *limits) as db:
        become(db, world.both)
        assert reserved(db, "refused_by", world.acme.id) is None
        assert reserved(db, "refused_by", world.globex.id) == "budget"
        assert used(db, world) == [[(10,)], [(0,)]]


def test_a_call_that_a_rule_refuses_is_refused_for_that_and_asks_no_limit_F70(world: World) -> None:
    """There is nothing left either: what is said first is the rule, which no waiting helps."""
    rules = f"update app.organization set zero_retention = true where id = '{world.acme.id}'"
    with planted(world, "insert into app.provider (name) values ('outside')", "delete from app.budget", LIMIT.format(world.acme.id, uuid4(), 0, 0), REPLICA, rules, ORIGIN) as db:
        become(db, world.acme.people["customer"])
        assert reserved(db, "refused_by", world.acme.id) == "budget"
        assert reserved(db, "refused_by", world.acme.id, provider="outside") == "retention"


def test_a_limit_set_while_a_call_is_reserved_is_owed_nothing_F75(world: World) -> None:
    """Between looking at the limits and counting somebody sets another: here looking at the first does. Settling would give it back what it never counted."""
    meanwhile = ("create or replace function authz.period_start(period text) returns date language plpgsql volatile set search_path = pg_catalog, pg_temp as $$ begin"
                 f" insert into app.budget (org_id, period, max_tokens, starts_on) values ('{world.acme.id}', 'month', 1000, current_date) on conflict do nothing;"
                 " return current_date; end $$")
    with planted(world, "delete from app.budget", LIMIT.format(world.acme.id, uuid4(), 1000, 0), OPENED.format("budget"), meanwhile,
                 "grant insert on app.budget to ringfence_owner", "alter table app.budget disable trigger user") as db:
        become(db, world.acme.people["customer"])
        assert len(reserved(db, "budget_ids", world.acme.id)) == 1
        assert used(db, world) == [[(10,), (0,)], []]


def test_a_call_is_redacted_where_its_own_organization_says_so_F70(world: World) -> None:
    rules = f"update app.organization set allowed_regions = null, zero_retention = false, no_training = false, external_classification = 3, redact = id = '{world.globex.id}'"
    with planted(world, "insert into app.provider (name) values ('outside')", "delete from app.budget", REPLICA, rules, ORIGIN) as db:
        become(db, world.both)
        assert reserved(db, "redacted", world.acme.id, provider="outside") is False
        assert reserved(db, "redacted", world.globex.id, provider="outside") is True


def test_a_call_is_ended_once_by_who_made_it_and_settled_with_its_own_limit_F75(world: World) -> None:
    """There is another open call with the same key, and a limit of the same id in globex."""
    org, people, ids, limit, other = world.acme.id, world.acme.people, world.acme.ids, uuid4(), uuid4()
    settle = "select id from authz.settle_model_call(%s, %s, 1, 1)"
    with planted(world, OPENED.format("model_call"), OPENED.format("budget"), "delete from app.budget", REPLICA,
                 *(LIMIT.format(o.id, limit, 1000, 100) for o in (world.acme, world.globex)),
                 f"update app.model_call set budget_ids = '{{{limit}}}', reserved_tokens = 10, started_at = now() where id = '{ids['model_call']}' and org_id = '{org}'",
                 TWIN.format("model_call", f'{{"id": "{other}"}}', org, ids["model_call"]), ORIGIN) as db:
        become(db, people["owner"])
        assert db.error(settle, ids["model_call"], ids["model_call_key"]).sqlstate == "PT404"
        become(db, people["customer"])
        assert db.one(settle, ids["model_call"], ids["model_call_key"]) == ids["model_call"]
        assert db.error(settle, ids["model_call"], ids["model_call_key"]).sqlstate == "PT404"
        assert used(db, world) == [[(92,)], [(100,)]]
        assert db.one("select ended_at is null from app.model_call where id = %s", other) is True
