"""The statements of a PL/pgSQL body, in order, without executing anything.

PostgreSQL's own PL/pgSQL parser needs a database to look names up in; this splitter needs none. It keeps what a rule asks: which SQL runs,
which condition stops the function, what is assigned to which variable, what is run as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<text>[eE]?'(?:[^'\\]|\\.|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)|(?P<quoted>"(?:[^"]|"")*")
    |(?P<word>[A-Za-z_][\w$]*)|(?P<other>:=|\.\.|<<|>>|=>|\d+(?:\.\d+)?|.)""",
    re.S | re.X,
)
SQL_WORDS = {"select", "insert", "update", "delete", "with", "merge", "values", "truncate", "copy", "set", "reset", "grant", "revoke", "alter", "create", "drop", "lock", "call",
             "notify", "listen", "comment", "do", "analyze", "refresh", "execute", "table"}


@dataclass(frozen=True)
class Step:
    """One statement. `depth` counts the IF, CASE and LOOP blocks around it."""

    kind: str
    """declare, assign, if, else, end if, when, loop, sql, perform, execute, return, return query, return next, raise."""
    text: str
    """The SQL or the expression; for raise the whole rest of the statement."""
    targets: tuple[str, ...] = ()
    """Variables it sets: `into a, b`, `a := ...`, the loop variable."""
    depth: int = 0


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int = 0

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "word" else self.text


def tokens(source: str) -> list[Token]:
    """Return the tokens of a text, comments and white space left out."""
    return [Token(m.lastgroup if m.lastgroup != "tag" else "text", m.group(), m.start()) for m in TOKEN.finditer(source) if m.lastgroup != "space"]


def steps(source: str) -> list[Step]:
    """Return the statements of a body. Nothing raises: what is not understood is left out."""
    return list(_Reader(tokens(source)).read())


