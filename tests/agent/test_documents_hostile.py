"""A hostile file is answered with a typed error within its limits, and the next file is read as ever."""

import io
import zipfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from agent.chunking import Chunk
from agent.documents.errors import BrokenDocument, DocumentTooExpensive, DocumentTooLarge, EncryptedDocument
from agent.documents.limits import MIB
from agent.errors import BadDocument
from tests.agent import document_files as files

Read = Callable[..., Coroutine[Any, Any, list[Chunk]]]
SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LAUGHS = "<!DOCTYPE w [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {name} '{f'&{before};' * 20}'>" for before, name in zip("abcdefghi", "bcdefghij", strict=True)) + "]>"
SECRET = "<!DOCTYPE w [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"


def word(text: str, prologue: str = "") -> bytes:
    return files.word_document(prologue, f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")


def sheet(rows: str, prologue: str = "") -> bytes:
    return files.repacked(files.xlsx_file(), {"xl/worksheets/sheet1.xml": (
        f'<?xml version="1.0"?>{prologue}<worksheet xmlns="{SPREADSHEET}">{rows}</worksheet>')})


def cell(row: int, column: str, text: str) -> str:
    return f'<row r="{row}"><c r="{column}{row}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def spanned(columns: int, inner: str = "") -> str:
    return f'<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="{columns}"/></w:tcPr>{inner}<w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc></w:tr></w:tbl>'


def spanning(columns: int, inner: str = "") -> bytes:
    return files.word_document("", spanned(columns, inner))


def lying_about_its_size() -> bytes:
    """A DOCX whose text is ten million characters and said to be ten."""
    long = word("x" * 10_000_000)
    with zipfile.ZipFile(io.BytesIO(long)) as packed:
        size = packed.getinfo("word/document.xml").file_size
    return long.replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))


def marked_as_encrypted() -> bytes:
    data = bytearray(files.docx_file())
    place = -1
    while (place := data.find(b"PK\x01\x02", place + 1)) >= 0:
        data[place + 8] |= 1
    return bytes(data)


