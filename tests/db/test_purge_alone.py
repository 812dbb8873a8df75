"""What a purge takes, what it counts and what keeps it away, one condition at a time, where the policies of the definers' owner say nothing (F23, F72)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.racing import said
from tests.db.session import Request, second_factor
from tests.db.world import World

OPENED = [f"create policy opened on {t} for all to ringfence_owner using (true) with check (true)" for t in ("app.organization", "app.audit_event", "authz.purge_receipt")]
_LEFT = {"app.organization": "id", "app.audit_event": "org_id", "app.membership": "org_id", "authz.purge_receipt": "organization_id"}


def left(db: Request, org: UUID) -> dict[str, list[Any]]:
    """What the superuser still finds of an organization in the tables that a purge names, or reaches from them."""
    return {t: db.all(f"select t::text from {t} t where {column} = %s order by 1", org) for t, column in _LEFT.items()}


def purged(db: Request, world: World, slug: str, org: UUID) -> Any:
    become(db, world.acme.people["owner"], **second_factor())
    try:
        return db.rpc("purge_organization", org_id=org, confirm_slug=slug)
    finally:
        db.run("reset role")


@pytest.mark.parametrize("slug", ["acme", "globex"])
def test_of_two_organizations_that_one_owns_the_named_one_goes_and_nothing_of_the_other_F23(world: World, slug: str) -> None:
    owner, globex = world.acme.people["owner"], world.globex
    gone, kept = (world.acme.id, globex.id) if slug == "acme" else (globex.id, world.acme.id)
    joins = (f"insert into app.membership (org_id, user_id, role_id, permissions) select org_id, '{owner.user_id}', role_id, permissions from app.membership"
             f" where org_id = '{globex.id}' and user_id = '{globex.people['owner'].user_id}'")
    earlier = f"insert into authz.purge_receipt (organization_id, purged_in) values ('{kept}', '3')"
    with planted(world, *OPENED, REPLICA, joins, earlier, ORIGIN) as db:
        before = left(db, kept)
        assert all(before.values())
        told = purged(db, world, slug, gone)
        assert left(db, kept) == before
        assert [bool(rows) for rows in left(db, gone).values()] == [False, False, False, True], "but for its receipt"
        assert told["organization_id"] == str(gone) and told["tables"]["organization"] == 1


def test_what_went_before_in_the_same_transaction_is_not_counted_F23(world: World) -> None:
    with planted(world, REPLICA, f"delete from app.deny_rule where org_id = '{world.acme.id}'", ORIGIN) as db:
        told = purged(db, world, "acme", world.acme.id)
    assert "deny_rule" not in told["tables"]
    assert all(told["tables"].values()) and sum(told["tables"].values()) == told["total"]


def test_nothing_goes_while_the_database_counts_nothing_F23(world: World) -> None:
    with planted(world, "set local track_counts = off") as db:
        become(db, world.acme.people["owner"], **second_factor())
        assert said(db.rpc_error("purge_organization", org_id=world.acme.id, confirm_slug="acme")) == (
            "55000", "the database does not count what it deletes (track_counts): nothing was purged")
        db.run("reset role")
        assert db.one("select count(*) from app.organization where id = %s", world.acme.id) == 1


def test_an_organization_is_being_purged_in_its_own_transaction_alone_F23(world: World) -> None:
    receipt = "insert into authz.purge_receipt (organization_id, purged_in) values ('{}', {})"
    with planted(world, OPENED[-1], receipt.format(world.acme.id, "'3'"), receipt.format(world.globex.id, "pg_current_xact_id()")) as db:
        become(db, world.acme.people["owner"], role="ringfence_owner")
        assert db.all("select * from authz.purging_org_ids()") == [(world.globex.id,)]


HOLD = "insert into app.legal_hold (org_id, reason, created_by, {what}) select '{org}', 'a case', '{by}', {value}"
COPY = "insert into app.conversation select (jsonb_populate_record(c, '{more}')).* from app.conversation c where org_id = '{acme}' and id = '{conversation}'"
HOLDS: dict[str, tuple[str, str, str, set[str]]] = {
    # what is held, in which organization, and who of acme may not be erased; "all" is the organization itself
    "everything": ("user_id", "acme", "null", {"all", "customer", "owner"}),
    "everything elsewhere": ("user_id", "globex", "null", set()),
    "a person": ("user_id", "acme", "'{customer}'", {"all", "customer"}),
    "that person elsewhere": ("user_id", "globex", "'{customer}'", set()),
    "what was said": ("conversation_id", "acme", "'{conversation}'", {"all", "customer"}),
    "what was said elsewhere": ("conversation_id", "globex", "'{conversation}'", set()),
}


@pytest.mark.parametrize("what", HOLDS)
def test_a_hold_keeps_what_it_is_on_and_nothing_beside_it_F23_F72(world: World, what: str) -> None:
    """The owner has a conversation of their own, and one in globex that has the id of the customer's."""
    people, conversation = world.acme.people, world.acme.ids["conversation"]
    column, slug, value, kept = HOLDS[what]
    names = {"acme": world.acme.id, "globex": world.globex.id, "conversation": conversation, "customer": people["customer"].user_id, "owner": people["owner"].user_id}
    beside = [f'{{"id": "{world.acme.ids["hold"]}", "user_id": "{names["owner"]}"}}', f'{{"org_id": "{world.globex.id}", "user_id": "{names["owner"]}"}}']
    with planted(world, REPLICA, "delete from app.legal_hold", *(COPY.format(more=more, **names) for more in beside),
                 HOLD.format(what=column, org=names[slug], by=names["owner"], value=value.format(**names)), ORIGIN) as db:
        for who, person in (("all", None), ("customer", names["customer"]), ("owner", names["owner"])):
            ask = ("select authz.require_no_hold(%s, %s)", world.acme.id, person)
            if who in kept:
                assert db.error(*ask).sqlstate == "PT423", who
            else:
                db.run(*ask)
        db.run("update app.legal_hold set released_at = now(), released_by = created_by")
        db.run("select authz.require_no_hold(%s, null)", world.acme.id)
