"""The model of the worker: each call is decided by the database first, and sees no personal data where the organization wants none out."""

import asyncio
import json
from collections.abc import Sequence

from agent.errors import BudgetSpent, ProviderRefused
from agent.model_calls import REFUSALS
from agent.providers.structured import Writer, Written
from agent.redaction.pseudonyms import Pseudonyms
from agent.schema import Schema
from agent.tokens import at_most
from agent.worker.jobs import Job
from agent.worker.queue import Queue

_COUNTED_FROM = 20_000
"""Bytes; below it each is reserved as a token, so that the usual question needs no counting."""


class DecidedWriter:
    """A writer for one job: asks the data policy and the budgets of its organization before each call, and settles it afterwards."""

    def __init__(self, writer: Writer, queue: Queue, job: Job, pseudonym_key: bytes) -> None:
        self.name, self.model = writer.name, writer.model
        self._writer, self._queue, self._job = writer, queue, job
        self._pseudonyms = Pseudonyms(pseudonym_key, str(job.org_id))

    async def write(self, messages: Sequence[dict[str, str]], schema: Schema, max_tokens: int) -> Written:
        """Return what the model wrote, with the data back in its place. Raises: ProviderRefused, BudgetSpent, ModelError, JobInterrupted."""
        sent = await at_most("".join(message["content"] for message in messages) + json.dumps(schema), _COUNTED_FROM)
        call = await self._queue.reserve(self._job, self.name, self.model, sent + max_tokens)
        if call.refused_by == "budget":
            raise BudgetSpent
        if call.refused_by is not None:
            raise ProviderRefused(REFUSALS.get(call.refused_by))
        used = (0, 0)
        try:
            if call.redact:
                messages = await asyncio.to_thread(self._hidden, messages)
            # What it takes cannot be known when it fails on the way: then everything that was sent counts.
            used = (sent, 0)
            written = await self._writer.write(messages, schema, max_tokens)
            used = (sent if written.input_tokens is None else written.input_tokens, max_tokens if written.output_tokens is None else written.output_tokens)
            return Written(self._pseudonyms.show_all(written.value), *used) if call.redact else written
        finally:
            await self._queue.settle(self._job, call, *used)

    def _hidden(self, messages: Sequence[dict[str, str]]) -> list[dict[str, str]]:
        return [message | {"content": self._pseudonyms.hide(message["content"])} for message in messages]

    async def close(self) -> None:
        """The writer is closed by whom it belongs to."""
