"""What handing in a job asks, one condition at a time, where no policy says whose jobs these are (F09, F51, R103)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Request
from tests.db.test_triggers_alone import opened
from tests.db.world import World

MINE, FOREIGN = UUID(int=10), UUID(int=11)
_JOB = ("insert into app.analytics_job (org_id, id, user_id, data_source_id, sql, idempotency_key, status)"
        " values ('{%s}', '%s', '{%s}', '{source}', '%s', '%s', 'queued')")
_MANY = ("insert into app.analytics_job (org_id, user_id, data_source_id, sql, status)"
         " select '{%s}', '{%s}', '{source}', 'select 1', '%s' from generate_series(1, %d)")
NOT_MINE = (_JOB % ("globex", FOREIGN, "me", "select 1", "key"), _JOB % ("org", UUID(int=12), "other", "select 1", "key"),
            _JOB % ("org", UUID(int=13), "me", "select 1", "another"))
"""Jobs with this key elsewhere and of somebody else, and one with another key: all the same otherwise."""
CASES: dict[str, tuple[tuple[str, ...], Any]] = {
    # what there is, and what is answered: a new job (none of these), that job, or the refusal
    "the first": ((), None),
    "the same again": ((_JOB % ("org", MINE, "me", "select 1", "key"),), MINE),
    "another with that key": ((_JOB % ("org", MINE, "me", "select 2", "key"),), "PT409"),
    "where others are called the same": (NOT_MINE, None),
    "the same again, and others": ((*NOT_MINE, _JOB % ("org", MINE, "me", "select 1", "key")), MINE),
    "one that cannot be seen was first": (
        (*NOT_MINE, _JOB % ("org", MINE, "me", "select 1", "key"), f"create policy hidden on app.analytics_job as restrictive for select to authenticated using (id <> '{MINE}')"), "PT409"),
    "too many wait": ((_MANY % ("org", "me", "queued", 1000),), "PT429"),
    "of them one is the same": ((_MANY % ("org", "me", "queued", 999), _JOB % ("org", MINE, "me", "select 1", "key")), MINE),
    "enough wait": ((_MANY % ("org", "me", "queued", 999),), None),
    "elsewhere, of others, or over": ((_MANY % ("org", "me", "queued", 999), _MANY % ("globex", "me", "queued", 5), _MANY % ("org", "other", "queued", 5),
                                       _MANY % ("org", "me", "running", 5), _MANY % ("org", "me", "succeeded", 5)), None),
    "not shared": (("delete from app.data_source_grant",), "42501"),
    "no longer shared": ((_JOB % ("org", MINE, "me", "select 1", "key"), "delete from app.data_source_grant"), "42501"),
}


@pytest.fixture
def queue(world: World) -> Iterator[tuple[Request, dict[str, Any]]]:
    """Nobody has a job, every row of jobs is everybody's, and every source is seen."""
    ids = {"org": world.acme.id, "globex": world.globex.id, "me": world.acme.people["customer"].user_id, "other": world.acme.people["owner"].user_id,
           "source": world.acme.ids["data_source"]}
    with planted(world, "create policy opened on app.data_source for select to authenticated using (true)", REPLICA,
                 "delete from app.analytics_job") as db:
        opened(db, "app.analytics_job")
        yield db, ids


@pytest.mark.parametrize("what", CASES)
def test_a_job_is_ones_own_by_its_key_and_one_of_no_more_than_may_wait_F09_F51_R103(world: World, queue: tuple[Request, dict[str, Any]], what: str) -> None:
    db, ids = queue
    there, answer = CASES[what]
    for change in there:
        db.run(change.format(**ids))
    db.run(ORIGIN)
    known = {id_ for (id_,) in db.all("select id from app.analytics_job")}
    become(db, world.acme.people["customer"])
    submit = "select id from authz.submit_job(%s, 'shop', null, 'select 1', 'key')"
    if isinstance(answer, str):
        error = db.error(submit, ids["org"])
        assert error.sqlstate == answer
        assert answer != "42501" or error.diag.message_primary == "this data source is not shared with you: whoever owns it may"
        return
    (made,) = (row[0] for row in db.all(submit, ids["org"]))
    assert made == answer if answer else made not in known
    assert db.all("select org_id, user_id, idempotency_key, status from app.analytics_job where id = %s", made) == [(ids["org"], ids["me"], "key", "queued")]
