"""An explanation speaks of one object, one organization and one person, one condition at a time, for somebody who sees those beside it too (F87).

The owner of acme belongs to globex as well and sees everything of both: nothing but the explanation's own condition keeps the two apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.session import Request, second_factor
from tests.db.test_explained_clauses import Clauses, made, said
from tests.db.world import World

OPENED = ("document_select_reader on app.document", "membership_select_member on app.membership", "document_grant_select_concerned on app.document_grant",
          "kb_grant_select_concerned on app.kb_grant", "bot_runner_select_runner on app.bot_runner")


@pytest.fixture
def both(world: World) -> Iterator[Request]:
    """A session of the owner of acme who owns globex too."""
    owner = world.acme.people["owner"]
    with planted(world, REPLICA, "drop policy document_denied_floor on app.document",
                 *(f"alter policy {policy} using (true)" for policy in OPENED), world.belongs_too(owner)) as db:
        become(db, owner, **second_factor())
        yield db


FUNCTIONS: dict[str, tuple[str, str, str, tuple[str, str], bool | None, bool | None]] = {
    # by what explains it: the object, its table, what is so of it in both organizations, a clause about it, what it says of an object of this organization, and of one that is not
    "authz.explained_document": ("unbound_document", "document", "visibility = 'organization', base_visibility = 'organization'", ("document_select_reader", "it is the whole organization's"), True, None),
    "authz.explained_knowledge_base": ("other_base", "knowledge_base", "visibility = 'organization'", ("knowledge_base_select_reader", "it is the whole organization's"), True, None),
    "authz.explained_bot": ("hidden_bot", "bot", "archived_at = now()", ("run_insert_self", "it is in use, not archived"), False, True),
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_object_of_another_organization_is_not_looked_at_F87(world: World, both: Request, function: str) -> None:
    name, table, change, clause, own, foreign = FUNCTIONS[function]
    made(both, f"update app.{table} set {change}")
    person = world.acme.people["agent"].user_id
    for organization, holds in ((world.acme, own), (world.globex, foreign)):
        told = said(both, f"{function}('{world.acme.id}', '{person}', '{organization.ids[name]}', '{'run' if table == 'bot' else 'read'}')")
        assert told[clause] is holds, organization.slug


def grants(db: Request, world: World, kind: str, object_id: UUID, who: str = "agent", level: str = "viewer") -> bool | None:
    return db.one("select holds from authz.explained_grants(%s, %s, %s, %s, %s)", world.acme.id, world.acme.people[who].user_id, kind, object_id, level)  # type: ignore[no-any-return]


GRANTED = {"document": ("document_grant", "document_id"), "knowledge_base": ("kb_grant", "knowledge_base_id"), "bot": ("bot_runner", "bot_id")}


def shares(world: World, org_id: UUID, kind: str, object_id: UUID, who: str = "agent") -> str:
    """The statement by which somebody of acme has an object."""
    table, column = GRANTED[kind]
    by = ("", "") if kind == "bot" else (", created_by", f", '{world.acme.people['owner'].user_id}'")
    return (f"insert into app.{table} (org_id, {column}, user_id, level{by[0]})"
            f" values ('{org_id}', '{object_id}', '{world.acme.people[who].user_id}', 'viewer'{by[1]})")


@pytest.mark.parametrize("kind", GRANTED)
def test_what_is_shared_is_this_kind_of_object_in_this_organization_F87(world: World, both: Request, kind: str) -> None:
    """Grants on an object of the same id: of the other two kinds here, and of this kind in the other organization."""
    one = world.acme.ids[{"document": "unbound_document", "knowledge_base": "other_base", "bot": "hidden_bot"}[kind]]
    made(both, *(f"delete from app.{table}" for table, _ in GRANTED.values()), *(shares(world, world.acme.id, other, one) for other in GRANTED if other != kind),
         shares(world, world.globex.id, kind, one))
    assert both.one("select count(*) from app.document_grant") + both.one("select count(*) from app.kb_grant") + both.one("select count(*) from app.bot_runner") == 3, "all are seen"
    assert grants(both, world, kind, one) is False
    made(both, shares(world, world.acme.id, kind, one))
    assert grants(both, world, kind, one) is True


@pytest.mark.parametrize("kind", GRANTED)
def test_what_is_shared_reaches_who_is_active_and_is_told_of_whom_it_is_shared_with_F87(world: World, both: Request, kind: str) -> None:
    one = world.acme.ids[{"document": "unbound_document", "knowledge_base": "other_base", "bot": "hidden_bot"}[kind]]
    made(both, *(f"delete from app.{table}" for table, _ in GRANTED.values()), shares(world, world.acme.id, kind, one), shares(world, world.acme.id, kind, one, "analyst"))
    asked = "select holds, jsonb_array_length(found -> 'grants') from authz.explained_grants(%s, %s, %s, %s, 'viewer')"
    for who, told in (("agent", (True, 1)), ("auditor", (False, 0))):
        assert both.all(asked, world.acme.id, world.acme.people[who].user_id, kind, one) == [told]
    made(both, f"update app.membership set status = 'suspended' where user_id = '{world.acme.people['agent'].user_id}'")
    for who, told in (("agent", (False, 0)), ("analyst", (True, 1))):
        assert both.all(asked, world.acme.id, world.acme.people[who].user_id, kind, one) == [told]


def test_who_manages_knowledge_bases_knows_of_those_they_see_here_that_they_are_shared_with_nobody_F87(world: World, both: Request) -> None:
    made(both, "delete from app.kb_grant")
    for base, told in ((world.acme.ids["other_base"], False), (world.globex.ids["other_base"], None), (uuid4(), None)):
        assert grants(both, world, "knowledge_base", base) is told, base


def test_who_added_a_document_or_owns_its_knowledge_base_knows_that_it_is_shared_with_nobody_F87(world: World, both: Request) -> None:
    """Without documents.manage: of that document alone, in that organization alone, and not of what is private in the knowledge base."""
    ids, member = world.acme.ids, world.acme.people["member"].user_id
    made(both, "delete from app.document_grant", "delete from app.kb_grant", f"update app.document set owner_id = '{world.acme.people['owner'].user_id}', visibility = 'organization',"
         " base_visibility = 'organization'", f"update app.document set owner_id = '{member}' where id in ('{ids['private_document']}', '{world.globex.ids['document']}')",
         world.belongs_too(world.acme.people["member"], "customer"))
    become(both, world.acme.people["member"], **second_factor())
    assert both.one("select count(*) from app.document where id = %s and owner_id = %s", world.globex.ids["document"], member) == 1
    for document, told in ((ids["private_document"], False), (ids["document"], None), (ids["unbound_document"], None), (world.globex.ids["document"], None)):
        assert grants(both, world, "document", document) is told
    made(both, "update app.document set owner_id = gen_random_uuid()", f"update app.document set visibility = 'private' where id = '{ids['private_document']}'",
         f"insert into app.kb_grant (org_id, knowledge_base_id, user_id, level, created_by) values ('{world.acme.id}', '{ids['knowledge_base']}', '{member}', 'owner', '{member}')")
    for document, told in ((ids["document"], False), (ids["private_document"], None), (ids["unbound_document"], None)):
        assert grants(both, world, "document", document) is told


def test_teams_are_those_of_this_organization_of_an_active_member_F87(world: World, both: Request) -> None:
    customer, org, known = world.acme.people["customer"].user_id, world.acme.id, "select team_ids, teams_known from authz.explained_member(%s, %s)"
    made(both, f"insert into app.team_member (org_id, team_id, user_id) select '{world.globex.id}', id, '{customer}' from app.team where org_id = '{world.globex.id}'")
    ours = [t for (t,) in both.all("select team_id from app.team_member where user_id = %s and org_id = %s", customer, org)]
    ((teams, complete),) = both.all(known, org, customer)
    assert ours and (sorted(teams), complete) == (sorted(ours), True)
    # Who sees the membership of a colleague but not every team does not know that there is no other.
    for who, whole in (("auditor", True), ("member", False), ("customer", True)):
        become(both, world.acme.people[who], **second_factor())
        assert both.one("select teams_known from authz.explained_member(%s, %s)", org, customer) is whole, who
    made(both, f"update app.membership set status = 'suspended' where user_id = '{customer}' and org_id = '{org}'")
    become(both, world.acme.people["owner"], **second_factor())
    assert both.all(known, org, customer) == [([], True)]


@pytest.mark.parametrize("where", ["acme", "globex"])
def test_a_service_account_may_what_the_role_of_its_owner_may_in_this_organization_F03(world: World, both: Request, where: str) -> None:
    """A role of the same id in the other organization gives nothing."""
    role, agent, org = uuid4(), world.acme.people["agent"].user_id, getattr(world, where).id
    made(both, "insert into app.role select (jsonb_populate_record(r, jsonb_build_object('id', '{role}', 'name', 'planted'))).* from app.role r"
         .replace("{role}", str(role)) + f" where org_id = '{org}' and name = 'owner'",
         "update app.membership m set role_id = a.role_id, permissions = a.permissions, service_owner_id = a.user_id, service_owner_status = 'active',"
         f" service_owner_role_id = '{role}' from app.membership a where m.user_id = '{agent}' and m.org_id = a.org_id and a.org_id = '{world.acme.id}'"
         f" and a.user_id = '{world.acme.people['admin'].user_id}'")
    assert both.one("select org_id from app.role where id = %s", role) == org, "it is seen"
    holds: Clauses = said(both, f"authz.explained_document('{world.acme.id}', '{agent}', '{world.acme.ids['document']}', 'read')")
    assert holds["document_select_reader", "holds documents.read"] is (where == "acme")
