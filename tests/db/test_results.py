"""What a job found is read by who asked while their session sees all the rows that it saw; what may quote a row is such a thing too (F44, F53)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.db.jobs import Jobs
from tests.db.session import Person
from tests.db.world import World

FOUND = '{"columns": [{"name": "n", "type": "int8"}], "rows": [[2000]], "truncated": false, "chart": null}'
SAID = 'invalid input syntax for type integer: "ORD-2000"'
WIDENING = {"orders": "orders.read", "tickets": "tickets.read", "usage": "usage.read"}
"""What shows everybody's rows, by relation."""
OWN = {"orders": ("orders.place", "orders.read"), "tickets": ("tickets.create", "tickets.read", "tickets.manage"), "conversations": ("bots.run",)}
"""What shows one's own to an API token: one of these."""


@pytest.fixture
def jobs(own_world: World, cluster: Any) -> Jobs:
    return Jobs(own_world, cluster)


def succeeded(jobs: Jobs, person: Person, **arguments: Any) -> str:
    return ended(jobs, jobs.taken(person, **arguments))


def ended(jobs: Jobs, job: dict[str, Any]) -> str:
    with jobs.worker(job) as db:
        assert db.one("select authz.finish_job('succeeded', ran_sql => 'select 1', result => %s::jsonb)", FOUND) is True
    return str(job["job_id"])


def failed(jobs: Jobs, person: Person, ran_sql: str | None = "select 1", status: str = "failed") -> str:
    job = jobs.taken(person)
    with jobs.worker(job) as db:
        assert db.one("select authz.finish_job(%s, '22P02', %s, %s)", status, SAID, ran_sql) is True
    return str(job["job_id"])


def read(jobs: Jobs, person: Person, job: str, **claims: Any) -> bool:
    with jobs.world.as_(person, **claims) as db:
        given = {"org_id": jobs.world.acme.id, "job_id": job}
        seen = bool(db.one("select count(*) = 1 from app.analytics_result where job_id = %s", job))
        if seen:
            assert db.rpc("read_analytics_result", **given)["rows"] == [[2000]]
            assert db.rpc("get_analytics_job", **given)["row_count"] == 1
        else:
            assert db.rpc_error("read_analytics_result", **given).sqlstate == "PT404"
        return seen


def told(jobs: Jobs, person: Person, job: str) -> Any:
    with jobs.world.as_(person) as db:
        answer = db.rpc("get_analytics_job", org_id=jobs.world.acme.id, job_id=job)
        assert (answer["row_count"], answer["truncated"], answer["expires_at"]) == (None, None, None), "it found nothing"
        assert db.rpc_error("read_analytics_result", org_id=jobs.world.acme.id, job_id=job).sqlstate == "PT404"
        kept = db.all("select error_message from app.analytics_result where job_id = %s", job)
        job_keeps = db.one("select error_message from app.analytics_job where id = %s", job)
    assert (answer["error_code"], answer["error_message"]) == ("22P02", kept[0][0] if kept else job_keeps)
    return answer["error_message"]


def change(jobs: Jobs, sql: str) -> None:
    with jobs.world.operator(keep=True) as db:
        db.run(sql.format(org=jobs.world.acme.id))


def take(jobs: Jobs, role: str, permission: str) -> None:
    change(jobs, f"delete from app.role_permission p using app.role r where r.org_id = p.org_id and r.id = p.role_id and r.name = '{role}' and p.permission = '{permission}'"
                 " and p.org_id = '{org}'")


def give(jobs: Jobs, role: str, permission: str) -> None:
    change(jobs, f"insert into app.role_permission (org_id, role_id, permission) select r.org_id, r.id, '{permission}' from app.role r where r.name = '{role}' and r.org_id = '{{org}}'")


def token(jobs: Jobs, person: Person, *permissions: str) -> dict[str, str]:
    """Make this person's API token carry these and analytics.run; return the claims of its session."""
    with jobs.world.operator(keep=True) as db:
        db.run("update app.api_token set permissions = %s::text[] where user_id = %s", "{" + ",".join(("analytics.run", *permissions)) + "}", person.user_id)
    return {"session_id": str(person.token_session_id)}


def source(jobs: Jobs, *relations: str) -> str:
    """A source of these relations, shared with everyone."""
    with jobs.world.as_(jobs.world.acme.people["owner"], keep=True) as db:
        name = f"of-{'-'.join(relations) or 'nothing'}"
        db.rpc("create_data_source", org_id=jobs.world.acme.id, slug=name, name=name, relations=list(relations))
        db.rpc("share_data_source", org_id=jobs.world.acme.id, source=name)
    return name


