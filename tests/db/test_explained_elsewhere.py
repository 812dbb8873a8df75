"""An explanation is of the thing asked about, in its organization, also where no policy says so (F87).

The superuser asks in the name of the owner of acme, so that the policies of tables say nothing.
"""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.session import second_factor
from tests.db.world import World

ROWS = {"order": ("customer_order", "order"), "ticket": ("support_ticket", "ticket"), "run": ("run", "run"), "conversation": ("conversation", "conversation")}


@pytest.mark.parametrize("kind", ROWS)
def test_whose_a_row_is_is_told_of_that_row_F87(world: World, kind: str) -> None:
    table, name = ROWS[kind]
    org, one, person = world.acme.id, world.acme.ids[name], world.acme.people["customer"].user_id
    told = "select holds from authz.explained_row(%s, %s, %s, %s, 'read') where clause = 'it is their own'"
    with planted(world, REPLICA) as db:
        become(db, world.acme.people["owner"], role="none", **second_factor())
        assert db.one(told, org, person, kind, one) is True
        assert db.one(told, org, person, kind, uuid4()) is None
        db.run(f"update app.{table} set org_id = %s where id = %s", world.globex.id, one)
        assert db.one(told, org, person, kind, one) is None, "another organization's"


# Against whom there is a rule, and where; whether none takes it from the customer, and how many are told that do.
RULES = {"against them": ("customer", "acme", False, 1), "against somebody else": ("agent", "acme", True, 0), "against them elsewhere": ("customer", "globex", True, 0)}


@pytest.mark.parametrize("what", RULES)
def test_the_rules_told_are_those_that_take_it_from_them_here_F87(world: World, what: str) -> None:
    whom, where, free, count = RULES[what]
    org, document, people = world.acme.id, world.acme.ids["document"], world.acme.people
    other = f"insert into app.deny_rule (org_id, user_id, document_id, reason, created_by) values ('{org}', '{people['builder'].user_id}', '{document}', 'Probe', '{people['owner'].user_id}')"
    rule = (f"insert into app.deny_rule (org_id, user_id, document_id, reason, created_by)"
            f" values ('{getattr(world, where).id}', '{people[whom].user_id}', '{document}', 'Probe', '{people['owner'].user_id}')")
    with planted(world, REPLICA, "delete from app.deny_rule", other, rule) as db:
        become(db, people["owner"], role="none", **second_factor())
        assert db.all("select holds, jsonb_array_length(found -> 'rules') from authz.explained_rules(%s, %s, 'document', %s)", org, people["customer"].user_id, document) == [(free, count)]


def test_a_member_is_told_of_once_with_the_role_they_have_here_F87(world: World) -> None:
    """Also one who is a member elsewhere, where a role has the same id."""
    org, person = world.acme.id, world.both.user_id
    twin = ("insert into app.role select (jsonb_populate_record(r, jsonb_build_object('org_id', '{other}', 'name', 'probe', 'built_in', false))).* from app.role r"
            " join app.membership m on m.org_id = r.org_id and m.role_id = r.id where m.org_id = '{org}' and m.user_id = '{person}'")
    with planted(world, REPLICA, twin.format(other=world.globex.id, org=org, person=person)) as db:
        become(db, world.acme.people["owner"], role="none", **second_factor())
        assert db.all("select role from authz.explained_member(%s, %s)", org, person) == [("builder",)]
        assert db.all("select role from authz.explained_member(%s, %s)", world.globex.id, person) == [("member",)]
        assert db.all("select role from authz.explained_member(%s, %s)", org, world.globex.people["owner"].user_id) == []
