"""The loop: a question goes in, tools are called as the person who asked, an answer with citations comes out.

Every step is recorded by the database. Whatever happens after `start_run`, the run is finished: succeeded, failed with
a code, or cancelled when the client went away. One alone is left open: the run whose call waits for an approval.
"""

import asyncio
import logging
import secrets
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

from agent.analytics import jobs
from agent.analytics import tool as data_tool
from agent.approvals import Approval, Decided
from agent.calls import Prepared, prepared
from agent.catalog import EMBEDDED_ARGUMENT, Tool, parse_catalog
from agent.citations import Citations
from agent.config import KEY_BYTES
from agent.embedding import Embedder
from agent.errors import AgentError, ModelMalformed, OutOfTime, OutOfTokens, TimedOut
from agent.history import latest_turns
from agent.limits import ANSWER_TOKENS, Budget, Limits
from agent.model_calls import EmbedderFor, ModelCall, begin, end
from agent.prompt import render_result, system_prompt
from agent.providers.base import Done, Message, ModelRequest, Provider, TextDelta, ToolCall, ToolResult
from agent.question import Answer, Emit, Progress, Question, Spent, Started, ToolCalled, ToolReturned
from agent.redaction.pseudonyms import Pseudonyms
from agent.redaction.request import Redacted
from agent.rpc import Rpc
from agent.tokens import Gauge, at_most, count_tokens
from agent.unforeseen import where

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Agent:
    """Answers questions; holds no identity and no state between runs."""

    provider: Provider
    embedder: Embedder
    limits: Limits = field(default_factory=Limits)
    pseudonym_key: bytes = field(default_factory=lambda: secrets.token_bytes(KEY_BYTES), repr=False)

    async def close(self) -> None:
        """Let go of connections."""
        await self.provider.close()
        await self.embedder.close()

    async def answer(self, rpc: Rpc, question: Question, emit: Emit) -> Answer:
        """Return the answer. Raises: AgentError, after the run has been finished as failed."""
        functions = await rpc.call("tool_catalog")
        run = await self._open(rpc, question, emit)
        try:
            async with asyncio.timeout(self.limits.wall_s):
                await emit(run.started)
                await run.converse(functions, question.text)
            return await run.succeed() if run.waiting is None else run.answer()
        except asyncio.CancelledError:
            await run.finish("cancelled")
            raise
        except TimeoutError as err:
            await run.finish("failed", OutOfTime.code)
            raise OutOfTime from err
        except AgentError as err:
            await run.finish("failed", err.code)
            raise
        except Exception as err:
            log.error("unforeseen: %s", where(err), extra={"run_id": run.started.run_id})
            await run.finish("failed", AgentError.code)
            raise AgentError from err

    async def _open(self, rpc: Rpc, question: Question, emit: Emit) -> "_Run":
        opening = asyncio.ensure_future(rpc.call("start_run", {
            "bot": question.bot, "question": question.text, "conversation_id": question.conversation_id,
            "request_id": question.request_id or None}) if question.approval_id is None
            else rpc.call("resume_run", {"approval_id": question.approval_id}))
        try:
            return _Run(self, rpc, emit, await asyncio.shield(opening))
        except asyncio.CancelledError:
            # The call is on its way: left alone, the run would stay open for ever.
            with suppress(AgentError):
                opened = await opening
                # What was only looked at waits as before.
                if question.approval_id is None:
                    await _Run(self, rpc, emit, opened).finish("cancelled")
            raise


