"""What measures must not wait for ever: a server that closes idle connections meets a client that opens them anew."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from tests.bench.load import Clients, Target

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def test_connections_that_the_server_closed_are_opened_anew_and_one_that_is_asked_while_closed_says_so() -> None:
    async def closed(writers: list[asyncio.StreamWriter]) -> None:
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers))

    async def measured() -> None:
        served: list[asyncio.StreamWriter] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served.append(writer)
            with suppress(asyncio.IncompleteReadError):
                while True:
                    await reader.readuntil(b"\r\n\r\n{}")
                    writer.write(ANSWER)

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            target = Target("it", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/it", {})
            async with asyncio.timeout(20), Clients(target, 2) as clients:
                assert len(await clients.latencies(3)) == 3
                await closed(served)
                while not all(one.lost for one in clients.open):
                    await asyncio.sleep(0.01)
                with pytest.raises(ConnectionError, match="closed while nothing was asked"):
                    await clients.open[0].ask(target.wire)
                assert await clients.rate(4) > 0
                assert len(served) == 4
            await closed(served)

    asyncio.run(measured())