class _Reader:
    def __init__(self, found: list[Token]) -> None:
        self.tokens, self.at, self.depth = found, 0, 0

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead].word if self.at + ahead < len(self.tokens) else ""

    def until(self, *ends: str) -> list[Token]:
        """Return the tokens up to one of `ends` that stands outside brackets and CASE, and step over it."""
        found, brackets, cases = [], 0, 0
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if brackets == 0 and cases == 0 and token.word in ends:
                break
            brackets += (token.word in "([") - (token.word in ")]") if len(token.word) == 1 else 0
            cases += (token.word == "case") - (token.word == "end" and cases > 0)
            found.append(token)
        return found

    def read(self) -> Iterator[Step]:
        declaring = False
        while self.at < len(self.tokens):
            word = self.peek()
            if word in ("declare", "begin", "loop"):
                declaring = word == "declare"
                self.at += 1
                if word == "begin" and self.peek() == "atomic":
                    self.at += 1
            elif declaring:
                yield from self._declaration(self.until(";"))
            else:
                yield from self._statement(word)

    def _declaration(self, found: list[Token]) -> Iterator[Step]:
        if found:
            place = next((i for i, t in enumerate(found) if t.word in (":=", "default", "=", "for", "is")), len(found))
            yield Step("declare", _text(found[place + 1:]), (_identifier(found[0]),), self.depth)

    def _statement(self, word: str) -> Iterator[Step]:
        if word in ("if", "elsif", "elseif", "when"):
            self.at += 1
            if word == "if":
                self.depth += 1
            yield Step("if" if word != "when" else "when", _text(self.until("then")), depth=self.depth)
        elif word == "else":
            self.at += 1
            yield Step("else", "", depth=self.depth)
        elif word == "case":
            self.at += 1
            self.depth += 1
            head = []
            while self.at < len(self.tokens) and self.peek() != "when":
                head.append(self.tokens[self.at])
                self.at += 1
            yield Step("if", _text(head), depth=self.depth)
        elif word == "end":
            closed = self.peek(1)
            self.at += 2 if closed in ("if", "case", "loop") else 1
            self.until(";")
            if closed in ("if", "case", "loop"):
                yield Step(f"end {closed}", "", depth=self.depth)
                self.depth -= 1
        elif word in ("while", "for", "foreach"):
            self.at += 1
            self.depth += 1
            yield self._loop(word, self.until("loop"))
        elif word == "<<":
            self.until(">>")
        elif word == "exception" and self.peek(1) == "when":
            self.at += 1
        else:
            yield from self._simple(word, self.until(";"))

    def _loop(self, word: str, found: list[Token]) -> Step:
        if word == "while":
            return Step("loop", _text(found), depth=self.depth)
        place = next((i for i, t in enumerate(found) if t.word in ("in", "array")), len(found))
        targets = tuple(_identifier(t) for t in found[:place] if t.kind in ("word", "quoted") and t.word not in ("slice", "in"))
        inside = [t for t in found[place + 1:] if t.word != "reverse"]
        if inside and inside[0].word == "array":
            inside = inside[1:]
        if inside and inside[0].word == "execute":
            return Step("execute", _text(inside[1:]), targets, self.depth)
        return Step("sql" if inside and inside[0].word in SQL_WORDS | {"("} else "assign", _text(inside), targets, self.depth)

    def _simple(self, word: str, found: list[Token]) -> Iterator[Step]:
        rest = found[1:]
        if not found or word in ("null", "exit", "continue", "get", "close", "fetch", "move", "commit", "rollback"):
            return
        if word == "return":
            if rest and rest[0].word == "query":
                dynamic = len(rest) > 1 and rest[1].word == "execute"
                yield Step("execute" if dynamic else "return query", _text(rest[2 if dynamic else 1:]), depth=self.depth)
            else:
                following = bool(rest) and rest[0].word == "next"
                yield Step("return next" if following else "return", _text(rest[1 if following else 0:]), depth=self.depth)
        elif word == "raise":
            yield Step("raise", _text(rest), depth=self.depth)
        elif word == "perform":
            yield Step("perform", "select " + _text(rest), depth=self.depth)
        elif word == "assert":
            yield Step("assert", _text(rest), depth=self.depth)
        elif word == "execute":
            text, targets = _without_into(rest)
            yield Step("execute", text, targets, self.depth)
        elif word == "open":
            place = next((i for i, t in enumerate(found) if t.word == "for"), len(found))
            yield Step("sql", _text(found[place + 1:]), (_identifier(found[1]),) if len(found) > 1 else (), self.depth)
        elif word not in SQL_WORDS and (place := next((i for i, t in enumerate(found) if t.word in (":=", "=")), 0)):
            yield Step("assign", _text(found[place + 1:]), (_identifier(found[0]),), self.depth)
        else:
            text, targets = _without_into(found)
            yield Step("sql", text, targets, self.depth)


def _without_into(found: list[Token]) -> tuple[str, tuple[str, ...]]:
    """Return the statement without `into [strict] a, b`, and the variables named there."""
    brackets = 0
    for place, token in enumerate(found):
        brackets += (token.text == "(") - (token.text == ")")
        before = found[place - 1].word if place else ""
        if token.word == "into" and brackets == 0 and before not in ("insert", "merge"):
            end = place + 1 + (place + 1 < len(found) and found[place + 1].word == "strict")
            targets: list[str] = []
            while end < len(found) and found[end].kind in ("word", "quoted"):
                targets.append(_identifier(found[end]))
                end += 1
                while end + 1 < len(found) and found[end].text == ".":
                    end += 2
                if end < len(found) and found[end].text == ",":
                    end += 1
                else:
                    break
            return _text(found[:place] + found[end:]), tuple(targets)
    return _text(found), ()


def _identifier(token: Token) -> str:
    return token.text[1:-1].replace('""', '"') if token.kind == "quoted" else token.text.lower()


def _text(found: list[Token]) -> str:
    """Join tokens into SQL text again; what stood together stays together."""
    text = ""
    for before, token in zip([None, *found], found, strict=False):
        glued = before is not None and before.start + len(before.text) == token.start
        text += token.text if glued or not text else " " + token.text
    return text
