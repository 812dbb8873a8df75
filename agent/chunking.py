"""Cut Markdown or plain text into passages that can be found and quoted.

Every passage is exactly a slice of the text: `text[start_char:end_char] == content`. The same text always gives the
same passages. A heading begins a new passage and stays with what follows it.
"""

import re
from dataclasses import dataclass

TARGET = 600
"""A passage is closed when the next block would take it past this many characters."""
MAXIMUM = 1200
"""No passage is longer."""

_HEADING = re.compile(r"#{1,6}\s\S")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-+)\s*$")
_BREAKS = (re.compile(r"\n"), re.compile(r"(?<=[.!?])\s"), re.compile(r"\s"))


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage and where it stands in the text, in characters."""

    position: int
    content: str
    start_char: int
    end_char: int


@dataclass(frozen=True, slots=True)
class _Block:
    start: int
    end: int
    heading: bool


def chunk(text: str) -> list[Chunk]:
    """Return the passages of `text` in order; they do not overlap, and only white space is left out."""
    spans: list[tuple[int, int]] = []
    open_span: tuple[int, int] | None = None
    only_headings = True
    for block in _blocks(text):
        if open_span is not None:
            too_long = block.end - open_span[0] > TARGET
            # A run of headings stays together with the text below the last one, unless that passes the maximum.
            if ((block.heading or too_long) and not only_headings) or block.end - open_span[0] > MAXIMUM:
                spans.append(open_span)
                open_span = None
        if open_span is None:
            open_span, only_headings = (block.start, block.end), block.heading
        else:
            open_span, only_headings = (open_span[0], block.end), only_headings and block.heading
    if open_span is not None:
        spans.append(open_span)
    pieces = [piece for start, end in spans for piece in _split(text, start, end)]
    return [Chunk(i, text[start:end], start, end) for i, (start, end) in enumerate(pieces)]


def _blocks(text: str) -> list[_Block]:
    """Return paragraphs, headings and fenced code blocks, without the blank lines between them."""
    blocks: list[_Block] = []
    start: int | None = None
    end = offset = 0
    fence = ""

    def close(heading: bool = False) -> None:
        nonlocal start
        if start is not None:
            blocks.append(_Block(start, end, heading))
            start = None

    for line in text.splitlines(keepends=True):
        body = line.rstrip()
        mark = _FENCE.match(line)
        if not body and not fence:
            close()
        elif not fence and _HEADING.match(line):
            close()
            start, end = offset, offset + len(body)
            close(heading=True)
        elif body:
            underline = start is not None and "\n" not in text[start:end] and _UNDERLINE.match(line)
            if start is None:
                start = offset + len(line) - len(line.lstrip())
            end = offset + len(body)
            if underline and not fence:
                close(heading=True)
            if mark:
                fence = "" if fence == mark[1] else fence or mark[1]
        offset += len(line)
    close()
    return blocks


def _split(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the span in pieces of at most MAXIMUM, cut at a line, a sentence, a space, or anywhere."""
    pieces: list[tuple[int, int]] = []
    while end - start > MAXIMUM:
        cut = _cut(text, start)
        pieces.append((start, start + len(text[start:cut].rstrip())))
        start = cut + len(text[cut:end]) - len(text[cut:end].lstrip())
    if start < end:
        pieces.append((start, end))
    return pieces


def _cut(text: str, start: int) -> int:
    for pattern in _BREAKS:
        ends = [match.start() for match in pattern.finditer(text, start + TARGET // 2, start + TARGET)]
        if ends:
            return ends[-1]
    return start + TARGET
