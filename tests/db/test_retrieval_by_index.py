"""Retrieval in a large organization: by indexes, under the same policies, with the results that comparing every passage gives (F25 to F29, R104)."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.bench.dataset import Meaning, as_text
from tests.db.matrix import become, personas
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Request
from tests.db.test_retrieval import BY_INDEX, chunk_scans
from tests.db.world import World, embedding

OWN, FOREIGN = 1200, 1200
DOCUMENTS = "(select array_agg(row(d.id, d.title, d.uri, d.trust)::authz.search_document) from app.document d where d.state = 'ready')"
WORDS = ("delivery", "licence", "battery", "window", "garden", "kettle", "ladder", "marble", "needle", "orchid")


def plant(db: Request, world: World, organization: str, vectors: list[str], seed: int, visibility: str = "organization") -> None:
    """As the superuser: a ready document of the owner's with these passages."""
    made = getattr(world, organization)
    picks = random.Random(seed)
    owner, base = made.people["owner"].user_id, made.ids["knowledge_base"]
    document = db.one(
        "insert into app.document (org_id, knowledge_base_id, title, uri, sha256, owner_id, state, visibility, passages)"
        " values (%s, %s, 'Planted', %s, repeat('4', 64), %s, 'ready', %s, %s) returning id",
        made.id, base, f"test:planted-{seed}", owner, visibility, len(vectors))
    texts = [" ".join(picks.choices(WORDS, k=6)) for _ in vectors]
    db.run("insert into app.chunk (org_id, document_id, knowledge_base_id, visibility, owner_id, position, content, start_char, end_char, embedding)"
           " select %s, %s, %s, %s, %s, n, text, 0, 1, vector::extensions.vector from unnest(%s::text[], %s::text[]) with ordinality u (text, vector, n)",
           made.id, document, base, visibility, owner, "{" + ",".join(f'"{t}"' for t in texts) + "}", "{" + ",".join(f'"{v}"' for v in vectors) + "}")


@pytest.fixture(scope="module")
def large(cluster: Any, described: bytes) -> Iterator[World]:
    """A world of its own in which both organizations have some more passages, in clusters, some of acme's private to its owner."""
    from tests.db.conftest import _copy

    for world in _copy(cluster, described):
        _, vectors = Meaning(topics=60).around(OWN + 100 + FOREIGN, seed=1)
        texts = as_text(vectors)
        with world.operator(keep=True) as db:
            plant(db, world, "acme", texts[:OWN], 1)
            plant(db, world, "acme", texts[OWN:OWN + 100], 2, "private")
            plant(db, world, "globex", texts[OWN + 100:], 3)
            db.run("analyze app.chunk")
            db.run("analyze app.document")
        yield world


@contextmanager
def searching(world: World, *changes: str) -> Iterator[Request]:
    with world.operator() as db:
        for change in changes:
            db.run(change)
        yield db


def found(db: Request, world: World, query: str, vector: str | None) -> list[dict[str, Any]]:
    more = {} if vector is None else {"query_embedding": vector}
    return list(db.rpc("search_documents", org_id=world.acme.id, query=query, max_rows=50, **more))


def questions(count: int) -> list[str]:
    return as_text(Meaning(topics=60).around(count, seed=9)[1])


def test_the_index_finds_what_comparing_finds_F29(large: World) -> None:
    recalled, asked = 0, questions(20)
    with searching(large) as exact, searching(large, BY_INDEX) as indexed:
        for db in (exact, indexed):
            become(db, large.acme.people["customer"])
        for vector in asked:
            # No word of it stands in a text: the order is that of the vectors alone.
            one, other = ([r["chunk_id"] for r in found(db, large, "zzz", vector)] for db in (exact, indexed))
            assert len(one) == len(other) == 50
            recalled += len(set(one[:10]) & set(other[:10]))
    assert recalled / (10 * len(asked)) >= 0.95


