"""Cut a text into passages that can be found and quoted.

Every passage is exactly a slice of the text: `text[start_char:end_char] == content`. The same text always gives the
same passages. A heading begins a new passage and stays with what follows it; each passage knows the headings above it.
Headings are Markdown's own, or the marks that a parser of another format hands over.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TARGET = 600
"""A passage is closed when the next block would take it past this many characters."""
MAXIMUM = 1200
"""No passage is longer."""

HEADING_MAXIMUM = 300
"""No heading path is longer; of a longer one the outermost headings are left out."""

_TITLE_MAXIMUM = 120
_HEADING = re.compile(r"#{1,6}\s\S")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-+)\s*$")
_VISIBLE = re.compile(r"\S")
_BREAKS = (re.compile(r"\n"), re.compile(r"(?<=[.!?])\s"), re.compile(r"\s"))


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage and where it stands in the text, in characters."""

    position: int
    content: str
    start_char: int
    end_char: int
    heading: str | None = None
    """The headings it stands under, outermost first: `Install > Linux`; at most HEADING_MAXIMUM characters."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A heading at `start`; `length` of its characters stand in the text, none for a page, slide or sheet."""

    start: int
    level: int
    title: str
    length: int


@dataclass(frozen=True, slots=True)
class _Block:
    start: int
    end: int
    heading: bool
    level: int = 0
    title: str = ""


def chunk(text: str, marks: Sequence[Mark] | None = None) -> list[Chunk]:
    """Return the passages of `text` in order; they do not overlap, and only white space is left out.

    `marks`: the headings, by place; without them those of Markdown.
    """
    spans: list[tuple[int, int, str | None]] = []
    path: list[tuple[int, str]] = []
    heading: str | None = None
    start = end = -1
    only_headings = True
    for block in _markdown_blocks(text) if marks is None else _marked_blocks(text, marks):
        too_long = block.end - start > TARGET
        # A run of headings stays together with the text below the last one, unless that passes the maximum.
        if start >= 0 and (((block.heading or too_long) and not only_headings) or block.end - start > MAXIMUM):
            spans.append((start, end, heading))
            start = -1
        only_headings = block.heading and (start < 0 or only_headings)
        # A page or sheet is a heading without text: the passage begins with what follows it.
        start, end = (start if start >= 0 and start < end else block.start), block.end
        if block.heading:
            path = [*((level, title) for level, title in path if level < block.level), (block.level, block.title)]
            heading = _path_text([title for _, title in path])
    if start >= 0:
        spans.append((start, end, heading))
    pieces = [(*piece, heading) for start, end, heading in spans for piece in _split(text, start, end)]
    return [Chunk(i, text[start:end], start, end, heading) for i, (start, end, heading) in enumerate(pieces)]


def _path_text(titles: list[str]) -> str | None:
    titles = [title if len(title) <= _TITLE_MAXIMUM else title[:_TITLE_MAXIMUM - 1] + "…" for title in titles if title]
    while len(" > ".join(titles)) > HEADING_MAXIMUM:
        del titles[0]
    return " > ".join(titles) or None


def _marked_blocks(text: str, marks: Sequence[Mark]) -> Iterator[_Block]:
    """Yield the marks and the paragraphs between them."""
    position = 0
    for mark in marks:
        yield from _paragraphs(text, position, mark.start)
        position = mark.start + mark.length
        yield _Block(mark.start, position, True, mark.level, mark.title)
    yield from _paragraphs(text, position, len(text))


def _paragraphs(text: str, offset: int, stop: int) -> Iterator[_Block]:
    start: int | None = None
    end = offset
    for line in text[offset:stop].splitlines(keepends=True):
        body = line.rstrip()
        if body:
            start = offset + len(line) - len(line.lstrip()) if start is None else start
            end = offset + len(body)
        elif start is not None:
            yield _Block(start, end, False)
            start = None
        offset += len(line)
    if start is not None:
        yield _Block(start, end, False)


def _markdown_blocks(text: str) -> Iterator[_Block]:
    """Yield paragraphs, headings and fenced code blocks, without the blank lines between them."""
    start: int | None = None
    end = offset = lines = 0
    fence = ""
    for line in text.splitlines(keepends=True):
        body = line.rstrip()
        mark = _FENCE.match(line)
        heading = not fence and _HEADING.match(line)
        if start is not None and not fence and (heading or not body):
            yield _Block(start, end, False)
            start = None
        if heading:
            marks = len(line) - len(line.lstrip("#"))
            yield _Block(offset, offset + len(body), True, marks, _title(body.strip("#")))
        elif body:
            underline = start is not None and lines == 1 and _UNDERLINE.match(line)
            if start is None:
                start, lines = offset + len(line) - len(line.lstrip()), 0
            lines += 1
            end = offset + len(body)
            if underline and not fence:
                yield _Block(start, end, True, 1 if body.lstrip()[0] == "=" else 2, _title(text[start:offset]))
                start = None
            if mark:
                fence = "" if fence == mark[1] else fence or mark[1]
        offset += len(line)
    if start is not None:
        yield _Block(start, end, False)


def _title(text: str) -> str:
    return " ".join(text.split())


def _split(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the span in pieces of at most MAXIMUM, cut at a line, a sentence, a space, or anywhere."""
    pieces: list[tuple[int, int]] = []
    while end - start > MAXIMUM:
        cut = _cut(text, start)
        pieces.append((start, start + len(text[start:cut].rstrip())))
        ahead = _VISIBLE.search(text, cut, end)
        start = ahead.start() if ahead else end
    if start < end:
        pieces.append((start, end))
    return pieces


def _cut(text: str, start: int) -> int:
    for pattern in _BREAKS:
        ends = [match.start() for match in pattern.finditer(text, start + TARGET // 2, start + TARGET)]
        if ends:
            return ends[-1]
    return start + TARGET
