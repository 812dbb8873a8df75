"""Hand in a job and wait for it, as the person."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from agent.rpc import Rpc

Job = dict[str, Any]
"""As `api.get_analytics_job` tells it."""

WAITING = frozenset({"queued", "running"})
SUCCEEDED = "succeeded"
_FIRST_S, _LONGEST_S = 0.05, 1.0

Tell = Callable[[str], Awaitable[None]]
"""Is told the status whenever it has changed."""


async def nobody(status: str) -> None:
    """Tell nobody."""


async def submit(rpc: Rpc, org_id: str, source: str, *, question: str | None = None, sql: str | None = None, key: str | None = None) -> str:
    """Return the id of the job. Raises: DatabaseError."""
    made = await rpc.call("submit_analytics_job", {"org_id": org_id, "source": source, "question": question, "sql": sql, "idempotency_key": key})
    return str(made["job_id"])


async def ended(rpc: Rpc, org_id: str, job_id: str, seconds: float, tell: Tell = nobody) -> Job:
    """Return the job when it has ended, or as it is after so many seconds: it goes on without anybody waiting. Raises: DatabaseError."""
    until, pause, known = time.monotonic() + seconds, _FIRST_S, ""
    while True:
        job: Job = await rpc.call("get_analytics_job", {"org_id": org_id, "job_id": job_id})
        if job["status"] != known:
            known = job["status"]
            await tell(known)
        left = until - time.monotonic()
        if known not in WAITING or left <= 0:
            return job
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_S)


def why(job: Job) -> str:
    """Return in a sentence why a job has no result."""
    status, said, code = job["status"], job.get("error_message"), job.get("error_code")
    if status in WAITING:
        return "It is not done yet; it goes on without you."
    sentence = said or {"cancelled": "It was cancelled.", "cancelled_revoked": "Your right to ask this source ended before it ran."}.get(status, "It failed.")
    return f"{sentence} ({code})" if code else str(sentence)
