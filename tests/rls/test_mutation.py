"""Every mutant of the protection is killed by a test (R49). Divided into parts, so that the workers of a run share them."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.db.conftest import TEMPLATE, described  # noqa: F401  (a fixture)
from tests.rls.mutate.cells import collect
from tests.rls.mutate.engine import Engine
from tests.rls.mutate.generate import generate
from tests.rls.mutate.mutant import Mutant
from tests.rls.mutate.place import Place
from tests.rls.mutate.score import Score
from tests.rls.mutate.together import divided


PARTS = 24
_Bench = tuple[Engine, list[tuple[str, list[Mutant]]], list[list[Mutant]]]


@pytest.fixture(scope="session")
def bench(cluster: Any, described: bytes) -> Iterator[_Bench]:  # noqa: F811
    """The engine of this worker over its own copy of the world, and all mutants: in batches judged together, and in parts."""
    place = Place(str(cluster.data.parent), cluster.port, cluster.passwords, TEMPLATE, described)
    with place.stage() as stage:
        yield Engine(stage, collect()), *divided(generate(stage.trunk.real), PARTS)


def recorded(score: Score, shared: Path, part: str) -> Score:
    """The score, left for the summary of the run."""
    (shared / f"mutants-{part}.pickle").write_bytes(pickle.dumps(score.verdicts))
    return score


def test_every_mutant_that_the_catalog_shows_is_killed_R49(bench: _Bench, shared: Path) -> None:
    engine, batches, _ = bench
    score = recorded(Score(tuple(engine.confirmed([v for batch in batches for v in engine.judge_together(*batch)]))), shared, "together")
    assert score.survivors == [], score.said_of_survivors()


@pytest.mark.parametrize("part", range(PARTS))
def test_every_mutant_that_is_put_to_cells_is_killed_R49(bench: _Bench, shared: Path, part: int) -> None:
    engine, _, alone = bench
    score = recorded(Score(tuple(engine.judge_all(alone[part]))), shared, str(part))
    assert score.survivors == [], score.said_of_survivors()
