"""Every mutant of the database, from its catalog."""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections import defaultdict

import psycopg

from tests.rls.mutate import kinds
from tests.rls.mutate.mutant import Mutant


def generate(db: psycopg.Connection) -> list[Mutant]:
    """Return every mutant of every kind; an id names one of them."""
    found = [m for info in pkgutil.iter_modules(kinds.__path__) for m in importlib.import_module(f"{kinds.__name__}.{info.name}").mutants(db)]
    db.rollback()
    assert len({m.id for m in found}) == len(found), "two mutants of one id"
    return found


def shards(mutants: list[Mutant], count: int) -> list[list[Mutant]]:
    """Divide them so that those about one object stay together: what killed one is the likeliest to kill the next."""
    divided: defaultdict[int, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        divided[zlib.crc32(" ".join(sorted(mutant.about) or [mutant.kind]).encode()) % count].append(mutant)
    return [sorted(divided[i], key=lambda m: sorted(m.about)) for i in range(count)]
