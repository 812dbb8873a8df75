"""What a job is to a worker, how it can end, and what ends it early.

JobInterrupted
 |- Revoked      the requester may no longer run it
 |- LeaseLost    another worker has it, or it was cancelled
 |- BackendLost  the database or the connection went away: it runs again
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


class JobInterrupted(Exception):
    """The job does not end here."""


class Revoked(JobInterrupted):
    """The requester may no longer run the job."""


class LeaseLost(JobInterrupted):
    """The job is no longer ours: cancelled, or taken by another worker."""


class BackendLost(JobInterrupted):
    """The connection that ran the job is gone."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job that this worker holds."""

    id: UUID
    org_id: UUID
    lease: UUID = field(repr=False)
    question: str | None
    sql: str | None
    attempt: int


@dataclass(frozen=True, slots=True)
class JobLimits:
    """The numbers of authz.job_limits()."""

    max_rows: int
    max_bytes: int
    max_seconds: int
    max_plan_cost: float
    work_mem_kb: int
    lease_seconds: int
    max_attempts: int
    running_per_org: int
    queued_per_person: int
    result_days: int


@dataclass(frozen=True, slots=True)
class Reserved:
    """What the database decided of one call of a model."""

    id: UUID
    key: str = field(repr=False)
    """Settles it."""
    redact: bool
    refused_by: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What SQL gave. `columns`: list of {name, type}; `rows`: lists in their order."""

    columns: list[dict[str, str]]
    rows: list[list[Any]]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended: succeeded with `found`, or failed or refused with a code and a sentence."""

    status: str
    error_code: str | None = None
    error_message: str | None = None
    ran_sql: str | None = None
    drafted_sql: str | None = None
    """As the model wrote it."""
    found: Found | None = None
    chart: dict[str, Any] | None = None
