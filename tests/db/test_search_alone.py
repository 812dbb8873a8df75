"""Which passages a search looks at, and that each is found once, whichever way it looks (F26, F27, F29)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.session import Request
from tests.db.world import World, add_document, embedding

_MANY = "update app.document set passages = 10001 where org_id = '{org}' and id = '{document}'"
"""A search goes by indexes where there are more passages than it compares."""


def found(db: Request, org: Any) -> Counter[tuple[Any, str]]:
    """How often each passage is among the candidates, and under which title: by meaning alone, no word of the question stands in a text."""
    return Counter(db.all("select id, title from authz.search_candidates(%s, to_tsquery('zzz'), %s::text::extensions.vector, row(null, null, null, null)::authz.search_filter)",
                          org, str(embedding(1))))


def readable(db: Request, org: Any) -> set[Any]:
    return {i for (i,) in db.all("select c.id from app.chunk c join app.document d on d.org_id = c.org_id and d.id = c.document_id where c.org_id = %s and d.state = 'ready'", org)}


@pytest.mark.parametrize("by_index", [False, True])
@pytest.mark.parametrize("passages", [10, 60])
def test_each_of_the_nearest_fifty_is_found_once_F29(world: World, passages: int, by_index: bool) -> None:
    """Also where the nearest are fewer than are wanted, and where they are all of them: asked without HNSW, whose number depends on what was rolled back before."""
    with planted(world, "drop index app.chunk_embedding_idx") as db:
        become(db, world.acme.people["owner"])
        document = add_document(db, world.acme, "knowledge_base", "planted", passages)
        db.run("select set_config('role', 'none', true)")
        if by_index:
            db.run(REPLICA)
            db.run(_MANY.format(org=world.acme.id, document=document))
        become(db, world.acme.people["customer"])
        candidates, seen = found(db, world.acme.id), readable(db, world.acme.id)
    assert len(candidates) == min(50, len(seen)) and {i for i, _ in candidates} <= seen
    assert set(candidates.values()) == {1}


def test_a_document_of_another_organization_names_no_passage_of_this_one_F27(world: World) -> None:
    """Whoever is in both reads both; a document of globex has the id of one of acme."""
    acme, globex, document = world.acme, world.globex, world.acme.ids["document"]
    twin = (f"insert into app.document select (jsonb_populate_record(d, '{{\"org_id\": \"{globex.id}\", \"title\": \"Twin\", \"knowledge_base_id\": \"{globex.ids['knowledge_base']}\"}}')).*"
            f" from app.document d where org_id = '{acme.id}' and id = '{document}'")
    with planted(world) as db:
        become(db, world.both)
        before = found(db, acme.id)
        db.run("select set_config('role', 'none', true)")
        db.run(REPLICA)
        db.run(twin)
        become(db, world.both)
        assert db.all("select title from app.document where id = %s and org_id = %s", document, globex.id) == [("Twin",)]
        assert before and found(db, acme.id) == before
