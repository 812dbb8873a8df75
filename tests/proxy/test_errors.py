"""Errors: one shape, no inside showing, and the database's own mapped by SQLSTATE."""

from __future__ import annotations

import inspect

import pytest

from edge_proxy import errors
from edge_proxy.errors import ProxyError
from tests.proxy.doubles import Answer, error
from tests.proxy.support import assert_error, call

pytestmark = pytest.mark.anyio

WHOAMI = "/rest/v1/rpc/whoami"

MAPPED = [
    (400, "22023", 400, "invalid_argument"),
    (400, "22004", 400, "invalid_argument"),
    (403, "42501", 403, "denied"),
    (404, "PT404", 404, "not_found"),
    (409, "PT409", 409, "conflict"),
    (423, "PT423", 423, "legal_hold"),
    (401, "PT401", 401, "aal_required"),
    (401, "28000", 401, "session_ended"),
    (429, "PT429", 429, "quota"),
]
REWORDED = [
    (409, "23505", 409, "conflict"),
    (500, "40P01", 409, "conflict"),
    (500, "40001", 409, "conflict"),
    (409, "23503", 400, "invalid_argument"),
    (400, "23514", 400, "invalid_argument"),
    (400, "22P02", 400, "invalid_argument"),
    (400, "22P05", 400, "invalid_argument"),
    (404, "PGRST202", 400, "invalid_argument"),
    (400, "PGRST102", 400, "invalid_argument"),
    (406, "PGRST116", 406, "not_single"),
    (401, "PGRST301", 401, "invalid_token"),
    (401, "PGRST303", 401, "invalid_token"),
]


@pytest.mark.parametrize(("status", "sqlstate", "expected", "code"), MAPPED)
async def test_an_error_raised_by_our_sql_keeps_its_message_R90_R91(
    edge, upstream, key, status, sqlstate, expected, code
):
    upstream.answers[WHOAMI] = error(status, sqlstate, "said by our SQL", details="inside", hint="inside")
    got = await call(edge, token=key.token())
    assert_error(got, expected, code, sqlstate=...)
    assert (got.json["message"], got.json["sqlstate"]) == ("said by our SQL", sqlstate)
    assert b"inside" not in got.body


@pytest.mark.parametrize(("status", "sqlstate", "expected", "code"), REWORDED)
async def test_an_error_worded_by_postgresql_gets_a_fixed_message_R51_R52_R57_R90(
    edge, upstream, key, status, sqlstate, expected, code
):
    upstream.answers[WHOAMI] = error(status, sqlstate, "Key (slug)=(canary) of table app.secret", details="canary")
    got = await call(edge, token=key.token())
    assert_error(got, expected, code, sqlstate=...)
    assert b"canary" not in got.body and b"app.secret" not in got.body


@pytest.mark.parametrize(
    "message",
    ["permission denied for table customer_order", 'new row violates row-level security policy for table "note"'],
)
async def test_a_denial_worded_by_postgresql_does_not_name_the_table_R90(edge, upstream, key, message):
    upstream.answers[WHOAMI] = error(403, "42501", message)
    got = await call(edge, token=key.token())
    assert_error(got, 403, "denied", sqlstate=...)
    assert got.json["message"] == "You may not do this."


@pytest.mark.parametrize("sqlstate", ["57014", "PGRST003"])
async def test_a_timeout_of_the_database_is_504_R93(edge, upstream, key, sqlstate):
    upstream.answers[WHOAMI] = error(500, sqlstate)
    assert_error(await call(edge, token=key.token()), 504, "timeout")


@pytest.mark.parametrize(
    "answer",
    [
        error(400, "P0001", "canary"),
        error(500, "XX000", "canary"),
        error(503, "PGRST000", "canary"),
        error(400, "2", "canary"),
        Answer(500, b"canary", {"content-type": "text/plain"}),
        Answer(500, b""),
        Answer(500, b"[]"),
        Answer(500, b'{"code":7,"message":"canary"}'),
        Answer(500, b'{"message":"canary"}'),
        Answer(500, b"[" * 100_000),
    ],
)
async def test_anything_else_is_502_and_says_nothing_of_the_inside_R90(edge, upstream, key, answer):
    upstream.answers[WHOAMI] = answer
    got = await call(edge, token=key.token())
    assert_error(got, 502, "upstream_error")
    assert b"canary" not in got.body


async def test_the_database_cannot_write_into_a_header_R91(edge, upstream, key):
    upstream.answers[WHOAMI] = error(401, "PT401", 'x"\r\nset-cookie: a=b')
    got = await call(edge, token=key.token())
    assert_error(got, 401, "aal_required", sqlstate=...)
    assert "set-cookie" not in (got.header("www-authenticate") or "")


async def test_the_last_resort_is_a_500_without_the_text_of_the_failure_R90(edge, upstream, key, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr("edge_proxy.forward.outgoing_headers", fail)
    got = await call(edge, token=key.token())
    assert_error(got, 500, "internal_error")
    assert b"canary" not in got.body


async def test_a_401_has_the_fixed_description_of_its_code_R91(edge, key, clock):
    missing = await call(edge)
    assert missing.header("www-authenticate") == (
        'Bearer error="invalid_token", error_description="Send the access token of a signed-in user as a Bearer token."'
    )
    wrong = await call(edge, token=key.token(role="anon"))
    assert (
        wrong.header("www-authenticate")
        == 'Bearer error="invalid_token", error_description="The access token is not valid here."'
    )


def tree() -> dict[str, tuple[int, str]]:
    found = {
        name: kind for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, ProxyError)
    }
    return {name: (kind.status, kind.code) for name, kind in found.items() if not kind.__subclasses__()}


@pytest.mark.parametrize("name", sorted(tree()))
def test_every_error_is_drawn_in_the_tree_with_its_status_and_code_R90(name):
    status, code = tree()[name]
    line = next(line for line in (errors.__doc__ or "").splitlines() if f"- {name} " in line)
    assert line.split()[-2:] == [str(status), code]


def test_the_codes_of_errors_are_distinct_R90():
    codes = [code for name, (_, code) in tree().items() if name != "Internal"]
    assert len(codes) == len(set(codes))
