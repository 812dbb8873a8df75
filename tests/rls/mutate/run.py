"""Run the mutation engine over our own schema: `ringfence rls mutate`."""

from __future__ import annotations

import multiprocessing
import queue
import re
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from typing import Any

from tests.rls.mutate.cells import collect
from tests.rls.mutate.engine import Engine, Verdict
from tests.rls.mutate.generate import generate
from tests.rls.mutate.place import Place, throwaway
from tests.rls.mutate.score import Score, merged
from tests.rls.mutate.together import divided

SHARDS = 96
_PATIENCE_S = 5.0


def run(processes: int = 2, only: str = "", told: Callable[[str], None] = lambda line: None) -> Score:
    """Make every mutant in whose id the expression `only` is found, and return what became of each. `told` is given a line of progress now and then.

    Raises: RuntimeError when a process ended before its work did.
    """
    with throwaway() as place:
        context = multiprocessing.get_context("spawn")
        tasks, done = context.Queue(), context.Queue()
        workers = [context.Process(target=_work, args=(place, only, tasks, done), daemon=True) for _ in range(processes)]
        for worker in workers:
            worker.start()
        for task in [("together", 0), *(("alone", number) for number in range(SHARDS)), *[None] * processes]:
            tasks.put(task)
        return merged(_collected(done, workers, told))


def _collected(done: Any, workers: list[SpawnProcess], told: Callable[[str], None]) -> list[list[Verdict]]:
    """The verdicts of all workers, once each has looked at its killers again."""
    final: list[list[Verdict]] = []
    judged = alive = 0
    while len(final) < len(workers):
        try:
            confirmed, verdicts = done.get(timeout=_PATIENCE_S)
        except queue.Empty:
            if any(w.exitcode for w in workers):
                raise RuntimeError("a process of the mutation run ended early") from None
            continue
        if confirmed:
            final.append(verdicts)
        elif verdicts:
            judged, alive = judged + len(verdicts), alive + len(merged([verdicts]).survivors)
            told(f"{judged} mutants, {alive} alive")
    return final


def _work(place: Place, only: str, tasks: Any, done: Any) -> None:
    """Judge what is in `tasks` in a world of this process, which goes with the cluster."""
    with place.stage(keep=True) as stage:
        engine = Engine(stage, collect())
        batches, alone = divided([m for m in generate(stage.trunk.real) if re.search(only, m.id)], SHARDS)
        verdicts: list[Verdict] = []
        parent = multiprocessing.parent_process()
        # A run that was ended from outside leaves nobody behind who goes on.
        while (task := tasks.get()) and parent and parent.is_alive():
            what, number = task
            part = [v for b in batches for v in engine.judge_together(*b)] if what == "together" else [engine.judge(m) for m in alone[number]]
            verdicts += part
            done.put((False, part))
        done.put((True, engine.confirmed(verdicts)))