TAKEN_BACK = {
    "source": "delete from app.data_source_grant where org_id = '{org}'",
    "denied": "insert into app.deny_rule (org_id, data_source_id, reason, created_by) select s.org_id, s.id, 'x', s.created_by from app.data_source s where s.org_id = '{org}'",
    "expired": "update app.analytics_result set expires_at = now() where org_id = '{org}'",
}


@pytest.mark.parametrize("how", TAKEN_BACK)
def test_what_the_database_said_of_sql_that_ran_is_told_while_its_result_would_be_read_F44(jobs: Jobs, how: str) -> None:
    analyst = jobs.world.acme.people["analyst"]
    job = failed(jobs, analyst)
    assert told(jobs, analyst, job) == SAID
    with jobs.world.as_(analyst) as db:
        assert db.all("select error_message from app.analytics_job where id = %s", job) == [(None,)]
    change(jobs, TAKEN_BACK[how])
    assert told(jobs, analyst, job) is None


def test_what_the_database_said_is_not_told_without_the_permissions_it_was_said_under_F44(jobs: Jobs) -> None:
    analyst = jobs.world.acme.people["analyst"]
    job = failed(jobs, analyst)
    for permission in ("orders.read", "analytics.run"):
        take(jobs, "analyst", permission)
        assert told(jobs, analyst, job) is None
        give(jobs, "analyst", permission)
        assert told(jobs, analyst, job) == SAID


def test_what_the_database_said_is_swept_with_results_and_kept_no_longer_F53(jobs: Jobs) -> None:
    job = failed(jobs, jobs.world.acme.people["analyst"])
    with jobs.world.operator() as db:
        assert db.one("select extract(day from expires_at - now()) from app.analytics_result where job_id = %s", job) in (29, 30)
        assert db.all("select columns, rows, row_count, byte_count, truncated, chart from app.analytics_result where job_id = %s", job) == [([], [], 0, 2, False, None)]
    change(jobs, "update app.analytics_result set expires_at = now() - interval '1 second' where org_id = '{org}'")
    jobs.take()
    with jobs.world.operator() as db:
        assert db.one("select count(*) from app.analytics_result where job_id = %s", job) == 0
        assert SAID not in str(db.all("select to_jsonb(j) from app.analytics_job j"))


@pytest.mark.parametrize(("status", "ran_sql"), [("failed", None), ("refused", None), ("refused", "select 1")])
def test_a_sentence_of_ours_is_the_job_s_and_stays_F53(jobs: Jobs, status: str, ran_sql: str | None) -> None:
    analyst = jobs.world.acme.people["analyst"]
    job = failed(jobs, analyst, ran_sql, status)
    with jobs.world.operator() as db:
        assert db.one("select count(*) from app.analytics_result where job_id = %s", job) == 0
    change(jobs, TAKEN_BACK["source"])
    assert told(jobs, analyst, job) == SAID


def test_no_sentence_is_shared_as_a_result(jobs: Jobs) -> None:
    analyst = jobs.world.acme.people["analyst"]
    job = failed(jobs, analyst)
    with jobs.world.as_(analyst) as db:
        assert db.rpc_error("share_analytics_result", org_id=jobs.world.acme.id, job_id=job, user_id=jobs.world.acme.people["owner"].user_id).sqlstate == "PT404"


def test_a_longer_sentence_is_cut(jobs: Jobs) -> None:
    analyst = jobs.world.acme.people["analyst"]
    job = jobs.taken(analyst)
    with jobs.worker(job) as db:
        assert db.one("select authz.finish_job('failed', '22P02', repeat('x', 501), 'select 1')") is True
    assert told(jobs, analyst, str(job["job_id"])) == "x" * 500


@pytest.mark.parametrize("relation", WIDENING)
def test_a_result_with_everybody_s_rows_is_not_read_without_the_permission_for_them_F53(jobs: Jobs, relation: str) -> None:
    analyst = jobs.world.acme.people["analyst"]
    whole, apart = succeeded(jobs, analyst), succeeded(jobs, analyst, source=source(jobs, *({"orders", "tickets", "conversations", "usage"} - {relation})))
    assert read(jobs, analyst, whole) and read(jobs, analyst, apart)
    take(jobs, "analyst", WIDENING[relation])
    assert not read(jobs, analyst, whole) and read(jobs, analyst, apart), "a source without the relation holds none of its rows"
    of_less = succeeded(jobs, analyst)
    assert read(jobs, analyst, of_less), "what was found with less is read with less"
    give(jobs, "analyst", WIDENING[relation])
    assert read(jobs, analyst, whole) and read(jobs, analyst, of_less)


def test_a_permission_lost_while_a_job_ran_is_asked_for_F53(jobs: Jobs) -> None:
    analyst = jobs.world.acme.people["analyst"]
    taken = jobs.taken(analyst)
    take(jobs, "analyst", "orders.read")
    job = ended(jobs, taken)
    assert not read(jobs, analyst, job)
    give(jobs, "analyst", "orders.read")
    assert read(jobs, analyst, job)


