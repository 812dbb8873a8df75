"""From a job to how it ended: SQL written when it was a question, checked, weighed, run as the requester; one round of repair."""

from typing import Any

import psycopg

from agent.analytics import guard
from agent.worker.analyst import Analyst, TooCostly
from agent.worker.jobs import Ended, Job

_TIMEOUT = Ended("failed", "timeout", "the query took longer than a job may: ask for less")
_TOO_COSTLY = Ended("refused", "too_costly", "the database expects the query to cost more than a job may: ask for less")
NO_MODEL = Ended("refused", "no_model", "No language model is configured here, so questions in words cannot be asked. Ask in SQL instead.")


def schema_of(context: dict[str, Any]) -> guard.Schema:
    """Return what the guard lets a statement name, from what authz.job_context() says."""
    return guard.Schema({relation["name"]: guard.Relation({column["name"]: column["type"] for column in relation["columns"]}, relation["target"])
                         for relation in context["relations"]})


class Executor:
    """Answers one job after the other; keeps nothing of any."""

    def __init__(self, analyst: Analyst) -> None:
        self._analyst = analyst

    async def answer(self, job: Job, context: dict[str, Any]) -> Ended:
        """Return how the job ends. Raises: JobInterrupted when it does not end here."""
        if job.sql is None:
            return NO_MODEL
        return await self._run(job, job.sql, schema_of(context))

    async def _run(self, job: Job, sql: str, schema: guard.Schema) -> Ended:
        try:
            checked = guard.check(sql, schema)
        except guard.Refused as err:
            return Ended("refused", err.code, err.message)
        try:
            found = await self._analyst.run(job, checked.sql)
        except TooCostly:
            return _TOO_COSTLY
        except psycopg.errors.QueryCanceled:
            return _TIMEOUT
        except psycopg.Error as err:
            # The requester's own SQL over rows they may read: the sentence is for them, without detail and hint.
            return Ended("failed", err.sqlstate or "XX000", err.diag.message_primary, checked.sql)
        return Ended("succeeded", ran_sql=checked.sql, found=found)
