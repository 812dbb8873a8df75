"""What the guard lets through gives the rows that the statement would have given without it, on a real PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from agent.analytics.guard import Refused, check
from tests.agent.analytics import corpus
from tests.agent.analytics.mutation import Mutator

COMPARED = 300


@pytest.fixture(scope="module")
def source(cluster: Any) -> Iterator[psycopg.Connection]:
    """A database of its own with the corpus's tables; relations are found without their schema."""
    name = f"guard_{secrets.token_hex(6)}"
    cluster.create_database(name)
    try:
        with psycopg.connect(cluster.url("postgres", name), autocommit=True) as connection:
            connection.execute(corpus.SETUP)
            connection.execute("set search_path = source, pg_catalog")
            connection.execute("set timezone = 'UTC'")
            yield connection
    finally:
        cluster.drop_database(name)


def rows(connection: psycopg.Connection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    cursor = connection.execute(sql.encode(), prepare=False)
    return [column.name for column in cursor.description or ()], [tuple(map(repr, row)) for row in cursor.fetchall()]


@pytest.mark.parametrize("sql", corpus.QUERIES, ids=range(len(corpus.QUERIES)))
def test_a_guarded_statement_gives_the_rows_of_the_original_F48(source: psycopg.Connection, sql: str) -> None:
    with source.transaction():
        (names, expected), (found_names, found) = rows(source, sql), rows(source, check(sql, corpus.SCHEMA).sql)
        assert found == expected
        assert expected
        # `a ^ b` and `+a` have no name of their own, and may run as a call or as `a`, which have one.
        assert [(one, other) for one, other in zip(names, found_names, strict=True) if one not in (other, "?column?")] == []


def outcome(connection: psycopg.Connection, sql: str) -> tuple[Any, ...]:
    """Rows in any order, or the SQLSTATE of the error."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("set local statement_timeout = '5s'")
            return "rows", sorted(rows(connection, sql)[1])
    except psycopg.Error as err:
        return "error", err.sqlstate


def test_mutated_statements_that_pass_mean_what_they_meant_F49(source: psycopg.Connection) -> None:
    compared = with_rows = 0
    for sql in Mutator(48):
        try:
            checked = check(sql, corpus.SCHEMA)
        except Refused:
            continue
        with source.transaction(force_rollback=True):  # one, so that now() is the same
            expected = outcome(source, sql)
            assert outcome(source, checked.sql) == expected, sql
        compared += 1
        with_rows += expected[0] == "rows" and bool(expected[1])
        if compared == COMPARED:
            break
    assert with_rows > COMPARED / 2
