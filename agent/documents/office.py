"""DOCX, PPTX and XLSX, by python-docx, python-pptx and openpyxl, after a look at the archive they are packed in.

Nothing in the archive is written anywhere, so the names of its members do no harm; no formula is computed, no link followed.
"""

import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from agent.documents.limits import DocumentLimits
from agent.documents.plain import labelled
from agent.documents.text import Encrypted, Text, TooMuch, Unreadable, one_line

_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED_FLAG = 0x1


def read_docx(file: BinaryIO, limits: DocumentLimits) -> Text:
    """Return the text with its headings and tables. Raises: Encrypted, Unreadable, TooMuch."""
    import docx

    _check_archive(file, limits)
    text = Text(limits, [])
    _blocks(docx.Document(file).iter_inner_content(), text, limits)
    return text


def _blocks(blocks: Iterable[Any], text: Text, limits: DocumentLimits) -> None:
    from docx.table import Table

    for block in blocks:
        if not isinstance(block, Table):
            level = _level(block)
            if level is not None:
                text.heading(level, block.text)
            else:
                text.paragraph(block.text)
        elif limits.nesting:
            text.end_block()
            for line in labelled([_cell(cell, limits, limits.nesting) for cell in _cells(row, limits)] for row in block.rows):
                text.line(line)
            text.end_block()


def _cells(row: Any, limits: DocumentLimits) -> Iterator[Any]:
    """Yield the row's cells; one that spans several columns once. Raises: TooMuch."""
    # python-docx has it once for each column.
    if any(cell.grid_span > limits.columns_spanned for cell in row._tr.tc_lst):
        raise TooMuch
    before = None
    for cell in row.cells:
        if cell._tc is not before:
            yield cell
        before = cell._tc


def _cell(cell: Any, limits: DocumentLimits, depth: int) -> str:
    inner = " ".join(_cell(each, limits, depth - 1)
                     for table in cell.tables for row in table.rows for each in _cells(row, limits)) if depth else ""
    return f"{cell.text} {inner}"


def _level(paragraph: Any) -> int | None:
    """Return the level of a heading, 0 for the title; None for text."""
    name = (paragraph.style.name if paragraph.style is not None else "") or ""
    if name == "Title":
        return 0
    number = name.removeprefix("Heading ")
    return int(number) if number != name and number.isdecimal() and len(number) == 1 else None


def read_pptx(file: BinaryIO, limits: DocumentLimits) -> Text:
    """Return the text, each slide a section, its notes last. Raises: Encrypted, Unreadable, TooMuch."""
    import pptx

    _check_archive(file, limits)
    text = Text(limits, [])
    for number, slide in enumerate(pptx.Presentation(file).slides, start=1):
        text.section(1, f"Slide {number}")
        title = slide.shapes.title
        if title is not None:
            text.heading(2, title.text_frame.text)
        _shapes((shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id), text, limits.nesting)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            text.paragraph(slide.notes_slide.notes_text_frame.text)
    return text


def _shapes(shapes: Iterable[Any], text: Text, depth: int) -> None:
    for shape in shapes:
        if shape.has_text_frame:
            text.paragraph(shape.text_frame.text)
        elif getattr(shape, "has_table", False):
            for line in labelled([cell.text for cell in row.cells] for row in shape.table.rows):
                text.line(line)
            text.end_block()
        elif depth and hasattr(shape, "shapes"):
            _shapes(shape.shapes, text, depth - 1)


def read_xlsx(file: BinaryIO, limits: DocumentLimits) -> Text:
    """Return the values as the file has them, each sheet a section. Raises: Encrypted, Unreadable, TooMuch."""
    import openpyxl

    _check_archive(file, limits)
    text = Text(limits, [])
    workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    count = _Count(limits)
    for sheet in workbook.worksheets:
        text.section(1, sheet.title)
        # What the file says about its size is not believed: each row would be filled up to it.
        sheet.reset_dimensions()
        for line in labelled(count.of(sheet.iter_rows(values_only=True))):
            text.line(one_line(line))
    return text


class _Count:
    """Counts the rows and cells of a workbook, also those that are not in the file: openpyxl fills every gap."""

    def __init__(self, limits: DocumentLimits) -> None:
        self._rows_left, self._cells_left = limits.sheet_rows, limits.sheet_cells

    def of(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows. Raises: TooMuch."""
        for row in rows:
            self._rows_left -= 1
            self._cells_left -= len(row)
            if self._rows_left < 0 or self._cells_left < 0:
                raise TooMuch
            yield row


def _check_archive(file: BinaryIO, limits: DocumentLimits) -> None:
    """Raises: Encrypted, Unreadable, TooMuch."""
    # How Office packs a file that has a password.
    if file.read(len(_OLE)) == _OLE:
        raise Encrypted
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as err:
        raise Unreadable from err
    file.seek(0)
    # A member is never unpacked beyond the size it declares: what is counted here is what can come out.
    if len(members) > limits.members or sum(member.file_size for member in members) > limits.unpacked_bytes:
        raise TooMuch
    if any(member.flag_bits & _ENCRYPTED_FLAG for member in members):
        raise Encrypted
