"""A search narrowed to knowledge bases, tags and times, by comparing and by index alike; a filter never shows more (F25, F26)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.db.matrix import become
from tests.db.session import Request
from tests.db.test_retrieval import BY_INDEX, search
from tests.db.world import World, embedding

WAYS = pytest.mark.parametrize("changes", [[], [BY_INDEX]], ids=["compared", "by index"])
# Name: knowledge base, tags, when changed (null: unknown), whether private to the owner.
DOCUMENTS = {
    "old": ("knowledge_base", "{tariff,old}", "2020-05-01 12:00+00", False),
    "new": ("knowledge_base", "{tariff}", "2026-05-01 12:00+00", False),
    "elsewhere": ("other_base", "{tariff}", "2026-05-01 12:00+00", False),
    "untagged": ("knowledge_base", "{}", None, False),
    "private": ("knowledge_base", "{tariff}", "2026-05-01 12:00+00", True),
}


@contextmanager
def shelf(world: World, *changes: str) -> Iterator[Request]:
    """The documents above, each of one passage about quokkas, in a transaction that is undone."""
    with world.operator() as db:
        for change in changes:
            db.run(change)
        owner = world.acme.people["owner"].user_id
        for name, (base, tags, changed, private) in DOCUMENTS.items():
            visibility = "private" if private else "organization"
            document = db.one(
                "insert into app.document (org_id, knowledge_base_id, title, uri, sha256, owner_id, state, visibility, tags, modified_at, created_at)"
                " values (%s, %s, %s, 'test:' || %s, repeat('5', 64), %s, 'ready', %s, %s, %s, '2023-01-01 00:00+00') returning id",
                world.acme.id, world.acme.ids[base], name, name, owner, visibility, tags, changed)
            db.run("insert into app.chunk (org_id, document_id, knowledge_base_id, visibility, owner_id, position, content, start_char, end_char, heading, embedding)"
                   " select org_id, id, knowledge_base_id, visibility, owner_id, 0, 'the quokka', 0, 1, 'Animals', %s::extensions.vector from app.document where id = %s",
                   json.dumps(embedding(300)), document)
        become(db, world.acme.people["customer"])
        yield db


def names(db: Request, world: World, **wanted: Any) -> set[str]:
    """The titles found by words and, the same, by meaning."""
    by_words = {r["title"] for r in search(db, world, "quokka", None, **wanted)}
    by_meaning = {r["title"] for r in search(db, world, "zzz", embedding(300), **wanted) if r["content"] == "the quokka"}
    assert by_words == by_meaning
    return by_words


@WAYS
def test_filters_narrow_a_search_F25(world: World, changes: list[str]) -> None:
    ids = world.acme.ids
    with shelf(world, *changes) as db:
        assert names(db, world) == {"old", "new", "elsewhere", "untagged"}
        assert names(db, world, knowledge_bases=f"{{{ids['knowledge_base']}}}") == {"old", "new", "untagged"}
        assert names(db, world, knowledge_bases=f"{{{ids['other_base']}}}") == {"elsewhere"}
        assert names(db, world, knowledge_bases=f"{{{ids['other_base']},{ids['knowledge_base']}}}") == {"old", "new", "elsewhere", "untagged"}
        assert names(db, world, knowledge_bases=f"{{{world.globex.ids['knowledge_base']}}}") == set()
        assert names(db, world, tags="{tariff}") == {"old", "new", "elsewhere"}
        assert names(db, world, tags="{old,nothing}") == {"old"}
        assert names(db, world, tags="{nothing}") == set()
        assert names(db, world, since="2026-05-01 12:00+00") == {"new", "elsewhere"}
        assert names(db, world, until="2026-05-01 12:00+00") == {"old", "untagged"}  # of unknown age: as old as its upload
        assert names(db, world, since="2022-01-01", until="2024-01-01") == {"untagged"}
        assert names(db, world, tags="{tariff}", since="2026-01-01", knowledge_bases=f"{{{ids['knowledge_base']}}}") == {"new"}
        assert {r["heading"] for r in search(db, world, "quokka")} == {"Animals"}


@WAYS
def test_a_passage_says_how_far_its_document_is_trusted_F31(world: World, changes: list[str]) -> None:
    with shelf(world, *changes) as db:
        db.run("reset role")
        assert db.run("update app.document set trust = 'trusted' where title = 'old'") == 1
        become(db, world.acme.people["customer"])
        expected = {name: "trusted" if name == "old" else "untrusted" for name in ("old", "new", "elsewhere", "untagged")}
        for query, direction in (("quokka", None), ("zzz", embedding(300))):
            assert {r["title"]: r["trust"] for r in search(db, world, query, direction) if r["content"] == "the quokka"} == expected
        run = db.rpc("start_run", bot="acme/helpdesk", question="?")["run_id"]
        rows = db.rpc("call_tool", run_id=run, tool="search_documents", arguments={"query": "quokka"})["rows"]
        assert {r["title"]: r["trust"] for r in rows} == {n: t for n, t in expected.items() if n != "elsewhere"}  # not bound to the bot


@WAYS
def test_a_filter_shows_nothing_that_is_not_shown_without_it_F26(world: World, changes: list[str]) -> None:
    ids = world.acme.ids
    everything: dict[str, Any] = {"knowledge_bases": f"{{{ids['knowledge_base']},{ids['other_base']}}}", "tags": "{tariff,old}", "since": "2000-01-01"}
    for who, expected in (("owner", {"old", "new", "elsewhere", "private"}), ("customer", {"old", "new", "elsewhere"}), ("auditor", set())):
        with shelf(world, *changes) as db:
            become(db, world.acme.people[who])
            assert names(db, world, **everything) == expected


@WAYS
def test_inside_a_run_filters_narrow_what_the_bot_is_bound_to_F13(world: World, changes: list[str]) -> None:
    ids = world.acme.ids
    with shelf(world, *changes) as db:
        run = db.rpc("start_run", bot="acme/helpdesk", question="?")["run_id"]
        assert names(db, world, run_id=run) == {"old", "new", "untagged"}
        assert names(db, world, run_id=run, knowledge_bases=f"{{{ids['other_base']},{ids['knowledge_base']}}}") == {"old", "new", "untagged"}
        assert names(db, world, run_id=run, knowledge_bases=f"{{{ids['other_base']}}}") == set()

        def tool(**more: Any) -> dict[str, Any]:
            return dict(db.rpc("call_tool", run_id=run, tool="search_documents", arguments={"query": "quokka"} | more))

        assert {r["title"] for r in tool()["rows"]} == {"old", "new", "untagged"}
        assert {r["title"] for r in tool(tags=["old", "x"], until="2021-01-01")["rows"]} == {"old"}
        assert {r["title"] for r in tool(since="2026-01-01T00:00:00Z")["rows"]} == {"new"}
        assert tool(tags="old")["outcome"] == tool(tags=[])["outcome"] == tool(since="never")["outcome"] == "invalid"
        # Which knowledge bases is not the model's to say.
        assert tool(knowledge_bases=[str(ids["knowledge_base"])])["outcome"] == "invalid"


@pytest.mark.parametrize(("name", "value"), [
    ("tags", "{}"), ("tags", "{''}"), ("tags", "{" + "x" * 101 + "}"), ("tags", "{" + ",".join("x" * 21) + "}"), ("tags", "{null}"),
    ("knowledge_bases", "{}"), ("knowledge_bases", "{null}")])
def test_a_filter_out_of_bounds_is_refused(world: World, name: str, value: str) -> None:
    with world.as_(world.acme.people["customer"]) as db:
        error = db.rpc_error("search_documents", org_id=world.acme.id, query="x", **{name: value.replace("''", '""')})
        assert (error.sqlstate, str(error).startswith(name)) == ("22023", True)
