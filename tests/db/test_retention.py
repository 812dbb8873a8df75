"""What is over goes, what is held or of another class or organization stays, and the job can delete nothing else (F72)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.db.matrix import planted
from tests.db.planting import REPLICA
from tests.db.session import Person, second_factor
from tests.db.world import World


@pytest.fixture
def old(own_world: World) -> World:
    """A world in which everything happened a hundred days ago, and one ticket is closed."""
    with own_world.operator(keep=True) as db:
        db.run(REPLICA)
        for table, column in (("conversation", "created_at"), ("run", "started_at"), ("support_ticket", "created_at"), ("usage_entry", "on_day")):
            db.run(f"update app.{table} set {column} = {column} - " + ("100" if column == "on_day" else "interval '100 days'"))
        db.run("update app.support_ticket set status = 'closed'")
    return own_world


@pytest.fixture
def worker_url(cluster: Any, old: World) -> str:
    """The log-in of the jobs, in that world."""
    return str(cluster.url("ringfence_worker", old.superuser_url.rsplit("/", 1)[1].partition("?")[0]))


Job = Callable[[], list[tuple[Any, ...]]]


@pytest.fixture
def job(worker_url: str) -> Job:
    """What the job deletes when it runs."""
    def run() -> list[tuple[Any, ...]]:
        with psycopg.connect(worker_url) as connection:
            return connection.execute("select org_id, class, deleted from authz.apply_retention()").fetchall()

    return run


def keep(world: World, days: int | None, class_: str = "conversations", person: Person | None = None) -> None:
    with world.as_(person or world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("set_retention", org_id=world.acme.id, days=days, **{"class": class_})


def rows(world: World, table: str, org: str = "acme") -> int:
    return world.rows(table, f"org_id = '{getattr(world, org).id}'")


def test_what_is_over_goes_with_all_that_hangs_on_it_and_a_receipt_counts_it_F72(old: World, job: Job) -> None:
    hanging = ("conversation", "message", "run", "run_step", "model_call", "approval")
    before = {t: rows(old, t) for t in (*hanging, "support_ticket", "usage_entry")}
    assert all(before.values())
    assert job() == [], "the rule of the world is ten years"
    keep(old, 30)
    (told,) = job()
    assert told == (old.acme.id, "conversations", {t: before[t] for t in hanging})
    assert job() == [], "asked again there is nothing left"
    assert {t: rows(old, t) for t in before} == before | dict.fromkeys(hanging, 0)
    keep(old, 30, "tickets")
    keep(old, 99, "usage")
    assert [(c, set(d)) for _, c, d in job()] == [("tickets", {"support_ticket"}), ("usage", {"usage_entry"})]
    with old.as_(old.acme.people["auditor"]) as db:
        listed = {r["class"]: r for r in db.rpc("list_retention", org_id=old.acme.id)}
    assert listed["conversations"]["last_deleted"]["message"] == before["message"] and listed["tickets"]["days"] == 30


def test_of_another_organization_nothing_goes_F72(old: World, job: Job) -> None:
    before = {t: rows(old, t, "globex") for t in ("conversation", "message", "run", "support_ticket", "usage_entry")}
    for class_ in ("conversations", "tickets", "usage"):
        keep(old, 1, class_)
    assert len(job()) == 3
    assert {t: rows(old, t, "globex") for t in before} == before and all(before.values())


def test_what_was_used_since_is_not_over_nor_is_an_open_ticket_F72(old: World, job: Job) -> None:
    with old.operator(keep=True) as db:
        db.run(REPLICA)
        db.run("update app.run set started_at = now() where id = %s", old.acme.ids["run"])
        db.run("update app.support_ticket set status = 'pending'")
    kept = old.rows("conversation", f"id = '{old.acme.ids['conversation']}'")
    keep(old, 30)
    keep(old, 30, "tickets")
    job()
    assert old.rows("conversation", f"id = '{old.acme.ids['conversation']}'") == kept == 1
    assert old.rows("run", f"conversation_id = '{old.acme.ids['conversation']}'") > 0
    assert rows(old, "support_ticket") > 0


@pytest.mark.parametrize("what", ["organization", "person", "conversation"])
def test_what_is_held_stays_until_the_hold_is_released_F72(old: World, job: Job, what: str) -> None:
    owner, customer = old.acme.people["owner"], old.acme.people["customer"]
    with old.as_(owner, keep=True, **second_factor()) as db:
        hold = UUID(db.rpc("set_legal_hold", org_id=old.acme.id, reason="a case", user_id=customer.user_id if what == "person" else None,
                           conversation_id=old.acme.ids["conversation"] if what == "conversation" else None)["hold_id"])
    keep(old, 30)
    job()
    assert old.rows("conversation", f"id = '{old.acme.ids['conversation']}'") == 1
    with old.as_(owner, keep=True, **second_factor()) as db:
        db.rpc("release_legal_hold", org_id=old.acme.id, hold_id=hold)
    job()
    assert rows(old, "conversation") == 0


def test_the_log_in_of_the_jobs_reads_and_deletes_nothing_itself_F72(worker_url: str) -> None:
    with psycopg.connect(worker_url, autocommit=True) as connection:
        for statement in ("select * from app.conversation", "delete from app.conversation", "select * from app.retention_rule", "delete from app.message",
                          "insert into app.retention_receipt (org_id, class, days, deleted) values (gen_random_uuid(), 'usage', 1, '{}')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_nobody_else_runs_the_job_and_only_organization_manage_sets_the_days_F72(old: World, job: Job) -> None:
    with old.as_(old.acme.people["owner"], **second_factor()) as db:
        assert "permission denied for function apply_retention" in str(db.error("select authz.apply_retention()"))
        for days in (0, -1, 36501):
            assert db.rpc_error("set_retention", org_id=old.acme.id, days=days, **{"class": "usage"}).sqlstate == "22023"
    with old.as_(old.acme.people["owner"]) as db:
        assert db.rpc_error("set_retention", org_id=old.acme.id, days=1, **{"class": "usage"}).sqlstate == "PT401"
    for name in ("admin", "builder", "customer", "auditor"):
        with old.as_(old.acme.people[name], **second_factor()) as db:
            assert db.rpc_error("set_retention", org_id=old.acme.id, days=1, **{"class": "usage"}).sqlstate == "PT404"
    keep(old, 1)
    keep(old, None)
    assert job() == [], "a rule that was taken back deletes nothing"


def test_in_a_session_of_a_person_the_policies_of_the_job_open_nothing_F72(old: World) -> None:
    """As the owner of the definers, but not in a session of the jobs' log-in."""
    keep(old, 1)
    with old.operator() as db:
        db.run("set local role ringfence_owner")
        assert db.one("select count(*) from app.conversation") == 0
        assert db.run("delete from app.conversation") == db.run("delete from app.support_ticket") == db.run("delete from app.usage_entry") == 0


