"""The corpus keeps `ringfence rls test` honest: what is broken is named, what is correct is not.

An entry counts as named when a finding is about one of its culprits and, where the entry says which, has a fitting id. One that the
engine does not find says why in its head (`-- Not found:`), and fails the test on the day it is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rls import engine
from tests.rls.corpus.batches import Batch, batches
from tests.rls.corpus.copies import Copies
from tests.rls.corpus.entries import entries, read, schemas
from tests.rls.corpus.score import about, judge
from tests.rls.finding import Finding

ENTRIES = entries()


@pytest.fixture(scope="module")
def copies() -> Iterator[Copies]:
    made = Copies()
    yield made
    made.close()


@pytest.mark.parametrize("batch", batches(ENTRIES), ids=str)
def test_every_broken_schema_is_reported_by_a_finding_about_its_culprit_F80(copies: Copies, batch: Batch) -> None:
    findings = judge(copies, batch).findings
    said = "\n".join(f"{one.id} {one.object} {one.command}" for one in findings)
    unnamed = {entry.id for entry in batch.entries if not about(entry, findings)}
    known = {entry.id for entry in batch.entries if entry.not_found}
    assert unnamed - known == set(), f"nothing about the culprits, only:\n{said}"
    assert known - unnamed == set(), "found after all: take the line `-- Not found:` away"
    assert all(one.finding and one.evidence and one.reproduce for one in findings)


@pytest.mark.parametrize("seeded", [True, False], ids=["seeded", "empty"])
@pytest.mark.parametrize("schema", schemas())
def test_nothing_is_reported_on_a_correct_schema_F80(copies: Copies, schema: str, seeded: bool) -> None:
    with copies.correct(schema, seeded=seeded) as database:
        result = engine.run(copies.url(database))
    assert [(one.id, one.object, one.finding) for one in result.findings] == []
    assert [(one.object, one.command, one.reason) for one in result.not_covered] == []


def test_the_engine_leaves_a_database_as_it_was(copies: Copies) -> None:
    with copies.correct("shop") as database, copies.connect(database, "postgres", autocommit=True) as connection:
        tables = [name for (name,) in connection.execute(
            "select c.oid::regclass::text from pg_class c where relnamespace::regnamespace::text in ('public', 'internal', 'storage')"
            " and relkind = 'r' order by 1")]

        def rows() -> list[object]:
            return [connection.execute(f"select * from {table} as t order by t::text").fetchall() for table in tables]  # type: ignore[call-overload]

        before = rows()
        engine.run(copies.url(database))
        assert rows() == before
        assert any(before)


def test_a_corpus_file_without_an_exploit_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "broken.sql"
    file.write_text("-- Class:    x\n-- Culprit:  y\n-- Command:  select\n\nselect 1;\n")
    with pytest.raises(ValueError, match="no exploit"):
        read(file)


def test_an_entry_is_not_named_by_a_finding_about_something_else() -> None:
    entry = next(one for one in ENTRIES if one.name == "using_true")
    other = Finding("select-using-true", "public.tickets", "select", "member", "x", "x", "x")
    assert about(entry, [other]) == []
    assert about(entry, [replace(other, object="public.documents")])


def test_breaks_of_one_batch_name_different_culprits() -> None:
    for batch in batches(ENTRIES):
        culprits = [culprit for entry in batch.entries for culprit in entry.culprits]
        assert len(batch.entries) == 1 or len(set(culprits)) == len(culprits), str(batch)


def test_the_corpus_covers_the_classes_that_were_asked_for() -> None:
    assert len(ENTRIES) >= 104
    assert len(schemas()) >= 7
    assert {"rls-state", "read-policy", "write-policy", "grants", "views", "functions", "side-channel", "storage", "agent", "realtime", "auth",
            "config"} == {entry.category for entry in ENTRIES}
