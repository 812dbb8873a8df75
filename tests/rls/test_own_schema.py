"""What `ringfence rls test` says about our own database: nothing."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Database
from tests.rls import config, engine


def test_nothing_leaks_from_our_own_schema_and_all_of_it_was_tried_F80(database: Database) -> None:
    result = engine.run(database.url(), config.load(Path(__file__).parent / "ringfence.toml"))
    assert [(f.id, f.object, f.finding) for f in result.findings] == []
    assert (result.not_covered, result.needless) == ([], ())
    assert result.checked["function calls"] > 1000 and result.checked["select cells"] > 300
