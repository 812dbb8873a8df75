"""Tools as the database describes them: rows of `api.tool_catalog()` and the grammar of their comments.

A comment is one or more lines of summary, then tags, one a line; an indented line continues the tag above it:

    @param NAME prose      an argument of the model; the prose holds the bounds
    @context NAME prose    an argument filled by the run or the database, never by a model
    @returns prose         what comes back
    @errors CODE, CODE     SQLSTATEs it may raise
    @effect read|write|destructive
    @audience bot|app      bot: can be bound to a bot
    @changes nothing       of a tool that writes: only work of its own run, so that the database asks no approval for it; of one that reads and is
                           volatile all the same: it writes nothing but its own record
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, cast

from agent.errors import Misconfigured
from agent.schema import Schema, argument_schema, lint_argument, validate

Effect = Literal["read", "write", "destructive"]

EMBEDDED_ARGUMENT, EMBEDDING_CONTEXT = "query", "query_embedding"
# Filled by the database from the run and the arguments, so that a repeated write is the same write (R103).
IDEMPOTENCY_KEY = "idempotency_key"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TAG = re.compile(r"@(\w+)\s*(.*)")
_SINGLE = ("returns", "errors", "effect", "audience", "changes")


@dataclass(frozen=True, slots=True)
class Comment:
    """A parsed function comment."""

    summary: str
    params: dict[str, str]
    context: dict[str, str]
    tags: dict[str, str]
    """returns, errors, effect, audience, changes."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One function a model may call."""

    name: str
    summary: str
    returns: str
    parameters: Schema
    """JSON schema of the arguments: an object, additionalProperties false."""
    effect: Effect
    context: frozenset[str]
    """Arguments the run supplies."""
    idempotent: bool
    """The same call again in the same run does nothing more."""

    @property
    def description(self) -> str:
        """What a model reads."""
        return f"{self.summary} Returns: {self.returns}" if self.returns else self.summary

    @property
    def needs_embedding(self) -> bool:
        return EMBEDDING_CONTEXT in self.context and EMBEDDED_ARGUMENT in self.parameters["properties"]

    def validated(self, arguments: Any) -> dict[str, Any]:
        """Return the arguments if they fit the schema exactly (R98). Raises: BadArguments."""
        return validate(self.parameters, arguments)


def parse_comment(text: str) -> Comment:
    """Return the parts of a function comment. Raises: Misconfigured."""
    summary: list[str] = []
    comment = Comment("", {}, {}, {})
    target: dict[str, str] | None = None
    key = ""
    for line in text.splitlines():
        tag = _TAG.match(line)
        if tag is not None:
            target, key, prose = _slot(comment, tag[1], tag[2])
            if key in target:
                raise Misconfigured(f"comment: @{tag[1]} {key} is there twice")
            target[key] = prose
        elif target is None:
            summary.append(line.strip())
        elif line.strip():
            target[key] = f"{target[key]} {line.strip()}"
    text_summary = " ".join(filter(None, summary))
    if not text_summary:
        raise Misconfigured("comment: the summary is missing")
    return Comment(text_summary, comment.params, comment.context, comment.tags)


def _slot(comment: Comment, tag: str, rest: str) -> tuple[dict[str, str], str, str]:
    """Return where a tag's prose belongs: (table, key, prose)."""
    if tag in _SINGLE:
        return comment.tags, tag, rest.strip()
    if tag in ("param", "context"):
        name, _, prose = rest.partition(" ")
        if not _NAME.fullmatch(name):
            raise Misconfigured(f"comment: @{tag} needs the name of an argument")
        return (comment.params if tag == "param" else comment.context), name, prose.strip()
    raise Misconfigured(f"comment: unknown tag @{tag}")


def parse_tool(row: dict[str, Any]) -> Tool | None:
    """Return the tool of one catalog row, or None when it is not for bots. Raises: Misconfigured."""
    name = str(row["name"])
    try:
        comment = parse_comment(row["comment"] or "")
        return _tool(name, row, comment) if comment.tags.get("audience") == "bot" else None
    except Misconfigured as err:
        raise Misconfigured(f"tool {name}: {err.message}") from err


def _tool(name: str, row: dict[str, Any], comment: Comment) -> Tool:
    if not _NAME.fullmatch(name):
        raise Misconfigured("the name is not a plain identifier")
    effect = comment.tags.get("effect")
    if effect not in ("read", "write", "destructive"):
        raise Misconfigured("@effect must be read, write or destructive")
    recorded = effect == "read" and comment.tags.get("changes") == "nothing"
    if (effect == "read" and not recorded) != (row["volatility"] == "stable"):
        raise Misconfigured("@effect and the volatility of the function disagree")
    declared = {argument["name"] for argument in row["arguments"]}
    if declared != comment.params.keys() | comment.context.keys() or comment.params.keys() & comment.context.keys():
        raise Misconfigured("every argument needs exactly one @param or @context")
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for argument in row["arguments"]:
        argument_name, prose = argument["name"], comment.params.get(argument["name"])
        if prose is None:
            continue
        lint_argument(argument_name, prose)
        properties[argument_name] = argument_schema(argument_name, argument["type"], prose)
        if argument["required"]:
            required.append(argument_name)
    parameters = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return Tool(name, comment.summary, comment.tags.get("returns", ""), parameters, cast(Effect, effect),
                frozenset(comment.context), IDEMPOTENCY_KEY in comment.context)


def parse_catalog(rows: Iterable[dict[str, Any]]) -> dict[str, Tool]:
    """Return the tools for bots by name. Raises: Misconfigured; one bad tool spoils them all, loudly."""
    tools: dict[str, Tool] = {}
    for row in rows:
        tool = parse_tool(row)
        if tool is None:
            continue
        if tool.name in tools:
            raise Misconfigured(f"tool {tool.name}: the name is there twice")
        tools[tool.name] = tool
    return tools
