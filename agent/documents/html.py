"""HTML: what a reader sees, by libxml2's parser as a stream of events; no tree is built."""

import re
from typing import BinaryIO

from lxml import etree

from agent.documents.limits import DocumentLimits
from agent.documents.text import Text, TooMuch, Unreadable, one_line

_UNSEEN = frozenset({"script", "style", "template", "noscript", "head", "svg", "math", "iframe", "object", "select", "textarea"})
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure",
    "footer", "form", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tr", "ul"})
_TIGHT = frozenset({"li", "tr", "dt"})
"""One line each, without a blank line between them."""
_PIECE_BYTES = 64 * 1024


def read_html(file: BinaryIO, limits: DocumentLimits) -> Text:
    """Return the visible text with its headings. Raises: Unreadable, TooMuch."""
    return html_text(file.read(), Text(limits, []))


def html_text(data: bytes, text: Text, encoding: str | None = None) -> Text:
    """Append the visible text of `data` and return `text`. Raises: Unreadable, TooMuch."""
    parser = etree.HTMLParser(target=_Target(text), encoding=encoding or _encoding(data), no_network=True)
    try:
        for start in range(0, len(data), _PIECE_BYTES):
            parser.feed(data[start:start + _PIECE_BYTES])
        parser.close()
    except (etree.LxmlError, LookupError) as err:
        if isinstance(err.__context__, TooMuch):
            raise err.__context__ from err
        raise Unreadable from err
    return text


def _encoding(data: bytes) -> str | None:
    """Return what the parser must be told; None: it finds a byte order mark or a declaration."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or re.search(rb"<meta[^>]+charset|<\?xml[^>]+encoding", data[:4096], re.I):
        return None
    try:
        data.decode()
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


class _Target:
    """Takes the parser's events; the methods' names are lxml's."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._line: list[str] = []
        self._unseen: list[str] = []
        self._heading = 0
        self._as_is = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._unseen or (tag in _UNSEEN or "hidden" in attributes) and tag not in _VOID:
            if tag not in _VOID:
                if len(self._unseen) == self._text.limits.unseen_elements:
                    raise TooMuch
                self._unseen.append(tag)
        elif tag in _HEADINGS:
            self._flush()
            self._heading = _HEADINGS[tag]
        elif tag == "br":
            self._line.append("\n")
        elif tag in ("td", "th"):
            self._line.append(" | " if "".join(self._line[-1:]).strip() else "")
        elif tag in _BLOCKS and not self._heading:
            self._flush()
            self._as_is += tag == "pre"
            if tag == "li":
                self._line.append("- ")
            elif tag not in _TIGHT:
                self._text.end_block()

    def end(self, tag: str) -> None:
        if self._unseen:
            # What is closed out of order closes what stands in it, as in a browser.
            if tag in self._unseen:
                del self._unseen[len(self._unseen) - 1 - self._unseen[::-1].index(tag):]
        elif tag in _HEADINGS:
            self._flush()
            self._heading = 0
        elif tag in _BLOCKS and not self._heading:
            self._flush(tight=tag in _TIGHT)
            self._as_is -= tag == "pre" and self._as_is > 0

    def data(self, data: str) -> None:
        if not self._unseen:
            self._line.append(data if self._as_is else re.sub(r"\s+", " ", data))

    def comment(self, text: str) -> None:
        """Nobody reads it."""

    def close(self) -> None:
        self._flush()

    def _flush(self, tight: bool = False) -> None:
        content = "".join(self._line)
        self._line.clear()
        if self._heading:
            self._text.heading(self._heading, content)
        elif self._as_is:
            self._text.paragraph(content)
        elif tight:
            self._text.line("" if content.strip() == "-" else content)
        else:
            self._text.paragraph("\n".join(map(one_line, content.split("\n"))))
