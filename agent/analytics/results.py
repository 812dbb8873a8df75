"""Read a result as the person, page by page: whether they may is decided by the database at every page (F54)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from agent.analytics.columns import Column, Row
from agent.errors import UpstreamFailed
from agent.rpc import Rpc

PAGE_ROWS = 500


@dataclass(frozen=True, slots=True)
class Head:
    """What is known with the first page."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    """The first page."""
    row_count: int
    truncated: bool
    """Whether there was more than is kept."""
    chart: Any
    """The stored suggestion, unchecked; None: there is none."""
    next_after: int | None
    rows_to_model: bool
    """Whether the organization lets rows be shown to the model of a run, as it was when the page was read."""


async def read_head(rpc: Rpc, org_id: str, job_id: str, rows: int = PAGE_ROWS) -> Head:
    """Return the first page and what is around it. Raises: NotVisible for a job of others, an absent one and one without a result alike."""
    page = await _page(rpc, org_id, job_id, 0, rows)
    return Head(Column.all_of(page["columns"]), page["rows"], int(page["row_count"]), bool(page["truncated"]), page.get("chart"), page["next_after"],
                page["rows_to_model"] is True)


async def pages(rpc: Rpc, org_id: str, job_id: str, head: Head, most: int | None = None) -> AsyncIterator[Sequence[Row]]:
    """Yield the rows of a result, beginning with the page in `head`, `most` rows at least where there are as many. Raises: DatabaseError."""
    yield head.rows
    after, seen = head.next_after, len(head.rows)
    while after is not None and (most is None or seen < most):
        page = await _page(rpc, org_id, job_id, after, PAGE_ROWS)
        yield page["rows"]
        after, seen = page["next_after"], seen + len(page["rows"])


async def _page(rpc: Rpc, org_id: str, job_id: str, after: int, rows: int) -> dict[str, Any]:
    while True:
        try:
            page = await rpc.call("read_analytics_result", {"org_id": org_id, "job_id": job_id, "after": after, "max_rows": rows})
        except UpstreamFailed:
            # Rows can be long: a page has a ceiling of bytes, too.
            if rows == 1:
                raise
            rows = max(1, rows // 10)
        else:
            return dict(page)