def test_the_two_ways_give_the_same_passages_by_words_F25(large: World) -> None:
    with searching(large) as exact, searching(large, BY_INDEX) as indexed:
        for who in ("customer", "owner"):
            answers = []
            for db in (exact, indexed):
                become(db, large.acme.people[who])
                answers.append([(r["chunk_id"], r["score"], r["content"]) for q in ("kettle", "marble orchid", "garden window needle")
                                for r in found(db, large, q, None)])
            assert answers[0] == answers[1] and len(answers[0]) == 150


def test_indexes_serve_the_search_of_a_large_organization_F27(large: World) -> None:
    with searching(large, BY_INDEX) as db:
        become(db, large.acme.people["customer"])
        scans = chunk_scans(db, large)
        by = "\n".join(scans)
    assert "using chunk_embedding_idx" in by
    assert "org_id = " in by and "terms @@ " in by and "Recheck Cond" in by
    assert "Seq Scan" not in by


def test_passages_are_read_by_their_document_whatever_the_planner_knows_F27(large: World) -> None:
    """Under the policies other indexes cost the same by its estimate; by those all passages of the organization would be read for one document's."""
    few_each = "select pg_restore_attribute_stats('schemaname', 'app', 'relname', 'chunk', 'attname', 'org_id', 'inherited', false, 'n_distinct', 2000::real)"
    with searching(large, "select pg_clear_attribute_stats('app', 'chunk', 'org_id', false)", few_each) as db:
        become(db, large.acme.people["customer"])
        [scan] = chunk_scans(db, large)
    conditions = next(line for line in scan.splitlines() if "Index Cond" in line)
    assert "using chunk_org_id_document_id_position_key" in scan and "document_id = ANY" in conditions, scan


def test_a_search_narrowed_to_few_passages_compares_each_in_a_large_organization_F29(large: World) -> None:
    """What counts is how many passages there are to look at, not how many the organization has."""
    limit = "create or replace function authz.exact_search_limit() returns integer language sql immutable parallel safe" \
            " set search_path = pg_catalog, pg_temp return 1000"
    tag = "update app.document set tags = '{few}' where org_id = '{}' and title not like 'Planted%%'".replace("{}", str(large.acme.id))
    with searching(large, limit, tag) as db:
        become(db, large.acme.people["customer"])
        wide = chunk_scans(db, large)
        narrow = db.rpc("search_documents", org_id=large.acme.id, query="zzz", max_rows=50, tags=["few"], query_embedding=questions(1)[0])
        assert any("chunk_embedding_idx" in s for s in wide)
        readable = {i for (i,) in db.all("select c.id from app.chunk c join app.document d on d.org_id = c.org_id and d.id = c.document_id"
                                         " where c.org_id = %s and 'few' = any (d.tags)", large.acme.id)}
    assert {r["chunk_id"] for r in narrow} == readable and 0 < len(readable) < 50


@pytest.mark.parametrize("give_up", ["20000", "1"])
def test_what_others_have_changes_no_number_of_results_F29(large: World, give_up: str) -> None:
    """Fifty times as many nearer passages of another organization, and an index that gives up at once: 50 rows as before."""
    [vector] = questions(1)
    near = as_text(Meaning(topics=60).around(1, seed=9)[1])[0]
    with searching(large, BY_INDEX) as db:
        definition = db.one("select pg_get_functiondef('authz.nearest_chunks'::regproc)")
        assert "'20000'" in definition
        db.run(REPLICA)
        plant(db, large, "globex", [near] * 2500, 4)
        db.run(ORIGIN)
        become(db, large.acme.people["customer"])
        expected = db.all("select id from app.chunk order by (embedding operator(extensions.<=>) %s::extensions.vector) + 0, id limit 50", vector)
        db.run("reset role")
        db.run(definition.replace("'20000'", f"'{give_up}'").replace("%", "%%"))
        become(db, large.acme.people["customer"])
        got = [r["chunk_id"] for r in found(db, large, "zzz", vector)]
        assert db.one("select count(*) from app.chunk") < 2500
    assert len(got) == 50
    exact = [i for (i,) in expected]
    assert got == exact if give_up == "1" else len(set(got) & set(exact)) >= 45


