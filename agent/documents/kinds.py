"""The kinds of files that are taken: by the end of the name, checked against the first bytes."""

from dataclasses import dataclass

from agent.documents.errors import BrokenDocument, UnsupportedDocument

_OFFICE = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: `name` selects the parser."""

    name: str
    media_type: str
    suffixes: tuple[str, ...]
    begins: tuple[bytes, ...] = ()
    """One of these stands near the beginning of every such file; empty: any text."""


KINDS = (
    Kind("markdown", "text/markdown", (".md", ".markdown")),
    Kind("text", "text/plain", (".txt", ".text", ".rst")),
    Kind("html", "text/html", (".html", ".htm", ".xhtml")),
    Kind("csv", "text/csv", (".csv", ".tsv")),
    Kind("mail", "message/rfc822", (".eml",)),
    Kind("pdf", "application/pdf", (".pdf",), (b"%PDF-",)),
    # An Office file with a password is an OLE container: the parser of the kind says so.
    Kind("docx", f"{_OFFICE}.wordprocessingml.document", (".docx",), (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")),
    Kind("pptx", f"{_OFFICE}.presentationml.presentation", (".pptx",), (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")),
    Kind("xlsx", f"{_OFFICE}.spreadsheetml.sheet", (".xlsx",), (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")),
)
SUFFIXES = frozenset(suffix for kind in KINDS for suffix in kind.suffixes)
HEAD_BYTES = 1024
"""Readers of PDF look for its mark in as many."""


def kind_of(name: str, head: bytes) -> Kind:
    """Return the kind of the file called `name` that begins with `head`. Raises: UnsupportedDocument, BrokenDocument."""
    lower = name.lower()
    for kind in KINDS:
        if lower.endswith(kind.suffixes):
            if kind.begins and not any(mark in head[:HEAD_BYTES] for mark in kind.begins):
                raise BrokenDocument(f"The file is called {kind.suffixes[0]} and is none.")
            return kind
    raise UnsupportedDocument(f"Files of this kind are not taken; these are: {', '.join(sorted(SUFFIXES))}.")
