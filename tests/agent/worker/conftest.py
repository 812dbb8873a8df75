"""Workers as processes on a world of their own, whose leases are short."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.agent.worker.workers import Workers, limit
from tests.db.conftest import described, own_world  # noqa: F401
from tests.db.jobs import Jobs
from tests.db.world import World

LEASE_S = 2


@pytest.fixture
def jobs(own_world: World, cluster: Any) -> Jobs:  # noqa: F811
    made = Jobs(own_world, cluster)
    limit(made, lease_seconds=LEASE_S, max_plan_cost=10**18)
    made.drain()
    return made


@pytest.fixture
def workers(jobs: Jobs) -> Iterator[Workers]:
    made = Workers(jobs)
    try:
        yield made
    finally:
        made.stop()
