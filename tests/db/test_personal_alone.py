"""What an organization holds about a person is told and erased for that person there, one condition at a time, where the policies say nothing (F67, F68)."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Request, second_factor
from tests.db.world import World

NOW, BEFORE = "pg_current_xact_id()", "'3'"
ORDER = "insert into app.erasure (org_id, id, user_id, requested_by, erased_in) values ('{org}', '{id}', '{user}', '{by}', {erased_in})"


@pytest.mark.parametrize("helper", ["authz.erasing_org_ids()", "authz.erasing_user_ids()"])
def test_what_is_being_erased_is_what_the_person_asking_orders_in_this_transaction_F68(world: World, helper: str) -> None:
    acme, people = world.acme, world.acme.people
    # Ordered just now by the admin; before; and just now by somebody else.
    orders = [(acme.id, "customer", "admin", NOW), (world.globex.id, "agent", "admin", BEFORE), (world.globex.id, "auditor", "owner", NOW)]
    with planted(world, "create policy opened on app.erasure for select to ringfence_owner using (true)", REPLICA, "delete from app.erasure",
                 *(ORDER.format(org=org, id=uuid4(), user=people[user].user_id, by=people[by].user_id, erased_in=erased_in) for org, user, by, erased_in in orders)) as db:
        for who, expected in (("admin", (acme.id, people["customer"].user_id)), ("owner", (world.globex.id, people["auditor"].user_id))):
            become(db, people[who], role="ringfence_owner")
            assert db.all(f"select * from {helper}") == [(expected[helper == "authz.erasing_user_ids()"],)], who


def test_a_receipt_is_of_an_erasure_in_that_organization_F68(world: World) -> None:
    receipt, owner = uuid4(), world.acme.people["owner"]
    with planted(world, REPLICA, world.belongs_too(owner),
                 ORDER.format(org=world.globex.id, id=receipt, user=uuid4(), by=owner.user_id, erased_in=BEFORE)) as db:
        become(db, owner, **second_factor())
        for organization, told in ((world.acme, []), (world.globex, [(str(world.globex.id),)])):
            assert db.all("select r ->> 'org_id' from authz.erasure_receipt(%s, %s) r where r is not null", organization.id, receipt) == told


@pytest.mark.parametrize("lacking", ["members.manage", "members.read", ""])
def test_who_cannot_see_the_members_is_told_that_erasing_one_takes_it_F68(world: World, lacking: str) -> None:
    """The function says it; the policy of the order would, in words that say nothing."""
    org, admin, agent = world.acme.id, world.acme.people["admin"], world.acme.people["agent"].user_id
    less = f"update app.membership set permissions = permissions & ~authz.permission_bit('{lacking}') where org_id = '{org}' and user_id = '{admin.user_id}'"
    with planted(world, REPLICA, *([less] if lacking else []), ORIGIN) as db:
        become(db, admin, **second_factor())
        if lacking:
            error = db.rpc_error("erase_member", org_id=org, user_id=agent)
            assert (error.sqlstate, error.diag.message_primary) == ("42501", "erasing what is held about somebody takes members.manage and members.read")
        else:
            assert db.rpc("erase_member", org_id=org, user_id=agent)["user_id"] == str(agent)


def told(db: Request, world: World) -> list[str]:
    """As which role others acted on the customer's membership."""
    become(db, world.acme.people["customer"], **second_factor())
    acts = db.rpc("export_me", org_id=world.acme.id)["by_others"]
    db.run("select set_config('role', 'none', true)")
    return sorted(str(a["by_role"]) for a in acts)


def test_of_what_was_done_a_person_is_told_what_others_did_to_their_membership_here_F67(world: World) -> None:
    people = {who: p.user_id for who, p in world.acme.people.items()}
    act = "insert into app.audit_event (org_id, actor_kind, actor_id, actor_role, action, object_id) values (%s, 'user', %s, %s, 'membership.update', %s)"
    others: dict[str, tuple[UUID, UUID, UUID]] = {
        "of globex": (world.globex.id, people["owner"], people["customer"]), "of theirs": (world.acme.id, people["customer"], people["customer"]),
        "of another": (world.acme.id, people["owner"], people["agent"])}
    with planted(world, "create policy opened on app.audit_event for select to ringfence_owner using (true)", REPLICA,
                 world.belongs_too(world.acme.people["customer"])) as db:
        before = told(db, world)
        for what, (org, by, to) in others.items():
            db.run(act, org, by, what, str(to))
            assert told(db, world) == before, what
        db.run(act, world.acme.id, people["owner"], "an owner", str(people["customer"]))
        assert told(db, world) == sorted([*before, "an owner"])