class _Run:
    """One run in the making."""

    def __init__(self, agent: Agent, rpc: Rpc, emit: Emit, opened: dict[str, Any]) -> None:
        self.agent, self.rpc, self.emit, self.opened = agent, rpc, emit, opened
        self.started = Started(opened["run_id"], opened["conversation_id"], getattr(agent.provider, "escapes_html", False))
        self.tools: dict[str, Tool] = {}
        self.budget = Budget(agent.limits)
        self.citations = Citations()
        self.text = ""
        self.call: ModelCall | None = None
        """The model call that has no step yet."""
        self.waiting: Approval | None = None
        self.redacted = Redacted(agent.provider, Pseudonyms(agent.pseudonym_key, opened["org_id"]), agent.limits.result_characters)
        self.data: dict[str, data_tool.Told] = {}
        """By job: what data was asked and answered in this run."""
        self._watch = data_tool.Watch(rpc, opened["org_id"], lambda facts: emit(Progress(facts)))

    async def converse(self, functions: list[dict[str, Any]], question: str) -> None:
        """Alternate model calls and tool calls until the model has nothing more to call."""
        # Only what the bot is bound to; which calls wait for an approval is the database's to say.
        self.tools = parse_catalog(function for function in functions if function["name"] in self.opened["tools"])
        bot = self.opened["bot"]
        messages = [Message("system", system_prompt(bot["name"], bot["instructions"]))]
        messages += await latest_turns(self.opened["history"], self.agent.limits.history_tokens)
        said, calls = "", []
        if (decided := Decided.of(self.opened)) is None:
            messages.append(Message("user", question))
            said, calls = await self._ask(messages)
        else:
            # The question is the last of the history.
            calls = [decided.prepared(self.tools)]
        while calls:
            messages.append(Message("assistant", said, tool_calls=[call for call, _ in calls]))
            for call, arguments in calls:
                self.budget.spend_tool_call(f"{call.name} {call.arguments}")
                result = arguments if isinstance(arguments, ToolResult) else await self._use(call, arguments)
                if self.waiting is not None:
                    return await self._say(f"\n\n{self.waiting.notice}" if self.text else self.waiting.notice)
                content = render_result(result, self.agent.limits.result_characters)
                messages.append(Message("tool", content, tool_call_id=call.id, result=result))
            said, calls = await self._ask(messages)
        if not self.text.strip():
            raise ModelMalformed
        for told in self.data.values():
            await self._say(data_tool.card(self._watch.org_id, told))

    async def _ask(self, messages: list[Message]) -> tuple[str, list[Prepared]]:
        with self.rpc.spans.step("model call"):
            return await self._asked(messages)

    async def _asked(self, messages: list[Message]) -> tuple[str, list[Prepared]]:
        """Make one model call; return what was said and the tool calls, checked.

        Raises: ModelError, LimitExceeded, ProviderRefused, BudgetSpent.
        """
        request, provider = ModelRequest(messages, list(self.tools.values())), self.agent.provider
        sent = await at_most(request.text(), self.budget.tokens_left)
        self.budget.spend_model_call(sent)
        self.call = await begin(self.rpc, self.opened["org_id"], provider.name, provider.model,
                                sent + min(ANSWER_TOKENS, max(1, self.budget.tokens_left - sent)), run_id=self.started.run_id)
        said, done, gauge = "", Done(), Gauge(ANSWER_TOKENS)
        async with aclosing((self.redacted if self.call.redact else provider).answer(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Done):
                    done = piece
                else:
                    # What is said before a tool call and after it are two paragraphs of one answer.
                    await self._say(piece.text if said or not self.text else f"\n\n{piece.text}")
                    said += piece.text
                    # More than was reserved is not taken, whatever the endpoint would give.
                    if not await gauge.holds(piece.text):
                        raise OutOfTokens
        used = await self._usage(request, said, done)
        checked = [prepared(call, self.tools) for call in done.tool_calls]
        refused = any(isinstance(arguments, ToolResult) for _, arguments in checked)
        await self._record("invalid" if refused else "ok", *used)
        await self.emit(Spent(sum(used)))
        self.budget.spend_tokens(*used)
        return said, checked

    async def _say(self, text: str) -> None:
        # What neither UTF-8 nor PostgreSQL can hold.
        text = text.encode(errors="replace").decode().replace("\x00", "")
        self.text += text
        if len(self.text) > self.agent.limits.answer_characters:
            raise OutOfTokens
        await self.emit(TextDelta(text))

    async def _use(self, call: ToolCall, arguments: dict[str, Any]) -> ToolResult:
        """Call the tool as the person; a refusal of the database is a result for the model to deal with."""
        tool = self.tools[call.name]
        await self.emit(ToolCalled(tool.name, call.arguments))
        answer = await self._call(tool, arguments)
        await self.emit(ToolReturned(tool.name, answer["outcome"]))
        rows, self.waiting = answer["rows"] or [], Approval.of(tool.name, answer)
        if tool.name == data_tool.ASK_DATA and (told := await self._watch.ended(answer)) is not None:
            rows = [told]
            if told["status"] == jobs.SUCCEEDED:
                self.data[told["job_id"]] = told
        return ToolResult(tool.name, answer["outcome"], answer["message"] or "", rows, self.citations.add(rows))

    async def _call(self, tool: Tool, arguments: dict[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {"run_id": self.started.run_id, "tool": tool.name, "arguments": arguments}
        if tool.needs_embedding and EMBEDDED_ARGUMENT in arguments:
            embedder = EmbedderFor(self.agent.embedder, self.rpc, self.opened["org_id"], run_id=self.started.run_id)
            [vector] = await embedder.embed([arguments[EMBEDDED_ARGUMENT]])
            body["query_embedding"] = vector
        try:
            return dict(await self.rpc.call("call_tool", body))
        except TimedOut:
            # Once more, where a second call cannot do anything twice (R103).
            if tool.effect != "read" and not tool.idempotent:
                raise
            return dict(await self.rpc.call("call_tool", body))

    async def _usage(self, request: ModelRequest, said: str, done: Done) -> tuple[int, int]:
        """Return (input, output) tokens: what the provider said, else a count of our own."""
        if done.input_tokens is not None and done.output_tokens is not None:
            return done.input_tokens, done.output_tokens
        written = said + "".join(call.name + call.arguments for call in done.tool_calls)
        return (await asyncio.to_thread(count_tokens, request.text()), await asyncio.to_thread(count_tokens, written))

    async def _record(self, outcome: str, input_tokens: int = 0, output_tokens: int = 0) -> None:
        """Write the step of the model call that was begun last, if it has none yet."""
        if self.call is not None:
            call, self.call = self.call, None
            await end(self.rpc, call, input_tokens, output_tokens, outcome)

    async def succeed(self) -> Answer:
        """Store the answer and return it. Raises: DatabaseError; then nobody may take the run for recorded."""
        answer = self.answer()
        await self._store("succeeded", answer.citations, None)
        return answer

    def answer(self) -> Answer:
        """Return what was said so far and what the run waits for."""
        return Answer(self.started.run_id, self.started.conversation_id, self.text, self.citations.cited_in(self.text),
                      self.budget.input_tokens, self.budget.output_tokens, [data_tool.shown(self._watch.org_id, told) for told in self.data.values()],
                      self.waiting)

    async def finish(self, outcome: str, error_code: str | None = None) -> None:
        """Store how far the run came; a failure here is logged, so that the first one is reported."""
        log.warning("run %s", outcome, extra={"run_id": self.started.run_id, "code": error_code})
        # In a task of its own: the request that is being cancelled does not take it along.
        task = asyncio.create_task(self._close(outcome, error_code))
        [error] = await asyncio.gather(asyncio.shield(task), return_exceptions=True)
        if isinstance(error, BaseException):
            log.error("run not finished", extra={"run_id": self.started.run_id, "code": getattr(error, "code", None)})

    async def _close(self, outcome: str, error_code: str | None) -> None:
        with suppress(AgentError):
            await self._record("failed")
        await self._store(outcome, self.citations.cited_in(self.text), error_code)

    async def _store(self, outcome: str, citations: list[dict[str, Any]], error_code: str | None) -> None:
        await self.rpc.call("finish_run", {
            "run_id": self.started.run_id, "outcome": outcome, "answer": self.text, "citations": citations,
            "error_code": error_code})
