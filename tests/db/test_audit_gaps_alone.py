"""What has no record in the trail, or is not as recorded, is looked for in one organization and by every mark of a record, one at a time (F47, F62).

The owner of acme may audit globex too: nothing but the check's own conditions keeps the two trails apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.session import Request, second_factor
from tests.db.world import Organization, World

DIFFERS = "object_sha256 = repeat('e', 64)"
ORGANIZATIONS = pytest.mark.parametrize("where", ["acme", "globex"])


@pytest.fixture
def auditing(world: World) -> Iterator[Request]:
    """A session of the superuser, without triggers and keys, in which the owner of acme owns globex too."""
    with planted(world, REPLICA, world.belongs_too(world.acme.people["owner"])) as db:
        yield db


def gaps(db: Request, world: World, organization: Organization) -> list[tuple[str, str]]:
    """What the owner of both is told of one: the kind and the object of every finding."""
    become(db, world.acme.people["owner"], **second_factor())
    found = db.rpc("check_audit", org_id=organization.id)["findings"]
    db.run("select set_config('role', 'none', true)")
    return [(f["kind"], f["object_id"]) for f in found]


def step(db: Request, organization: Organization) -> UUID:
    """The first step of the customer's run."""
    return db.one("select id from app.run_step where org_id = %s and run_id = %s and position = 1", organization.id, organization.ids["run"])  # type: ignore[no-any-return]


def test_an_event_has_a_link_of_its_own_organization_F62(world: World, auditing: Request) -> None:
    event = uuid4()
    insert = "insert into app.audit_event (org_id, id, actor_kind, action) values (%s, %s, 'user', 'bot.insert')"
    link = ("insert into app.audit_link (org_id, lane, sequence, event_id, event_sha256, prev_hash, hash)"
            " values (%s, 0, 100000, %s, repeat('0', 64), repeat('0', 64), repeat('0', 64))")
    auditing.run(insert, world.globex.id, event)
    assert gaps(auditing, world, world.acme) == [] and gaps(auditing, world, world.globex) == [("unlinked", str(event))]
    auditing.run(link, world.globex.id, event)
    assert gaps(auditing, world, world.globex) == []
    auditing.run(insert, world.acme.id, event)
    assert gaps(auditing, world, world.acme) == [("unlinked", str(event))]
    auditing.run(link, world.acme.id, event)
    assert gaps(auditing, world, world.acme) == []


@pytest.mark.parametrize("mark", ["org_id = '{globex}'", "run_id = gen_random_uuid()", "object_id = gen_random_uuid()::text", "action = 'documents.search'"])
def test_an_event_is_that_of_a_step_by_all_its_marks_F47(world: World, auditing: Request, mark: str) -> None:
    """One that has another of them is not its event: neither is the step recorded by it, nor is it compared with it."""
    one = step(auditing, world.acme)
    assert auditing.run(f"update app.audit_event set {mark.format(globex=world.globex.id)}, {DIFFERS} where org_id = %s and object_id = %s and action = 'tool.call'",
                        world.acme.id, str(one)) == 1
    assert gaps(auditing, world, world.acme) == [("unrecorded", str(one))]


@ORGANIZATIONS
def test_a_step_that_was_changed_is_found_in_its_organization_once_F47(world: World, auditing: Request, where: str) -> None:
    organization = getattr(world, where)
    one = step(auditing, organization)
    auditing.run("update app.run_step set duration_ms = duration_ms + 1 where id = %s", one)
    for other in (world.acme, world.globex):
        assert gaps(auditing, world, other) == ([("changed", str(one))] if other is organization else [])


@ORGANIZATIONS
def test_a_step_without_an_event_is_found_in_its_organization_once_F47(world: World, auditing: Request, where: str) -> None:
    organization = getattr(world, where)
    one = step(auditing, organization)
    auditing.run("delete from app.audit_event where object_id = %s", str(one))
    for other in (world.acme, world.globex):
        assert gaps(auditing, world, other) == ([("unrecorded", str(one))] if other is organization else [])
    # What was done before the trail recorded steps has none, and the trail of the other organization says nothing of that.
    auditing.run("update app.audit_lane set started_at = now() + interval '1 hour' where org_id = %s", organization.id)
    assert gaps(auditing, world, organization) == []


@ORGANIZATIONS
def test_a_run_has_its_event_in_its_own_organization_F47(world: World, auditing: Request, where: str) -> None:
    one, other = getattr(world, where), world.globex if where == "acme" else world.acme
    run = one.ids["silent_run"]
    assert gaps(auditing, world, one) == []
    auditing.run("delete from app.audit_link l using app.audit_event e where l.event_id = e.id and e.run_id = %s and e.action = 'run.insert'", run)
    assert auditing.run("update app.audit_event set org_id = %s where run_id = %s and action = 'run.insert'", other.id, run) == 1
    assert gaps(auditing, world, one) == [("unrecorded", str(run))]
    assert [kind for kind, _ in gaps(auditing, world, other)] == ["unlinked"]
