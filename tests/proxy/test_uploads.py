"""POST /v1/files and /v1/analytics/tables: the body that may be large goes to the agent in pieces, within limits of its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agent.documents.limits import DocumentLimits
from agent.upload import ENVELOPE_BYTES
from edge_proxy.limits import Limits
from tests.proxy.support import OTHER_USER, call
from tests.proxy.test_agent_mount import assert_openai_error

pytestmark = pytest.mark.anyio

FILES = "/v1/files"
TABLES = "/v1/analytics/tables"
MULTIPART = [("content-type", "multipart/form-data; boundary=b")]


@pytest.fixture
def limits() -> Limits:
    return replace(Limits(), file_body_bytes=3_000_000, file_piece_seconds=0.2, file_body_seconds=0.5, user_uploads=2)


@pytest.fixture
def received(agent):
    """What the agent reads, piece by piece, until the end or until it is told that the client is gone."""
    pieces: list[bytes] = []

    async def reply(receive, send):
        pieces.append(agent.bodies[-1])
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                pieces.append(b"gone")
                return
            pieces.append(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b"{}"})

    agent.reply = reply
    return pieces


@pytest.mark.parametrize("path", [FILES, TABLES])
async def test_a_large_file_goes_through_in_the_pieces_in_which_it_comes(edge, key, received, path):
    body = [b"1" * 1_000_000, b"2" * 1_000_000, b"3" * 900_000]
    got = await call(edge, path, token=key.token(), headers=list(MULTIPART), body=body)
    assert got.status == 200 and received == body


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/files/", "/v1/files/a/b", "/v1//files", "/v1/analytics/tables/", "/v1/analytics/jobs", "/rest/v1/rpc/whoami"])
async def test_every_other_path_keeps_its_small_limit_R86(edge, agent, key, path):
    big = [b"1" * 1_000_000, b"2" * 100_000]
    got = await call(edge, path, token=key.token(), headers=list(MULTIPART), body=big)
    assert got.status in (413, 415) and agent.scopes == []


async def test_too_large_a_file_is_refused_before_its_first_byte_when_it_says_so(edge, agent, key):
    headers = [*MULTIPART, ("content-length", "3000001")]
    assert_openai_error(await call(edge, FILES, token=key.token(), headers=headers, body=b""), 413, "body_too_large")
    assert agent.scopes == []


async def test_too_large_a_file_that_does_not_say_so_is_stopped_R86(edge, key, received):
    body = [b"1" * 1_000_000] * 5
    got = await call(edge, FILES, token=key.token(), headers=list(MULTIPART), body=body)
    assert_openai_error(got, 413, "body_too_large")
    assert received == [b"1" * 1_000_000] * 3 + [b"gone"]


@pytest.mark.parametrize("kind", ["application/json", "multipart/mixed; boundary=b", "multipart/form-data", "text/plain", None])
async def test_only_a_form_is_taken(edge, agent, key, kind):
    headers = [("content-type", kind)] if kind else []
    assert_openai_error(await call(edge, FILES, token=key.token(), headers=headers), 415, "unsupported_media_type")
    encoded = [*MULTIPART, ("content-encoding", "gzip")]
    assert_openai_error(await call(edge, FILES, token=key.token(), headers=encoded), 415, "unsupported_media_type")
    assert agent.scopes == []


async def test_without_a_good_token_not_a_byte_is_read(edge, agent):
    assert_openai_error(await call(edge, FILES, headers=list(MULTIPART), body=[b"1"] * 3), 401, "missing_token")
    assert agent.scopes == []


def slowly(edge, seconds: float, pieces: int):
    """Return the edge behind a client that waits before each piece."""

    async def slow(scope, receive, send):
        left = pieces

        async def late():
            nonlocal left
            await asyncio.sleep(seconds)
            left -= 1
            return {"type": "http.request", "body": b"1", "more_body": left > 0}

        await edge(scope, late, send)

    return slow


@pytest.mark.parametrize(("seconds", "pieces", "status"), [(0.4, 1, 408), (0.1, 20, 408), (0.05, 3, 200)])
async def test_a_body_that_stalls_or_never_ends_is_stopped_R87(edge, key, received, seconds, pieces, status):
    got = await call(slowly(edge, seconds, pieces), FILES, token=key.token(), headers=list(MULTIPART))
    if status == 200:
        assert got.status == 200
    else:
        assert_openai_error(got, 408, "body_timeout")


async def test_one_person_uploads_a_few_files_at_once_and_others_are_not_in_their_way(edge, agent, key):
    done = asyncio.Event()

    async def reply(receive, send):
        await done.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    agent.reply = reply
    calls = [asyncio.create_task(call(edge, FILES, token=key.token(), headers=list(MULTIPART))) for _ in range(2)]
    while len(agent.scopes) < 2:
        await asyncio.sleep(0)
    assert_openai_error(await call(edge, FILES, token=key.token(), headers=list(MULTIPART)), 429, "rate_limited")
    other = asyncio.create_task(call(edge, FILES, token=key.token(sub=OTHER_USER), headers=list(MULTIPART)))
    while len(agent.scopes) < 3:
        await asyncio.sleep(0)
    done.set()
    assert [got.status for got in await asyncio.gather(*calls, other)] == [200, 200, 200]
    assert (await call(edge, FILES, token=key.token(), headers=list(MULTIPART))).status == 200


def test_the_edge_lets_through_what_the_agent_takes():
    assert Limits().file_body_bytes >= DocumentLimits().file_bytes + ENVELOPE_BYTES
