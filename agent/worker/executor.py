"""From a job to how it ended: SQL written when it was a question, checked, weighed, run as the requester; one round of repair."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg

from agent.analytics import guard
from agent.analytics.chart import LOOKED_AT_ROWS, suggestion
from agent.analytics.columns import Column
from agent.analytics.context import SourceContext
from agent.analytics.generate import NO_MODEL, Said, Why, database_said, write_sql
from agent.errors import BudgetSpent, ModelError, ProviderRefused
from agent.providers.structured import Writer
from agent.worker.analyst import Analyst, NotPlanned, TooCostly
from agent.worker.jobs import Ended, Found, Job

DRAFTS = 2
"""Of SQL for one question: the second is made knowing what was wrong with the first."""
_TIMEOUT = Ended("failed", "timeout", "the query took longer than a job may: ask for less")
_TOO_COSTLY = Ended("refused", "too_costly", "the database expects the query to cost more than a job may: ask for less")
_NO_MODEL = Ended("refused", "no_model", NO_MODEL)


def schema_of(context: dict[str, Any]) -> guard.Schema:
    """Return what the guard lets a statement name, from what authz.job_context() says."""
    return guard.Schema({relation["name"]: guard.Relation({column["name"]: column["type"] for column in relation["columns"]}, relation["target"])
                         for relation in context["relations"]})


class Executor:
    """Answers one job after the other; keeps nothing of any."""

    def __init__(self, analyst: Analyst, model_for: Callable[[Job], Writer] | None = None) -> None:
        """`model_for`: gives what writes the SQL of one job; None: questions are refused."""
        self._analyst, self._model_for = analyst, model_for

    async def answer(self, job: Job, context: dict[str, Any]) -> Ended:
        """Return how the job ends. Raises: JobInterrupted when it does not end here."""
        schema = schema_of(context)
        if job.sql is not None:
            return (await self._run(job, job.sql, schema, None))[0]
        if self._model_for is None:
            return _NO_MODEL
        return await self._asked(job, self._model_for(job), SourceContext.of(context), schema)

    async def _asked(self, job: Job, model: Writer, about: SourceContext, schema: guard.Schema) -> Ended:
        before: str | None = None
        why: Why | None = None
        ended = _NO_MODEL
        for _ in range(DRAFTS):
            try:
                draft = await write_sql(job.question or "", about, model, before=before, refused=why)
            except (ProviderRefused, BudgetSpent) as err:
                return Ended("refused", err.code, err.message)
            except ModelError as err:
                return Ended("failed", err.code, err.message)
            if draft.sql is None:
                return Ended("refused", "model_refused", draft.refusal)
            ended, why = await self._run(job, draft.sql, schema, draft.chart)
            ended = replace(ended, drafted_sql=draft.sql)
            if why is None:
                break
            before = draft.sql
        return ended

    async def _run(self, job: Job, sql: str, schema: guard.Schema, wish: dict[str, Any] | None) -> tuple[Ended, Why | None]:
        """Return how it ended, and what a second draft could be made from; None: none would help."""
        try:
            checked = guard.check(sql, schema)
        except guard.Refused as err:
            return Ended("refused", err.code, err.message), err
        try:
            found = await self._analyst.run(job, checked.sql)
        except TooCostly:
            return _TOO_COSTLY, Said("too_costly", "The database expects the query to cost more than is allowed.")
        except psycopg.errors.QueryCanceled:
            return _TIMEOUT, None
        except NotPlanned as err:
            return Ended("failed", err.code, err.message, checked.sql), database_said(err.code, err.message)
        except psycopg.Error as err:
            # It may quote a row: the sentence is for the requester, who may read that row, and for no model and no log.
            code = err.sqlstate or "XX000"
            return Ended("failed", code, err.diag.message_primary or "", checked.sql), database_said(code, None)
        return Ended("succeeded", ran_sql=checked.sql, found=found, chart=await asyncio.to_thread(_chart, wish, found)), None


def _chart(wish: dict[str, Any] | None, found: Found) -> dict[str, Any] | None:
    return suggestion(wish, Column.all_of(found.columns), found.rows[:LOOKED_AT_ROWS])
