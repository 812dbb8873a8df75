"""A database to which sql/ itself was applied: `create database ... template` leaves the grants on the database behind (R6)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Database


@pytest.fixture(scope="session")
def catalog(cluster: Any, sql_template: str) -> Iterator[Database]:
    """Return a database built from sql/, without rows. Shared by the worker: tests roll back. (The template is asked for
    because it makes the roles, which belong to the cluster, before two workers could.)"""
    from edge_proxy.local import sql_source

    name = f"catalog_{secrets.token_hex(6)}"
    cluster.create_database(name)
    try:
        sql_source.apply(cluster.url("postgres", name))
        yield Database(cluster, name)
    finally:
        cluster.drop_database(name)
