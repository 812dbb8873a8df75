"""The OpenAI wire shapes of answers, stream chunks, models and errors."""

import time
from collections.abc import Sequence
from typing import Any

from agent.errors import AgentError
from agent.question import Answer, ToolCalled

Json = dict[str, Any]


def completion(model: str, answer: Answer, called: Sequence[ToolCalled] = ()) -> Json:
    """Return a chat.completion object. `called`: shown beside the text; they are done, so the answer ends with `stop`."""
    message: Json = {"role": "assistant", "content": answer.text, "refusal": None}
    if called:
        message["tool_calls"] = [_tool_call(number, one, one.arguments) for number, one in enumerate(called)]
    return {
        "id": f"chatcmpl-{answer.run_id}", "object": "chat.completion", "created": int(time.time()), "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": _usage(answer), "ringfence": _ringfence(answer)}


class Chunks:
    """The chat.completion.chunk objects of one streamed answer; all share id, time and model."""

    def __init__(self, run_id: str, model: str, *, include_usage: bool) -> None:
        self._head = {"id": f"chatcmpl-{run_id}", "object": "chat.completion.chunk", "created": int(time.time()),
                      "model": model}
        self._include_usage = include_usage

    def first(self, *, escaped_html: bool = False) -> Json:
        begin = self._chunk({"role": "assistant", "content": ""})
        return begin | {"ringfence": {"escaped_html": True}} if escaped_html else begin

    def text(self, text: str) -> Json:
        return self._chunk({"content": text})

    def tool_call(self, number: int, called: ToolCalled) -> list[Json]:
        """Return the chunks of the call of that number: its name, then its arguments."""
        begin = self._chunk({"tool_calls": [{"index": number, **_tool_call(number, called, "")}]})
        return [begin, self._chunk({"tool_calls": [{"index": number, "function": {"arguments": called.arguments}}]})]

    def last(self, answer: Answer) -> list[Json]:
        """Return the chunk that ends the answer and carries `ringfence`, then the usage when it was asked for."""
        end = self._chunk({}, "stop") | {"ringfence": _ringfence(answer)}
        return [end, self._head | {"choices": [], "usage": _usage(answer)}] if self._include_usage else [end]

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> Json:
        chunk = self._head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]}
        return chunk | {"usage": None} if self._include_usage else chunk


def error_body(error: AgentError, request_id: str) -> Json:
    """Return {code, message, request_id}, and the same in OpenAI's shape."""
    kind = "invalid_request_error" if error.status < 429 else "rate_limit_error" if error.status == 429 else "api_error"
    return {"code": error.code, "message": error.message, "request_id": request_id,
            "error": {"message": error.message, "type": kind, "code": error.code, "param": None}}


def _tool_call(number: int, called: ToolCalled, arguments: str) -> Json:
    return {"id": f"call_{number}", "type": "function", "function": {"name": called.name, "arguments": arguments}}


def _usage(answer: Answer) -> Json:
    return {"prompt_tokens": answer.input_tokens, "completion_tokens": answer.output_tokens,
            "total_tokens": answer.input_tokens + answer.output_tokens}


def _ringfence(answer: Answer) -> Json:
    return {"run_id": answer.run_id, "conversation_id": answer.conversation_id, "citations": answer.citations}