def test_equal_passages_come_in_the_order_of_their_ids_by_index_too_F25(large: World) -> None:
    twin = json.dumps(embedding(383))
    with searching(large, BY_INDEX) as db:
        plant(db, large, "acme", [twin] * 80, 5)
        become(db, large.acme.people["customer"])
        ids = [i for (i,) in db.all("select id from app.chunk where embedding operator(extensions.<=>) %s::extensions.vector < 0.001 order by id", twin)]
        got = [r["chunk_id"] for r in found(db, large, "zzz", twin)]
        again = [r["chunk_id"] for r in found(db, large, "zzz", twin)]
    assert len(ids) == 80
    assert got == again == ids[:50]


def test_the_search_by_words_sees_exactly_what_the_person_reads_F26(large: World) -> None:
    """The definer's policy is written beside the readers' own: for every persona both give the same passages."""
    seen = {}
    for name, persona in personas(large).items():
        if persona.role != "authenticated":
            continue
        with large.operator() as db:
            become(db, persona.person, **persona.claims)
            for organization in (large.acme, large.globex):
                for word in ("garden", "delivery", organization.canary):
                    own = {i for (i,) in db.all(
                        "select c.id from app.chunk c join app.document d on d.org_id = c.org_id and d.id = c.document_id"
                        " where c.org_id = %s and c.terms @@ %s::tsquery and d.state = 'ready'", organization.id, word[:6] if word == "delivery" else word)}
                    db.run("select set_config('ringfence.search_org_id', %s, true), set_config('ringfence.search_terms', %s, true)",
                           str(organization.id), word[:6] if word == "delivery" else word)
                    wide = definer_sees(db)
                    assert wide == own, (name, organization.slug, word)
                    seen[name, organization.slug, word] = len(own)
    assert seen["owner", "acme", "garden"] > seen["customer", "acme", "garden"] > 100  # private passages are the owner's
    assert seen["nobody", "acme", "garden"] == seen["auditor", "acme", "garden"] == seen["owner", "globex", "garden"] == 0
    assert seen["member of both", "globex", "garden"] > 100 and seen["member of both, narrowed to globex", "acme", "garden"] == 0


def definer_sees(db: Request) -> set[Any]:
    """All that authz.matching_chunks() ranks, not only its 50 best: the same query without the limit, as its owner."""
    body = db.one("select prosrc from pg_proc where oid = 'authz.matching_chunks'::regproc")
    assert "limit 50" in body
    with db.connection.transaction(force_rollback=True):
        db.run("reset role")
        db.run(db.one("select pg_get_functiondef('authz.matching_chunks'::regproc)").replace("limit 50", "limit 100000").replace("%", "%%"))
        db.run("set local role authenticated")
        return {i for (i,) in db.all(f"select id from authz.matching_chunks(null, {DOCUMENTS})")}


@pytest.mark.parametrize("setting", ["", "garden", "not a uuid", "' | drop"])
def test_a_search_setting_that_makes_no_sense_finds_nothing(large: World, setting: str) -> None:
    with large.as_(large.acme.people["owner"]) as db:
        for organization, terms in ((setting, "garden"), (str(large.acme.id), setting if setting != "garden" else "")):
            db.run("select set_config('ringfence.search_org_id', %s, true), set_config('ringfence.search_terms', %s, true)", organization, terms)
            assert db.all(f"select * from authz.matching_chunks(null, {DOCUMENTS})") == []
        db.run("select set_config('ringfence.search_org_id', %s, true), set_config('ringfence.search_terms', 'garden', true)", str(large.acme.id))
        assert len(db.all(f"select * from authz.matching_chunks(null, {DOCUMENTS})")) == 50
        assert db.all("select * from authz.matching_chunks(null, null)") == []
