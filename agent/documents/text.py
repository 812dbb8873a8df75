"""What a parser hands on: plain text, and where its headings are."""

import codecs
import re
from dataclasses import dataclass, field
from typing import BinaryIO

from agent.chunking import Mark
from agent.documents.limits import DocumentLimits


class Unreadable(Exception):
    """The file is damaged, or not of the kind its name says."""


class Encrypted(Exception):
    """The file needs a password."""


class TooMuch(Exception):
    """The file holds more than is taken."""


@dataclass(slots=True)
class Text:
    """A text that grows, with its marks; `marks` None: its own Markdown headings are the marks."""

    limits: DocumentLimits
    marks: list[Mark] | None = None
    length: int = 0
    _tail: str = ""
    _parts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Append `text` as it is. Raises: TooMuch."""
        self.length += len(text)
        if self.length > self.limits.text_characters:
            raise TooMuch
        self._parts.append(text)
        self._tail = (self._tail + text)[-2:] if len(text) < 2 else text[-2:]

    def paragraph(self, text: str) -> None:
        """Append `text` as a block of its own."""
        text = _clean(text).strip()
        if text:
            self.end_block()
            self.add(text + "\n\n")

    def line(self, text: str) -> None:
        """Append `text` as one line."""
        text = one_line(text)
        if text:
            self.add(text + "\n")

    def heading(self, level: int, text: str) -> None:
        """Append `text` as a heading; its own words stand in the text."""
        text = one_line(text)
        if text:
            self.end_block()
            self._mark(Mark(self.length, level, text, len(text)))
            self.add(text + "\n\n")

    def section(self, level: int, title: str) -> None:
        """Begin a page, slide or sheet: a heading that does not stand in the text."""
        self.end_block()
        self._mark(Mark(self.length, level, one_line(title), 0))

    def end_block(self) -> None:
        """Let what follows be a new block."""
        if self._tail and self._tail != "\n\n":
            self.add("\n" if self._tail.endswith("\n") else "\n\n")

    def whole(self) -> str:
        """Return the text."""
        return "".join(self._parts)

    def _mark(self, mark: Mark) -> None:
        if self.marks is None:
            self.marks = []
        self.marks.append(mark)


_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")


def _clean(text: str) -> str:
    """Replace what PostgreSQL cannot hold and what no reader sees, character by character."""
    return _NOT_TEXT.sub(" ", text)


def one_line(text: str) -> str:
    """Return the text with every run of white space as one space."""
    return " ".join(_clean(text).split())


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(file: BinaryIO, otherwise: str | None = None) -> str:
    """Return the file as text: by its byte order mark, else UTF-8, else `otherwise`. Raises: Unreadable."""
    data = file.read()
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as err:
        if otherwise is None or b"\x00" in data:
            raise Unreadable from err
        text = data.decode(otherwise, "replace")
    if "\x00" in text:
        raise Unreadable
    return text
