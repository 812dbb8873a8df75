"""Calls that wait for an approval (F36): what a run says when it stops at one, and how it goes on after the decision."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from agent.calls import Prepared
from agent.providers.base import ToolCall, ToolResult

NEEDS_APPROVAL = "needs_approval"
"""The outcome of a tool call that was asked for and not made."""
_WHY = {
    "destructive": "it destroys something",
    "tainted": "this conversation has seen private data and text that nobody vouches for, and the call would change something",
    "organization": "the organization wants every change approved",
}
_GONE = "not allowed: this call was asked for and denied"


@dataclass(frozen=True, slots=True)
class Approval:
    """What waits; the run that asked stays open until it is decided, or its time is over."""

    id: str
    tool: str
    reason: str
    """destructive, tainted or organization."""
    expires_at: str
    """ISO 8601."""

    @staticmethod
    def of(tool: str, answer: dict[str, Any]) -> Approval | None:
        """Return what a tool call that was answered so waits for, if it does."""
        if answer["outcome"] != NEEDS_APPROVAL:
            return None
        asked = answer["approval"]
        return Approval(asked["id"], tool, asked["reason"], asked["expires_at"])

    @property
    def notice(self) -> str:
        """Say to the person what waits and why; the model has no part in it."""
        why = _WHY.get(self.reason, "its kind of call does")
        return f"`{self.tool}` was not called: it waits for an approval ({self.id}), because {why}."

    def wire(self) -> dict[str, str]:
        """Return {id, tool, reason, expires_at}."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Decided:
    """The call that a run goes on with, as `api.resume_run` tells it."""

    call: ToolCall
    arguments: dict[str, Any]
    refusal: ToolResult | None
    """What the model is told instead of a call, when it was denied."""

    def prepared(self, tools: Collection[str]) -> Prepared:
        """Return the call as if the model had just asked for it, with these tools to choose from."""
        if self.call.name not in tools:
            return self.call, ToolResult(self.call.name, "denied", "The bot is not bound to this tool any more.")
        return self.call, self.refusal or self.arguments

    @staticmethod
    def of(opened: dict[str, Any]) -> Decided | None:
        """Return the decided call of an opened run, if it was opened to go on with one."""
        if (told := opened.get("call")) is None:
            return None
        tool, arguments = told["tool"], told["arguments"] or {}
        call = ToolCall("decided", tool, json.dumps(arguments, sort_keys=True, ensure_ascii=False))
        return Decided(call, arguments, None if told["state"] == "approved" else ToolResult(tool, "denied", _GONE))
