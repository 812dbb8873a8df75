"""The tool `ask_data` in a run: the database hands the question to a worker, the run waits, and what it shows the person is its own.

A tool call is one transaction, and a worker begins after it: so the run waits for the job and reads its result as the person, like
any app of theirs. A language model gets the shape of the result and totals of its numbers (`summary`); rows only where the policy of
the organization says so when they are read (`set_data_policy`, rows_to_model), and few.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from agent.analytics import jobs
from agent.analytics.columns import Row
from agent.analytics.results import pages, read_head
from agent.analytics.summary import summary
from agent.errors import AgentError
from agent.providers.offline_answer import inert
from agent.rpc import Rpc

ASK_DATA = "ask_data"
WAIT_S = 75.0
"""For one question; the run's own wall time bounds it too. Asked once more, the same question waits for the same job."""
_SHOWN_NUMBERS = 6
_MODEL_ROWS, _MODEL_CHARACTERS = 50, 8000
"""Of rows that a model may see: whichever comes first."""

Told = dict[str, Any]
"""What became of a question, for the model: {job_id, source, status} and, of an answer, {sql, row_count, truncated, columns, has_chart} and,
where the organization lets a model see them, {rows}: the first ones, lists in the order of the columns."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Whoever sees a run from outside while it waits."""

    rpc: Rpc
    org_id: str
    tell: Callable[[dict[str, Any]], Awaitable[None]]
    """Is told {tool, job_id, status} whenever the status has changed."""

    async def ended(self, answer: dict[str, Any]) -> Told | None:
        """Return what became of the job that the tool answered with, None where it was refused. Raises: AgentError.

        When nobody waits any more, the job is cancelled.
        """
        rows = answer.get("rows") or []
        if answer.get("outcome") != "ok" or not rows:
            return None
        job_id = str(rows[0]["id"])

        async def changed(status: str) -> None:
            await self.tell({"tool": ASK_DATA, "job_id": job_id, "status": status})

        try:
            job = await jobs.ended(self.rpc, self.org_id, job_id, WAIT_S, changed)
        except asyncio.CancelledError:
            with suppress(AgentError):
                await asyncio.shield(self.rpc.call("cancel_analytics_job", {"org_id": self.org_id, "job_id": job_id}))
            raise
        return await self._told(job_id, job)

    async def _told(self, job_id: str, job: jobs.Job) -> Told:
        told: Told = {"job_id": job_id, "source": job.get("source"), "status": job["status"]}
        if job["status"] in jobs.WAITING:
            return told | {"message": "It is not done yet. Ask the same question again to wait for it."}
        if job["status"] != jobs.SUCCEEDED:
            # What the database said may quote a row: it is for the person. A refusal is said before any row is read.
            message = job.get("error_message") if job["status"] == "refused" else None
            return told | {"error_code": str(job.get("error_code") or ""), "message": message}
        head = await read_head(self.rpc, self.org_id, job_id)
        rows = [row async for page in pages(self.rpc, self.org_id, job_id, head) for row in page]
        told |= {"sql": job.get("sql"), "row_count": head.row_count, "truncated": head.truncated,
                 "columns": summary(head.columns, rows), "has_chart": head.chart is not None}
        return told | ({"rows": _few(rows)} if head.rows_to_model else {})


def _few(rows: Sequence[Row]) -> list[Row]:
    """Return the first rows, as many as a model is shown."""
    few: list[Row] = []
    left = _MODEL_CHARACTERS
    for row in rows[:_MODEL_ROWS]:
        left -= len(json.dumps(row, ensure_ascii=False))
        if left < 0:
            break
        few.append(row)
    return few


def shown(org_id: str, told: Told) -> dict[str, Any]:
    """Return what an app is told of an answered question: where its rows and its chart are."""
    job = f"/v1/analytics/jobs/{org_id}/{told['job_id']}"
    return {"job_id": told["job_id"], "org_id": org_id, "source": told["source"], "sql": told["sql"], "row_count": told["row_count"],
            "truncated": told["truncated"], "csv": f"{job}/result.csv", "chart": f"{job}/chart.svg" if told["has_chart"] else None}


def card(org_id: str, told: Told) -> str:
    """Return what stands below an answer, in Markdown: the numbers of a one-row result, the SQL, the job and the chart; no model wrote it.

    No other value of a row: answers are read again by models, as the history of the conversation.
    """
    lines = ["", "", "---", f"{told['row_count']} row(s){' and more' if told['truncated'] else ''} from {told['source']}, job `{told['job_id']}`"]
    if told["row_count"] == 1:
        numbers = [f"{inert(str(one['name']))} = {one['sum']}" for one in told["columns"] if "sum" in one]
        lines += [f"**{', '.join(numbers[:_SHOWN_NUMBERS])}**"] if numbers else []
    # A fence longer than any run of back-ticks that stands in it.
    longest = max((len(run) for run in "".join(c if c == "`" else " " for c in str(told["sql"])).split()), default=0)
    fence = "`" * max(3, longest + 1)
    lines += [f"{fence}sql", str(told["sql"]), fence]
    if chart := shown(org_id, told)["chart"]:
        lines.append(f"Chart: {chart}")
    return "\n".join(lines)
