"""Where a document would stand is found by the database's own order, however many stand before it."""

from typing import Any, cast

import pytest

from agent.ingest import Place
from agent.standing import settle

pytestmark = pytest.mark.anyio


class Listed:
    """An Rpc of a knowledge base with documents at these places, in this order."""

    def __init__(self, *uris: str) -> None:
        self.rows = [{"id": str(n), "uri": uri, "visibility": "private", "owner_id": "me", "state": "ready", "classification": 1, "sha256": ""} for n, uri in enumerate(uris)]
        self.asked = 0

    async def call(self, name: str, arguments: dict[str, Any]) -> Any:
        assert name == "list_documents"
        self.asked += 1
        return [row for row in self.rows if row["uri"] > arguments["after_uri"]][:arguments["max_rows"]]


@pytest.mark.parametrize(("before", "copies", "asked"), [(0, 0, 1), (0, 1, 1), (19, 1, 2), (30, 0, 3), (30, 1, 3), (2500, 2, 6), (2500, 0, 5)])
async def test_what_stands_at_a_place_is_found_behind_any_number_of_others(before: int, copies: int, asked: int) -> None:
    rpc = Listed(*(f"file:a.m{chr(1 + n // 50)}{chr(1 + n % 50)}" for n in range(before)), *["file:a.md"] * copies)
    settled = await settle(cast(Any, rpc), Place("org", "base", "a", "file:a.md"), "me", "")
    assert len(settled.there) == copies and settled.place.visibility == ("private" if copies else None)
    assert rpc.asked <= asked
