"""The queue gives each organization its places and passes over one that has no job left; what its worker rewraps is the one secret (F53, F73)."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Request
from tests.db.test_queue_alone import asked, queue  # noqa: F401  (a fixture)
from tests.db.world import World


def test_an_organization_has_as_many_jobs_running_as_it_may_whichever_their_places_F53(world: World, queue: Request) -> None:  # noqa: F811
    queue.run(REPLICA)
    queue.run("update app.analytics_job set status = 'cancelled' where status = 'queued' and org_id <> %s", world.acme.id)
    queue.run("delete from app.job_lease")
    for place in (2, 3, 4, 5):
        queue.run("insert into app.job_lease (org_id, job_id, lease, worker, place, expires_at) values (%s, gen_random_uuid(), gen_random_uuid(), 'planted', %s, 'infinity')",
                  world.acme.id, place)
    assert asked(queue, "select authz.next_job('one')") is None
    queue.run("delete from app.job_lease where place = 5")
    assert UUID(asked(queue, "select authz.next_job('one')")["job_id"]) == world.acme.ids["queued_job"]


def test_an_organization_whose_waiting_jobs_others_have_in_hand_is_passed_over_F53(world: World, queue: Request) -> None:  # noqa: F811
    """Between looking who waits and taking the job another worker took it: here the first organization named has none any more."""
    queue.run(REPLICA)
    queue.run("update app.analytics_job set status = 'cancelled' where status = 'queued' and org_id = %s", world.acme.id)
    queue.run(ORIGIN)
    queue.run("create or replace function authz.waiting_orgs() returns table (org_id uuid, running bigint, served_at timestamptz) language sql stable set search_path = pg_catalog, pg_temp"
              f" as $$ values ('{world.acme.id}'::uuid, 0::bigint, null::timestamptz), ('{world.globex.id}', 1, null) $$")
    assert UUID(asked(queue, "select authz.next_job('one')")["job_id"]) == world.globex.ids["queued_job"]


def test_a_key_is_wrapped_anew_for_its_secret_alone_F73(world: World, queue: Request) -> None:  # noqa: F811
    """Another secret of acme has the same wrapped key, and one of globex the same id too."""
    org, secret = world.acme.id, world.acme.ids["secret"]
    queue.run("create policy opened on app.secret for all to ringfence_owner using (true) with check (true)")
    queue.run(REPLICA)
    for more in ({"org_id": str(world.globex.id), "name": "twin"}, {"id": str(uuid4()), "name": "twin"}):
        queue.run("insert into app.secret select (jsonb_populate_record(s, %s::text::jsonb)).* from app.secret s where org_id = %s and id = %s", json.dumps(more), org, secret)
    queue.run(ORIGIN)
    old = queue.one("select wrapped_key from app.secret where org_id = %s and id = %s", org, secret)
    rewrap = "select authz.rewrap_key(%s, %s, %s, decode(repeat('ab', 60), 'hex'), 'anew')"
    assert asked(queue, rewrap, org, secret, old) is True
    assert queue.all("select org_id, id from app.secret where key_id = 'anew'") == [(org, secret)]
    assert asked(queue, rewrap, org, secret, old) is False
