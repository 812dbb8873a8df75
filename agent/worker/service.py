"""The worker: takes jobs while there are any, holds on to them while they run, and lets go of them when it is told to stop."""

import asyncio
import random
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial

import psycopg

from agent import collector
from agent.providers.structured import Writer, create_writer
from agent.redaction import names
from agent.worker import log
from agent.worker.analyst import Analyst
from agent.worker.bell import Bell
from agent.worker.config import WorkerConfig
from agent.worker.executor import Executor
from agent.worker.jobs import BackendLost, Job, JobInterrupted, JobLimits, Revoked
from agent.worker.model import DecidedWriter
from agent.worker.queue import Queue
from agent.worker.watchdog import Watchdog

MOST_BACKOFF_S = 10.0
LOOK_AGAIN_S = 0.2
"""Least seconds between two looks whether a running job was cancelled."""


class Worker:
    """One process. Several work side by side on one database; it keeps nothing that another would need."""

    def __init__(self, config: WorkerConfig) -> None:
        self._config = config
        self._bell = Bell()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Take no more jobs, and return from `run` when those that run have ended or the time for that is over."""
        self._stopping.set()
        self._bell.ring()

    async def run(self) -> None:
        """Work until told to stop. Raises: psycopg.OperationalError when the database cannot be reached at the start."""
        async with AsyncExitStack() as stack:
            queue = await stack.enter_async_context(Queue(self._config.worker_url, self._config.name, self._config.concurrency + 2))
            limits = await queue.limits()
            watchdog = await stack.enter_async_context(Watchdog(self._config.analyst_url, limits.max_seconds))
            analyst = await stack.enter_async_context(Analyst(self._config.analyst_url, watchdog, limits))
            model = create_writer(self._config.model, self._config.model_style)
            model_for: Callable[[Job], Writer] | None = None
            if model is not None:
                stack.push_async_callback(model.close)
                model_for = partial(_decided, model, queue, self._config.pseudonym_key)
            listener = asyncio.create_task(self._bell.listen(self._config.worker_url))
            log.write("ready", worker=self._config.name, concurrency=self._config.concurrency)
            slots = [asyncio.create_task(self._slot(queue, Executor(analyst, model_for), limits)) for _ in range(self._config.concurrency)]
            stopping = asyncio.create_task(self._stopping.wait())
            # A slot never ends by itself: if one does, it is an error of ours, and the process that restarts us should see it.
            await asyncio.wait([stopping, *slots], return_when=asyncio.FIRST_COMPLETED)
            self.stop()
            _, late = await asyncio.wait(slots, timeout=self._config.drain_s)
            for task in (*late, listener, stopping):
                task.cancel()
            await asyncio.gather(*late, listener, stopping, return_exceptions=True)
            log.write("stopped", worker=self._config.name, let_go=len(late))
            for slot in slots:
                if slot not in late and slot.exception() is not None:
                    raise slot.exception()  # type: ignore[misc]

    async def _slot(self, queue: Queue, executor: Executor, limits: JobLimits) -> None:
        failures = 0
        while not self._stopping.is_set():
            rings = self._bell.rings
            try:
                taken = await queue.next()
                if isinstance(taken, Revoked):
                    log.write("job_revoked")
                elif taken is not None:
                    await self._work(queue, executor, limits, *taken)
                failures = 0
            except (psycopg.OperationalError, TimeoutError) as err:
                failures += 1
                log.write("database_lost", error=type(err).__name__)
                await self._bell.wait(self._bell.rings, min(0.5 * 2**failures, MOST_BACKOFF_S))
                continue
            if taken is None:
                # Not all at the same time, when many workers look at one database.
                await self._bell.wait(rings, self._config.poll_s * random.uniform(0.8, 1.2))

    async def _work(self, queue: Queue, executor: Executor, limits: JobLimits, job: Job, context: dict[str, object]) -> None:
        began = time.monotonic()
        work = asyncio.create_task(executor.answer(job, context))
        hold = asyncio.create_task(self._hold(queue, job, limits))
        outcome = "interrupted"
        try:
            await asyncio.wait([work, hold], return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                outcome = "lease_lost"
                return
            ended = await work
            await queue.finish(job, ended)
            outcome = ended.status
        except BackendLost:
            await queue.release(job)
            outcome = "backend_lost"
        except JobInterrupted as err:
            outcome = type(err).__name__
        except asyncio.CancelledError:
            await _ended(work)
            await queue.release(job, counts=False)
            outcome = "let_go"
            raise
        finally:
            await _ended(hold)
            await _ended(work)
            log.write("job", job_id=job.id, org_id=job.org_id, outcome=outcome, attempt=job.attempt, ms=round((time.monotonic() - began) * 1000))

    async def _hold(self, queue: Queue, job: Job, limits: JobLimits) -> None:
        """Renew the lease in time, and return when the job is no longer ours: another has it, or it was cancelled."""
        patience = limits.lease_seconds / 3
        deadline = time.monotonic() + limits.lease_seconds
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            await self._bell.wait(self._bell.rings, patience)
            try:
                if not await queue.renew(job):
                    return
                deadline = time.monotonic() + limits.lease_seconds
            except (psycopg.OperationalError, TimeoutError):
                if time.monotonic() > deadline:
                    return


def _decided(model: Writer, queue: Queue, pseudonym_key: bytes, job: Job) -> Writer:
    return DecidedWriter(model, queue, job, pseudonym_key)


async def _ended(task: asyncio.Task[object]) -> None:
    """Cancel a task and wait for its end; what it says no longer matters."""
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task


async def serve(config: WorkerConfig) -> None:
    """Work until SIGTERM or SIGINT. Raises: Misconfigured."""
    names.finder()  # said at the start, not at the first question
    collector.settle()
    worker = Worker(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    await worker.run()
