"""Conditions inside SQL text: where each operand of an `and` begins and ends, so that it can be left out.

Works on the text of expressions and of function bodies alike: words, strings and parentheses are told apart, nothing is parsed further.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<skip>\s+|--[^\n]*|/\*.*?\*/)|(?P<quote>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|'(?:[^']|'')*'|\"[^\"]*\")"
    r"|(?P<word>[A-Za-z_][\w$]*)|(?P<open>[(\[])|(?P<close>[)\]])|(?P<mark>:=|;|,)|(?P<other>.)", re.DOTALL)
_BEFORE = {"and", "or", "where", "on", "when", "if", "elsif", "having", "select", "return", "then", "else", ",", ";", ":=", "begin"}
_AFTER = {"and", "or", "then", "group", "order", "limit", "union", "returning", "join", "left", "cross", "when", "else", "end", "loop", "from", "for", ",", ";", "as",
          "on", "where", "having"}


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int
    depth: int


def _tokens(text: str) -> list[_Token]:
    found, depth = [], 0
    cases: list[int] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup if match.lastgroup != "tag" else "quote"
        if kind == "skip":
            continue
        word = match[0].lower() if kind in ("word", "mark") else match[0]
        # `case ... end` holds its conditions as parentheses do; the `end` of a block is none.
        if kind == "word" and word == "end" and cases and cases[-1] == depth:
            cases.pop()
            kind, word = "close", "end of case"
        if kind == "close":
            depth -= 1
        found.append(_Token(word, match.start(), match.end(), depth))
        if kind == "word" and word == "case":
            cases.append(depth + 1)
            kind = "open"
        if kind == "open":
            depth += 1
    return found


def operands(text: str) -> list[tuple[int, int]]:
    """Return start and end of every operand of every `and`, at any depth, and of every condition after `where` that stands alone."""
    tokens = _tokens(text)
    spans: set[tuple[int, int]] = set()
    for i, token in enumerate(tokens):
        if token.text == "and" and not _of_between(tokens, i):
            spans |= {s for s in (_left(tokens, i), _right(tokens, i)) if s}
        elif token.text == "where" and (span := _right(tokens, i)):
            following = next((t for t in tokens if t.start >= span[1]), None)
            if following is None or following.text not in ("and", "or") or following.depth != token.depth:
                spans.add(span)
    return sorted(spans)


def without(text: str) -> Iterator[tuple[str, str]]:
    """Yield each condition left out: its own text, and the whole with `true` in its place."""
    for start, end in operands(text):
        condition = text[start:end]
        if condition.lower().strip("() ") != "true":
            yield " ".join(condition.split()), f"{text[:start]}true{text[end:]}"


def _of_between(tokens: list[_Token], i: int) -> bool:
    depth = tokens[i].depth
    for t in reversed(tokens[:i]):
        if t.depth < depth or t.depth == depth and t.text in ("and", "or", "where", "when"):
            return False
        if t.depth == depth and t.text == "between":
            return True
    return False


def _left(tokens: list[_Token], i: int) -> tuple[int, int] | None:
    depth, first = tokens[i].depth, None
    for j in range(i - 1, -1, -1):
        t = tokens[j]
        if t.depth < depth or t.depth == depth and t.text in _BEFORE and not (t.text == "and" and _of_between(tokens, j)):
            break
        first = t
    return (first.start, tokens[i - 1].end) if first else None


def _right(tokens: list[_Token], i: int) -> tuple[int, int] | None:
    depth, last, seen_between, distinct = tokens[i].depth, None, False, False
    for t in tokens[i + 1:]:
        if t.depth == depth:
            if t.text == "between":
                seen_between = True
            elif t.text == "and" and seen_between:
                seen_between = False
                last = t
                continue
            elif t.text == "from" and distinct:
                last = t
                continue
            elif t.text in _AFTER:
                break
            distinct = t.text == "distinct"
        # A closing parenthesis of the group around has the depth of what stands before it.
        elif t.depth < depth:
            break
        last = t
    return (tokens[i + 1].start, last.end) if last else None
