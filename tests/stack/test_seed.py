"""What a new stack starts with: the people and organizations of DESIGN.md 10, and real documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from agent.cli import corpus
from agent.chunking import chunk
from edge_proxy.local import tools

EXPECTED = {
    "owner@acme.test": {"acme": "owner"},
    "member@acme.test": {"acme": "member"},
    "auditor@acme.test": {"acme": "auditor"},
    "both@example.test": {"acme": "builder", "globex": "member"},
    "removed@acme.test": {},
    "owner@globex.test": {"globex": "owner"},
    "member@globex.test": {"globex": "member"},
    "nobody@example.test": {},
}


def test_the_people_and_their_organizations_are_those_of_the_design(stack: dict[str, Any]) -> None:
    people = {user["email"]: {org["slug"]: org["role"] for org in user["orgs"]} for user in stack["users"]}
    assert people == EXPECTED
    assert all(set(user) == {"email", "password", "user_id", "orgs"} for user in stack["users"])
    assert all(set(org) == {"id", "slug", "role"} for user in stack["users"] for org in user["orgs"])
    passwords = [user["password"] for user in stack["users"]]
    assert len(set(passwords)) == len(passwords) and min(map(len, passwords)) >= 16


def test_the_database_knows_the_same_and_that_one_was_removed(stack: dict[str, Any]) -> None:
    with psycopg.connect(stack["database_url"]) as connection:
        chunks = dict(connection.execute(
            "select o.slug, count(*) from app.chunk c join app.organization o on o.id = c.org_id group by o.slug").fetchall())
        removed = connection.execute(
            "select count(*) from app.audit_event added join app.audit_event gone using (object_id)"
            " where added.action = 'membership.insert' and gone.action = 'membership.delete'").fetchone()
    # Other tests make organizations of their own in the shared stack.
    seeded = [chunks[slug] for slug in ("acme", "globex")]
    assert sum(seeded) >= 300 and min(seeded) >= 100
    assert removed is not None and removed[0] >= 1, "added, then removed; other tests do so too"


def test_the_documents_are_what_is_installed_word_for_word_in_passages() -> None:
    readmes = corpus.up_to(corpus.readmes(tools.MODULES), 60, 20)
    licences = corpus.up_to(corpus.licences(), 60, 22)
    assert {text.uri for text in readmes}.isdisjoint(text.uri for text in licences)
    assert len({text.uri for text in [*readmes, *licences]}) == len(readmes) + len(licences)
    assert all(sum(len(chunk(text.text)) for text in texts) >= 60 for texts in (readmes, licences))
    assert any("MIT License" in text.text for text in licences)
    assert any("pip install" in text.text for text in readmes)


def test_a_licence_wording_is_taken_once(monkeypatch: Any, tmp_path: Path) -> None:
    words = "Permission is hereby granted to use this in any way. " * 10
    for name, line in (("one", "Copyright A"), ("two", "Copyright B"), ("three", "Other words. ")):
        folder = tmp_path / f"{name}-1.dist-info"
        (folder / "licenses").mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (folder / "licenses" / "LICENSE").write_text(f"{line}\n{words}")
        (folder / "RECORD").write_text(f"{name}-1.dist-info/licenses/LICENSE,,\n")
    found = [corpus.metadata.PathDistribution(folder) for folder in sorted(tmp_path.iterdir())]
    monkeypatch.setattr(corpus.metadata, "distributions", lambda: found)
    assert [text.title for text in corpus.licences()] == ["one 1: LICENSE", "three 1: LICENSE"]
