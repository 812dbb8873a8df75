"""The populated world of the database tests: one a worker to look at, one a test or a file to change."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.db import world as worlds
from tests.db.world import World


@pytest.fixture(scope="session")
def world(cluster: Any, sql_template: str) -> Iterator[World]:
    """Two organizations with people and rows in every table. Shared: tests roll back what they do."""
    yield from _fill(cluster, sql_template)


@pytest.fixture
def own_world(cluster: Any, sql_template: str) -> Iterator[World]:
    """The same for one test alone, which may commit and break things."""
    yield from _fill(cluster, sql_template)


@pytest.fixture(scope="module")
def strict_world(cluster: Any, sql_template: str) -> Iterator[World]:
    """One in which acme requires a second factor and globex does not, for the tests of one file: they roll back."""
    for made in _fill(cluster, sql_template):
        with made.operator(keep=True) as db:
            db.run("update app.organization set require_mfa = true where id = %s", made.acme.id)
        yield made


def _fill(cluster: Any, template: str) -> Iterator[World]:
    name = f"world_{secrets.token_hex(6)}"
    cluster.create_database(name, template)
    try:
        yield worlds.build(cluster.url("supabase_admin", name), cluster.url("authenticator", name))
    finally:
        cluster.drop_database(name)
