"""The happy path: a verified person's call arrives at PostgREST as that person."""

from __future__ import annotations

import pytest

from tests.proxy.support import PUBLISHABLE_KEY, Answer, call

pytestmark = pytest.mark.anyio


async def test_a_call_reaches_the_function_with_headers_built_from_nothing_F01_R83(edge, upstream, key):
    upstream.answers["/rest/v1/rpc/whoami"] = Answer(body=b'{"user_id":"u"}')
    token = key.token()
    got = await call(edge, token=token, body=b'{"a":1}')
    assert (got.status, got.json) == (200, {"user_id": "u"})
    (sent,) = upstream.function_calls
    assert (sent.method, sent.path, sent.query, sent.body) == ("POST", "/rest/v1/rpc/whoami", "", b'{"a":1}')
    assert sent.names == {
        "accept": "application/json",
        "apikey": PUBLISHABLE_KEY,
        "authorization": f"Bearer {token}",
        "content-length": "7",
        "content-profile": "api",
        "content-type": "application/json",
        "host": upstream.url.removeprefix("http://"),
        "prefer": "handling=strict",
        "user-agent": "ringfence-edge",
        "x-request-id": got.header("x-request-id"),
    }
    assert len(sent.headers) == len(sent.names)