@pytest.mark.parametrize(("class_", "table", "column"), [
    ("conversations", "conversation", "created_at"), ("tickets", "support_ticket", "created_at"), ("usage", "usage_entry", "on_day")])
def test_the_job_itself_keeps_to_the_organization_and_the_days_of_a_rule_F72(world: World, class_: str, table: str, column: str) -> None:
    """Where the policies say nothing, and another organization without a rule has an old row for each of this one's."""
    ago = (lambda days: f"current_date - {days}") if column == "on_day" else (lambda days: f"now() - interval '{days} days'")
    acme, globex = world.acme.id, world.globex.id
    with planted(world, REPLICA, "delete from app.retention_rule", f"delete from app.{table} where org_id = '{globex}'",
                 *(["insert into app.support_ticket select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'idempotency_key', gen_random_uuid()))).* from app.support_ticket t"] if table == "support_ticket" else []),
                 f"update app.{table} set {column} = {ago(9)}",
                 f"insert into app.{table} select (jsonb_populate_record(t, jsonb_build_object('org_id', '{globex}', '{column}', {ago(200)}))).* from app.{table} t where org_id = '{acme}'",
                 f"update app.{table} set {column} = {ago(100)} where org_id = '{acme}' and id in (select min(id::text)::uuid from app.{table} where org_id = '{acme}')",
                 f"insert into app.retention_rule (org_id, class, days, set_by) values ('{acme}', '{class_}', 30, '{world.acme.people['owner'].user_id}')",
                 f"alter policy {table}_select_over_owner on app.{table} using (true)", f"alter policy {table}_delete_over_owner on app.{table} using (true)") as db:
        count = f"select count(*) filter (where org_id = '{acme}'), count(*) filter (where org_id = '{globex}') from app.{table}"
        ((ours, theirs),) = db.all(count)
        assert ours == theirs > 1
        db.run("set local session authorization ringfence_worker")
        assert [(org, c) for org, c, _ in db.all("select org_id, class, deleted from authz.apply_retention()")] == [(acme, class_)]
        db.run("reset session authorization")
        assert db.all(count) == [(ours - 1, theirs)]