def test_a_permission_gained_while_a_job_ran_is_asked_for_F53(jobs: Jobs) -> None:
    analyst = jobs.world.acme.people["analyst"]
    take(jobs, "analyst", "orders.read")
    taken = jobs.taken(analyst)
    give(jobs, "analyst", "orders.read")
    job = ended(jobs, taken)
    assert read(jobs, analyst, job)
    take(jobs, "analyst", "orders.read")
    assert not read(jobs, analyst, job)


@pytest.mark.parametrize("relation", OWN)
def test_an_api_token_reads_its_owner_s_result_only_where_it_sees_as_much_F08(jobs: Jobs, relation: str) -> None:
    customer = jobs.world.acme.people["customer"]
    change(jobs, f"update app.api_token set user_id = '{customer.user_id}', session_id = '{customer.token_session_id}', created_at = now() where org_id = '{{org}}'")  # only owners have one
    claims = token(jobs, customer)
    only, whole = succeeded(jobs, customer, source=source(jobs, relation)), succeeded(jobs, customer)
    assert read(jobs, customer, only) and read(jobs, customer, whole)
    for permission in ("usage.read", *(name for names in OWN.values() for name in names)):
        token(jobs, customer, permission)
        assert read(jobs, customer, only, **claims) is (permission in OWN[relation]), permission
        assert not read(jobs, customer, whole, **claims)
    token(jobs, customer, "orders.place", "tickets.create", "bots.run")
    assert read(jobs, customer, whole, **claims)


def test_an_api_token_reads_what_its_own_job_found_and_what_came_from_uploaded_tables_F08(jobs: Jobs) -> None:
    owner = jobs.world.acme.people["owner"]
    claims = token(jobs, owner)
    bare, uploaded = succeeded(jobs, owner, claims=claims), succeeded(jobs, owner, source=source(jobs))
    whole = succeeded(jobs, owner)
    assert read(jobs, owner, bare, **claims) and read(jobs, owner, uploaded, **claims) and not read(jobs, owner, whole, **claims)
    assert read(jobs, owner, bare) and read(jobs, owner, uploaded) and read(jobs, owner, whole)
    token(jobs, owner, "orders.place", "tickets.create", "bots.run")
    assert not read(jobs, owner, whole, **claims), "one's own rows are not everybody's"
    with jobs.world.operator() as db:
        assert db.one("select reads from app.analytics_result where job_id = %s", bare) == 0


def test_a_permission_in_one_organization_opens_no_result_of_another_F53(jobs: Jobs) -> None:
    world = jobs.world
    analyst = world.acme.people["analyst"]
    with world.operator(keep=True) as db:
        db.run("insert into app.membership (org_id, user_id, role_id, email) select r.org_id, %s, r.id, 'both@globex.test' from app.role r where r.org_id = %s and r.name = 'analyst'",
               analyst.user_id, world.globex.id)
    job = succeeded(jobs, analyst)
    take(jobs, "analyst", "orders.read")
    assert not read(jobs, analyst, job)


def test_sharing_one_s_own_result_with_oneself_opens_nothing_F53(jobs: Jobs) -> None:
    analyst = jobs.world.acme.people["analyst"]
    job = succeeded(jobs, analyst)
    with jobs.world.as_(analyst, keep=True) as db:
        for person in (analyst, jobs.world.acme.people["auditor"], jobs.world.acme.people["customer"]):
            db.rpc("share_analytics_result", org_id=jobs.world.acme.id, job_id=job, user_id=person.user_id)
    take(jobs, "analyst", "orders.read")
    assert not read(jobs, analyst, job)
    with jobs.world.as_(jobs.world.acme.people["customer"]) as db:
        assert db.rpc("read_analytics_result", org_id=jobs.world.acme.id, job_id=job)["rows"] == [[2000]], "with whom it was shared, it is"


def test_every_view_of_the_schema_stands_in_what_a_result_is_compared_by_F53(jobs: Jobs) -> None:
    """A view that authz.source_reads() or the policy did not know would let its rows be read for good."""
    with jobs.world.operator() as db:
        views = {name for (name,) in db.all("select relname::text from pg_class where relnamespace = 'source'::regnamespace and relkind = 'v'")} - {"uploaded"}
        policy = db.one("select pg_get_expr(polqual, polrelid) from pg_policy where polname = 'analytics_result_select_reader'")
    assert len(views) >= 4 and views == WIDENING.keys() | OWN.keys()
    with jobs.world.as_(jobs.world.acme.people["owner"]) as db:
        for view in views:
            assert f"'{view}'::text" in policy
            assert (db.one("select authz.source_reads(array[%s])", view)[str(jobs.world.acme.id)] != 0) is True, view
