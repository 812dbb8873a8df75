"""The populated world of the database tests: one a worker to look at, one a test or a file to change. Each is a copy of one, made once a run."""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.db import world as worlds
from tests.db.world import World

TEMPLATE = "world_template"


@pytest.fixture(scope="session")
def described(cluster: Any, sql_template: str, shared: Path) -> bytes:
    """Fill the database that the worlds are copies of, and return who and what is in it, pickled: filling takes seconds, copying does not."""
    built = shared / "world.pickle"
    with FileLock(shared / "world.lock"):
        if not built.exists():
            cluster.drop_database(TEMPLATE)
            cluster.create_database(TEMPLATE, sql_template)
            built.write_bytes(pickle.dumps(worlds.build(cluster.url("supabase_admin", TEMPLATE), cluster.url("authenticator", TEMPLATE))))
    return built.read_bytes()


@pytest.fixture(scope="session")
def world(cluster: Any, described: bytes) -> Iterator[World]:
    """Two organizations with people and rows in every table. Shared: tests roll back what they do."""
    yield from _copy(cluster, described)


@pytest.fixture
def own_world(cluster: Any, described: bytes) -> Iterator[World]:
    """The same for one test alone, which may commit and break things."""
    yield from _copy(cluster, described)


@pytest.fixture(scope="module")
def module_world(cluster: Any, described: bytes) -> Iterator[World]:
    """The same for the tests of one file, which may commit what does not disturb each other."""
    yield from _copy(cluster, described)


@pytest.fixture(scope="module")
def held_world(cluster: Any, described: bytes) -> Iterator[World]:
    """One in which the legal holds hold, for the tests of one file that need a row to release: they roll back."""
    for made in _copy(cluster, described):
        with made.operator(keep=True) as db:
            db.run("update app.legal_hold set released_by = null, released_at = null")
        yield made


@pytest.fixture(scope="module")
def strict_world(cluster: Any, described: bytes) -> Iterator[World]:
    """One in which acme requires a second factor and globex does not, for the tests of one file: they roll back."""
    for made in _copy(cluster, described):
        with made.operator(keep=True) as db:
            db.run("update app.organization set require_mfa = true where id = %s", made.acme.id)
        yield made


def _copy(cluster: Any, described: bytes) -> Iterator[World]:
    name = f"world_{secrets.token_hex(6)}"
    cluster.create_database(name, TEMPLATE)
    try:
        yield replace(pickle.loads(described), superuser_url=cluster.url("supabase_admin", name), authenticator_url=cluster.url("authenticator", name))
    finally:
        cluster.drop_database(name)