TABLES = "<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>"
WIDE = sheet("<sheetData>" + "".join(cell(row, "XFD", "x") for row in range(1, 32)) + "</sheetData>")
REFUSED: dict[str, tuple[str, bytes, dict[str, int], type[BadDocument]]] = {
    "a zip bomb": ("a.docx", word("x" * 40_000_000), {"unpacked_bytes": 8 * MIB}, DocumentTooLarge),
    "a zip bomb of text": ("a.docx", word("x" * 2_000_000), {"text_characters": MIB}, DocumentTooLarge),
    "a zip bomb that lies": ("a.docx", lying_about_its_size(), {}, BrokenDocument),
    "too many members": ("a.xlsx", files.archive({f"{n}": "" for n in range(2000)}), {"members": 1000}, DocumentTooLarge),
    "billion laughs in a document": ("a.docx", word("&j;", LAUGHS), {}, BrokenDocument),
    "billion laughs in a sheet": ("a.xlsx", sheet(f"<sheetData>{cell(1, 'A', '&j;')}</sheetData>", LAUGHS), {}, BrokenDocument),
    "a foreign entity in a sheet": ("a.xlsx", sheet(f"<sheetData>{cell(1, 'A', '&x;')}</sheetData>", SECRET), {}, BrokenDocument),
    "tables in tables without end": ("a.docx", files.word_document("", TABLES[0] * 3000 + TABLES[1] * 3000), {}, BrokenDocument),
    "arrays in arrays without end": (
        "a.pdf", files.pdf_file("x").replace(b"/Type /Catalog", b"/Type /Catalog /X " + b"[" * 100_000), {}, BrokenDocument),
    "a page that is its own parent": (
        "a.pdf", b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\n"
                 b"trailer<</Root 1 0 R>>", {}, BrokenDocument),
    "messages in messages without end": ("a.eml", b"Subject: s\n" + b"Content-Type: message/rfc822\n\n" * 3000, {}, BrokenDocument),
    "messages in a few messages too many": (
        "a.eml", b"Subject: s\n" + b"Content-Type: message/rfc822\n\n" * 30 + b"\nx", {}, DocumentTooLarge),
    "a row beyond the end": ("a.xlsx", sheet(f"<sheetData>{cell(9_999_999_999, 'A', 'x')}</sheetData>"), {}, DocumentTooLarge),
    "rows that are not there": ("a.xlsx", sheet(f"<sheetData>{cell(5000, 'A', 'x')}</sheetData>"), {"sheet_rows": 5000}, DocumentTooLarge),
    "cells that are not there": ("a.xlsx", WIDE, {"sheet_cells": 30 * 16384}, DocumentTooLarge),
    "a cell across more columns than there are": ("a.docx", spanning(100_000_000), {}, DocumentTooLarge),
    "a cell across too many columns": ("a.docx", spanning(63), {"columns_spanned": 62}, DocumentTooLarge),
    "a cell in a cell across too many columns": ("a.docx", spanning(1, spanned(64)), {}, DocumentTooLarge),
    "templates in templates without end": ("a.html", b"<template>" * 200_000 + b"x", {}, DocumentTooLarge),
    "templates in a few templates too many": ("a.html", b"<template>" * 20 + b"</template>" * 20 + b"x", {"unseen_elements": 19}, DocumentTooLarge),
    "a subject without end": ("a.eml", b"Subject: " + b"=?utf-8?q?a?= " * 30_000 + b"\r\n\r\nx", {}, DocumentTooLarge),
    "a type without end": (
        "a.eml", b"Subject: s\r\nContent-Type: text/plain" + b"; a=b" * 400 + b"\r\n\r\nx", {"header_characters": 1000}, DocumentTooLarge),
    "more work than there is time": ("a.csv", b"name,city\n" + b"Quokka,Perth\n" * 500_000, {"cpu_seconds": 1}, DocumentTooExpensive),
    "more work than anybody waits for": ("a.csv", b"name,city\n" + b"Quokka,Perth\n" * 500_000, {"wall_seconds": 1}, DocumentTooExpensive),
    "more than there is memory": ("a.txt", b"word " * 6_000_000, {"memory_bytes": 60 * MIB}, DocumentTooExpensive),
    "more than there is room": ("a.txt", b"word " * 100_000, {"output_bytes": 100_000}, DocumentTooLarge),
    "a file that is too large": ("a.txt", b"x" * 1001, {"file_bytes": 1000}, DocumentTooLarge),
    "a PDF with a password": ("a.pdf", files.pdf_file("secret", password="pw"), {}, EncryptedDocument),
    "an Office file with a password": ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), {}, EncryptedDocument),
    "an archive with a password": ("a.docx", marked_as_encrypted(), {}, EncryptedDocument),
    "no archive at all": ("a.pptx", b"PK\x03\x04" + bytes(2000), {}, BrokenDocument),
    "half an archive": ("a.docx", files.docx_file()[:8000], {}, BrokenDocument),
    "another archive": ("a.docx", files.archive({"a.txt": "x"}), {}, BrokenDocument),
}
HARMLESS: dict[str, tuple[str, bytes, list[str]]] = {
    "a foreign entity in a document": ("a.docx", word("start &x;", SECRET), ["start"]),
    "elements in elements without end": ("a.html", b"<div>" * 100_000 + b"deep", ["deep"]),
    "a sheet that says it is endless": (
        "a.xlsx", sheet(f'<dimension ref="A1:XFD1048576"/><sheetData>{cell(1, "A", "x")}{cell(1_048_576, "XFD", "y")}</sheetData>'), ["x\ny", "Anna | Bern"]),
    "a formula without end": (
        "a.xlsx", sheet('<sheetData><row r="1"><c r="A1"><f>A1+1</f><v>7</v></c><c r="B1"><f>1/0</f></c></row></sheetData>'), ["7", "Anna | Bern"]),
    "members with paths for names": (
        "a.docx", files.repacked(word("x"), {"../../../tmp/ringfence-escaped": "x", "/tmp/ringfence-escaped": "x"}), ["x"]),
}


@pytest.mark.anyio
@pytest.mark.parametrize("what", REFUSED)
async def test_a_hostile_file_is_a_typed_error_and_the_next_one_is_read(read: Read, what: str) -> None:
    name, data, limits, error = REFUSED[what]
    with pytest.raises(error) as raised:
        await read(name, data, **limits)
    assert type(raised.value) is error
    assert [piece.content for piece in await read("a.md", b"The next one.")] == ["The next one."]


@pytest.mark.anyio
@pytest.mark.parametrize("what", [
    what for what, (_, _, limits, _) in REFUSED.items() if limits])
async def test_with_higher_limits_the_same_file_is_not_stopped_by_them(read: Read, what: str) -> None:
    name, data, _, error = REFUSED[what]
    try:
        assert await read(name, data)
    except BadDocument as err:
        assert type(err) is not error


@pytest.mark.anyio
@pytest.mark.parametrize("what", HARMLESS)
async def test_a_hostile_file_that_can_be_read_does_nothing_else(read: Read, what: str) -> None:
    name, data, expected = HARMLESS[what]
    assert [piece.content for piece in await read(name, data)] == expected
    assert not Path("/tmp/ringfence-escaped").exists()


# What a parser that has been taken over would try; each line says what came of it.
