"""PDF, by pypdf: Python all the way down, so that a hostile file can at most use up its limits."""

import logging
from typing import BinaryIO

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from agent.documents.limits import DocumentLimits
from agent.documents.text import Encrypted, Text, TooMuch, Unreadable

# It would write a line for each oddity of a file.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def read_pdf(file: BinaryIO, limits: DocumentLimits) -> Text:
    """Return the text, each page a section. Raises: Encrypted, Unreadable, TooMuch."""
    text = Text(limits, [])
    try:
        reader = PdfReader(file)
        # Many files are encrypted with the empty password: that only keeps them from being changed.
        if reader.is_encrypted and not reader.decrypt(""):
            raise Encrypted
        for number, page in enumerate(reader.pages, start=1):
            text.section(1, f"Page {number}")
            text.paragraph(page.extract_text())
    except (Encrypted, TooMuch, MemoryError):
        raise
    except PyPdfError as err:
        raise Unreadable from err
    return text
