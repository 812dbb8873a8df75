"""Results as files and pictures, and tables of one's own.

    GET /v1/analytics/jobs/{org_id}/{job_id}/result.csv       the rows as CSV; see `export` about formulas
    GET /v1/analytics/jobs/{org_id}/{job_id}/result.parquet   the rows as Parquet
    GET /v1/analytics/jobs/{org_id}/{job_id}/chart.json       the whole Vega-Lite specification, data inline
    GET /v1/analytics/jobs/{org_id}/{job_id}/chart.svg, .png  the same, drawn
    POST /v1/analytics/tables                                 a file as a table of a source; see `table_route`

There is no link that would work without the access token, so none can leak; every page of rows is asked for as the signed-in
person while the answer is being sent (F54). Nothing is stored on the way, and no row is logged.
"""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

from agent.analytics.chart import DRAWN_ROWS, checked, with_rows
from agent.analytics.errors import NoChart
from agent.analytics.export import CSV, PARQUET, as_csv, as_parquet
from agent.analytics.render import Form, Renderer
from agent.analytics.results import Head, pages, read_head
from agent.analytics.table import TableReader
from agent.analytics.table_route import add_table
from agent.asgi import Receive, Reply, Scope, while_connected
from agent.errors import NotVisible
from agent.rpc import Json, Rpc
from agent.upload import Arriving

ANALYTICS = "/v1/analytics/"
TABLES = f"{ANALYTICS}tables"
_JOBS = f"{ANALYTICS}jobs/"
_NO_JOB = "no such result, or not yours to read"


class Analytics:
    """The routes under /v1/analytics; keeps nothing between requests."""

    def __init__(self, renderer: Renderer | None = None, reader: TableReader | None = None) -> None:
        self._renderer, self._reader = renderer or Renderer(), reader or TableReader()

    async def answer(self, rpc: Rpc, user_id: str, scope: Scope, receive: Receive, reply: Reply) -> None:
        """Answer one request. Raises: AgentError, ClientGone."""
        if (scope["method"], scope["path"]) == ("POST", TABLES):
            async with Arriving(scope, receive, self._reader.limits.file_bytes) as upload:
                await reply.json(200, await while_connected(add_table(rpc, user_id, self._reader, upload), receive))
            return
        if scope["method"] != "GET" or not scope["path"].startswith(_JOBS):
            raise NotVisible("There is no such route.")
        ids, _, file = scope["path"].removeprefix(_JOBS).rpartition("/")
        send: dict[str, Callable[[], Awaitable[None]]] = {
            "result.csv": lambda: _rows(rpc, *_named(ids), reply, "csv"), "result.parquet": lambda: _rows(rpc, *_named(ids), reply, "parquet"),
            "chart.json": lambda: self._chart(rpc, user_id, *_named(ids), reply, None),
            "chart.svg": lambda: self._chart(rpc, user_id, *_named(ids), reply, "svg"), "chart.png": lambda: self._chart(rpc, user_id, *_named(ids), reply, "png")}
        if file not in send:
            raise NotVisible("There is no such route.")
        await while_connected(send[file](), receive)

    async def _chart(self, rpc: Rpc, user_id: str, org_id: str, job_id: str, reply: Reply, form: Form | None) -> None:
        head = await read_head(rpc, org_id, job_id)
        specification = await whole_chart(rpc, org_id, job_id, head)
        if form is None:
            await reply.json(200, specification)
            return
        picture = await self._renderer.draw(specification, form, user_id)
        await reply.file_begins(f"{job_id}.{form}", len(picture), "image/svg+xml" if form == "svg" else "image/png")
        await reply.file_part(picture)


async def whole_chart(rpc: Rpc, org_id: str, job_id: str, head: Head) -> Json:
    """Return the specification with its data. Raises: NoChart, DatabaseError."""
    if not checked(head.chart, len(head.columns)):
        raise NoChart
    rows = [row async for page in pages(rpc, org_id, job_id, head, DRAWN_ROWS) for row in page]
    return with_rows(head.chart, head.columns, rows)


async def _rows(rpc: Rpc, org_id: str, job_id: str, reply: Reply, form: str) -> None:
    head = await read_head(rpc, org_id, job_id)
    write, media_type = (as_csv, CSV) if form == "csv" else (as_parquet, PARQUET)
    await send_parts(reply, f"{job_id}.{form}", media_type, write(head.columns, pages(rpc, org_id, job_id, head)))


async def send_parts(reply: Reply, name: str, media_type: str, parts: AsyncIterator[bytes]) -> None:
    """Send a file as it is made; what goes wrong after its first bytes cuts the connection, so that a part is not taken for the whole."""
    await reply.file_begins(name, None, media_type)
    async for part in parts:
        if part:
            await reply.file_part(part)
    await reply.file_ends()


def _named(ids: str) -> tuple[str, str]:
    """Return the ids of organization and job. Raises: NotVisible, the same as for a job of others."""
    parts = ids.split("/")
    try:
        if len(parts) == 2 and [str(uuid.UUID(one)) for one in parts] == parts:
            return parts[0], parts[1]
    except ValueError:
        pass
    raise NotVisible(_NO_JOB)
