"""The embedder of the commands."""

from __future__ import annotations

import asyncio

import pytest

from agent.cli import embedding


def test_an_embedder_is_closed_also_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []

    class Recording:
        async def close(self) -> None:
            closed.append(True)

    async def use() -> None:
        async with embedding.configured_embedder() as embedder:
            assert isinstance(embedder, Recording) and not closed
            raise ZeroDivisionError

    monkeypatch.setattr(embedding, "create_embedder", lambda config: Recording())
    with pytest.raises(ZeroDivisionError):
        asyncio.run(use())
    assert closed == [True]
