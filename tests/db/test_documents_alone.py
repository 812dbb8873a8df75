"""What is done with documents and their passages is done with those meant, also where no policy says so (F15, F17, F25)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.registry.recipe import embedding
from tests.db.session import Request
from tests.db.world import World



@pytest.fixture
def opened(world: World) -> Iterator[Request]:
    """A session of the superuser in which the policies of the definers' owner say nothing of documents, passages and rules."""
    with planted(world, *(f"create policy opened on app.{t} for all to ringfence_owner using (true) with check (true)" for t in ("document", "chunk", "deny_rule"))) as db:
        yield db


def plant(db: Request, *statements: str) -> None:
    db.run("select set_config('role', 'none', true)")
    for statement in (REPLICA, *statements, ORIGIN):
        db.run(statement)


LEFT = "owner_left_at = now(), visibility = 'private', state = 'ready'"
KEPT = {"left": (LEFT, True), "not left": (f"{LEFT}, owner_left_at = null", False), "left, and read by all": (f"{LEFT}, visibility = 'organization'", False),
        "left while it was loaded": (f"{LEFT}, state = 'loading'", False), "left elsewhere": (f"{LEFT}, org_id = '{{globex}}'", False)}


@pytest.mark.parametrize("what", KEPT)
def test_what_may_be_taken_over_is_a_private_document_left_in_this_organization_F17(world: World, opened: Request, what: str) -> None:
    changes, listed = KEPT[what]
    document = world.acme.ids["unbound_document"]
    # A column is set once.
    sets = dict(c.split(" = ", 1) for c in changes.format(globex=world.globex.id).split(", "))
    plant(opened, f"update app.document set {', '.join(f'{k} = {v}' for k, v in sets.items())} where id = '{document}'")
    become(opened, world.acme.people["owner"])
    assert (document in {d for (d,) in opened.all("select id from authz.left_documents(%s)", world.acme.id)}) is listed


def test_what_others_are_loading_is_not_what_is_loaded_nor_ones_own_F15(world: World, opened: Request) -> None:
    ids, people = world.acme.ids, world.acme.people
    plant(opened, f"update app.document set owner_id = '{people['admin'].user_id}' where id = '{ids['unbound_document']}'")
    for who, loads in (("owner", set()), ("admin", {ids["loading_document"]})):
        become(opened, people[who])
        found = {d for (d,) in opened.all("select * from authz.loading_elsewhere()")}
        assert found & {ids["loading_document"], ids["unbound_document"], ids["document"]} == loads, who


def test_a_new_version_inherits_the_rules_of_its_document_in_its_organization_but_those_against_its_loader_F15(world: World, opened: Request) -> None:
    org, people, ids = world.acme.id, world.acme.people, world.acme.ids
    on = "insert into app.deny_rule (org_id, {column}, document_id, reason, created_by) values ('{org}', '{value}', '" + str(ids["document"]) + f"', 'Probe', '{people['admin'].user_id}')"
    plant(opened, "alter table app.deny_rule disable trigger user", "delete from app.deny_rule",
          f"insert into app.team_member (org_id, team_id, user_id) values ('{org}', '{ids['team']}', '{people['owner'].user_id}') on conflict do nothing",
          f"delete from app.team_member where team_id = '{ids['drafters_team']}' and user_id = '{people['owner'].user_id}'",
          on.format(org=org, column="team_id", value=ids["team"]), on.format(org=org, column="team_id", value=ids["drafters_team"]),
          on.format(org=org, column="user_id", value=people["agent"].user_id), on.format(org=world.globex.id, column="user_id", value=people["customer"].user_id))
    become(opened, people["owner"])
    opened.run("select authz.inherit_rules(%s, %s, %s)", org, ids["document"], ids["loading_document"])
    plant(opened)
    assert set(opened.all("select org_id, team_id, user_id from app.deny_rule where document_id = %s", ids["loading_document"])) == {
        (org, ids["drafters_team"], None), (org, None, people["agent"].user_id)}


def passages(world: World, organization: UUID, document: UUID, count: int) -> str:
    """A statement that adds passages nearer to the question than any other, and that match it better."""
    return ("insert into app.chunk (org_id, document_id, knowledge_base_id, visibility, owner_id, position, content, start_char, end_char, embedding)"
            f" select '{organization}', '{document}', knowledge_base_id, 'organization', owner_id, 1000 + n, 'zebra zebra zebra zebra', 0, 9, '{embedding(200)}'"
            f" from app.chunk, generate_series(1, {count}) n where id = '{world.acme.ids['chunk']}'")


@pytest.mark.parametrize("where", ["of another document", "of a document of the same id elsewhere"])
@pytest.mark.parametrize("by", ["meaning", "words"])
def test_the_passages_that_are_ranked_are_those_of_the_documents_asked_F25(world: World, opened: Request, by: str, where: str) -> None:
    """Fifty others that fit better take none of their places."""
    ids, elsewhere = world.acme.ids, where.endswith("elsewhere")
    document = opened.one("select document_id from app.chunk where org_id = %s and id = %s", world.acme.id, ids["chunk"])
    # Without the index by meaning, which forgets nothing that is rolled back and finds nearly all, every passage is compared.
    plant(opened, "drop index app.chunk_embedding_idx", f"update app.chunk set content = 'A zebra among other things that are said at some length here.' where org_id = '{world.acme.id}' and document_id = '{document}'",
          passages(world, world.globex.id if elsewhere else world.acme.id, document if elsewhere else ids["private_document"], 60))
    mine = {c for (c,) in opened.all("select id from app.chunk where org_id = %s and document_id = %s", world.acme.id, document)}
    ask: dict[str, tuple[str, list[Any]]] = {
        "meaning": ("authz.nearest_chunks(%s, %s::text::extensions.vector, array[row(%s::uuid, 't', 'u', 'trusted')::authz.search_document])",
                    [world.acme.id, str(embedding(200)), document]),
        "words": ("authz.matching_chunks(%s::text::extensions.vector, array[row(%s::uuid, 't', 'u', 'trusted')::authz.search_document])", [str(embedding(200)), document])}
    become(opened, world.acme.people["owner"], role="none")
    opened.run("select set_config('ringfence.search_terms', 'zebra', true)")
    if by == "words" and elsewhere:
        # The function is not told of an organization: its one policy is, which stands here.
        opened.run("drop policy opened on app.chunk")
        opened.run("select set_config('ringfence.search_org_id', %s, true)", str(world.acme.id))
    query, arguments = ask[by]
    assert {c for (c,) in opened.all(f"select id from {query}", *arguments)} == mine
