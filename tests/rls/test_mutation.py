"""Mutants of the protection are killed by tests (R49). Divided into parts, so that the workers of a run share them.

Here run the kinds of which every mutant was seen to die; `ringfence rls mutate` makes all kinds, and fails for the survivors among the others.
"""

from __future__ import annotations

import pickle
import re
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
from tests.rls.mutate.score import Score


IN_THE_SUITE = re.compile(
    r"rls-|policy-(?:drop|swap|using-true|check-true|both-true|for-all|to-public) app\.(?:message|run|bot|customer_order|team|conversation|support_ticket)\.")
PARTS = 12


@pytest.fixture(scope="session")
def bench(cluster: Any, described: bytes) -> Iterator[tuple[Engine, list[list[Mutant]]]]:  # noqa: F811
    """The engine of this worker over its own copy of the world, and all mutants by part."""
    place = Place(str(cluster.data.parent), cluster.port, cluster.passwords, TEMPLATE, described)
    with place.stage() as stage:
        yield Engine(stage, collect()), shards([m for m in generate(stage.trunk.real) if IN_THE_SUITE.match(m.id)], PARTS)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_mutant_of_row_security_and_of_policies_is_killed_R49(bench: tuple[Engine, list[list[Mutant]]], shared: Path, part: int) -> None:
    engine, mutants = bench
    score = Score(tuple(engine.judge_all(mutants[part])))
    (shared / f"mutants-{part}.pickle").write_bytes(pickle.dumps(score.verdicts))
    assert score.survivors == [], score.said_of_survivors()
