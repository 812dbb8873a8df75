"""Run the mutation engine over our own schema: `ringfence rls mutate`."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import ExitStack

from tests.rls.mutate.cells import collect
from tests.rls.mutate.engine import Engine, Verdict
from tests.rls.mutate.generate import generate, shards
from tests.rls.mutate.place import Place, throwaway
from tests.rls.mutate.score import Score, merged

SHARDS = 48
_here: tuple[Engine, list[list[object]]]
_stack = ExitStack()


def run(processes: int = 2, only: str = "", told: Callable[[str], None] = lambda line: None) -> Score:
    """Make every mutant whose id contains `only`, and return what became of each. `told` is given a line of progress now and then."""
    verdicts: list[list[Verdict]] = []
    with throwaway() as place:
        context = multiprocessing.get_context("spawn")
        with context.Pool(processes, _begin, (place,)) as pool:
            for part in pool.imap_unordered(_judge, [(number, only) for number in range(SHARDS)]):
                verdicts.append(part)
                score = merged(verdicts)
                told(f"{len(score.verdicts)} mutants, {len(score.survivors)} alive")
            pool.close()
            pool.join()
    return merged(verdicts)


def _begin(place: Place) -> None:
    """Give this process a world of its own; it goes with the cluster."""
    global _here
    stage = _stack.enter_context(place.stage(keep=True))
    _here = Engine(stage, collect()), shards(generate(stage.trunk.real), SHARDS)  # type: ignore[assignment]


def _judge(task: tuple[int, str]) -> list[Verdict]:
    number, only = task
    engine, divided = _here
    return engine.judge_all(m for m in divided[number] if only in m.id)  # type: ignore[attr-defined,arg-type]
