"""Where a token may stand: in exactly one Authorization header, and nowhere else."""

from __future__ import annotations

import pytest

from tests.proxy.support import assert_error, call

pytestmark = pytest.mark.anyio


def authorizations(token: str) -> dict[str, list[str]]:
    return {
        "two headers": [f"Bearer {token}", f"Bearer {token}"],
        "comma-joined": [f"Bearer {token}, Bearer {token}"],
        "basic": ["Basic dXNlcjpwYXNz"],
        "no scheme": [token],
        "dpop": [f"DPoP {token}"],
        "tab": [f"Bearer\t{token}"],
        "two spaces": [f"Bearer  {token}"],
        "trailing space": [f"Bearer {token} "],
        "trailing data": [f"Bearer {token} x"],
        "trailing comma": [f"Bearer {token},"],
        "empty": [""],
        "scheme only": ["Bearer "],
        "quoted": [f'Bearer "{token}"'],
        "a latin-1 letter": [f"Bearer {token}é"],
    }


@pytest.mark.parametrize("form", sorted(authorizations("t")))
async def test_every_odd_authorization_header_has_the_same_outcome_R74(edge, upstream, key, form):
    values = authorizations(key.token())[form]
    sent = [("content-type", "application/json"), *(("authorization", value) for value in values)]
    assert_error(await call(edge, headers=sent), 401, "invalid_token")
    assert upstream.calls == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_read_in_any_case_R74(edge, key, scheme):
    sent = [("content-type", "application/json"), ("authorization", f"{scheme} {key.token()}")]
    assert (await call(edge, headers=sent)).status == 200


@pytest.mark.parametrize(
    "name", ["apikey", "cookie", "x-access-token", "proxy-authorization", "x-forwarded-authorization"]
)
async def test_a_token_anywhere_but_in_its_header_is_not_a_token_R75(edge, upstream, key, name):
    value = f"access_token={key.token()}" if name == "cookie" else f"Bearer {key.token()}"
    got = await call(edge, headers=[("content-type", "application/json"), (name, value)])
    assert_error(got, 401, "missing_token")
    assert upstream.calls == []


@pytest.mark.parametrize("name", ["access_token", "apikey", "token"])
async def test_a_token_in_the_query_is_not_read_even_beside_a_good_one_R75(edge, upstream, key, name):
    assert_error(await call(edge, query=f"{name}={key.token()}"), 400, "query_not_allowed")
    assert_error(await call(edge, query=f"{name}={key.token()}", token=key.token()), 400, "query_not_allowed")
    assert upstream.calls == []
