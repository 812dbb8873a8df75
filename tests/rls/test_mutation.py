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
from tests.rls.mutate.generate import generate, shards
from tests.rls.mutate.mutant import Mutant
from tests.rls.mutate.place import Place
from tests.rls.mutate.run import SHARDS
from tests.rls.mutate.score import Score


@pytest.fixture(scope="session")
def bench(cluster: Any, described: bytes) -> Iterator[tuple[Engine, list[list[Mutant]]]]:  # noqa: F811
    """The engine of this worker over its own copy of the world, and all mutants by part."""
    place = Place(str(cluster.data.parent), cluster.port, cluster.passwords, TEMPLATE, described)
    with place.stage() as stage:
        yield Engine(stage, collect()), shards(generate(stage.trunk.real), SHARDS)


@pytest.mark.parametrize("part", range(SHARDS))
def test_every_mutant_of_the_protection_is_killed_R49(bench: tuple[Engine, list[list[Mutant]]], shared: Path, part: int) -> None:
    engine, mutants = bench
    score = Score(tuple(engine.judge(mutant) for mutant in mutants[part]))
    (shared / f"mutants-{part}.pickle").write_bytes(pickle.dumps(score.verdicts))
    assert score.survivors == [], score.said_of_survivors()
