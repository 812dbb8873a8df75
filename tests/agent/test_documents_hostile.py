"""A hostile file is answered with a typed error within its limits, and the next file is read as ever."""

import io
import json
import os
import sys
import textwrap
import zipfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from agent.chunking import Chunk
from agent.documents import sandbox
from agent.documents.errors import BrokenDocument, DocumentTooExpensive, DocumentTooLarge, EncryptedDocument
from agent.documents.limits import MIB, DocumentLimits
from agent.errors import BadDocument, Misconfigured
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
PROBE = """
    import ctypes, fcntl, json, os, socket, subprocess, sys
    from pathlib import Path
    sys.path.insert(0, str(Path({root!r})))
    from agent.documents import confine
    from agent.documents.limits import DocumentLimits

    confine.limit_resources(DocumentLimits())
    libc = ctypes.CDLL(None, use_errno=True)
    out = open(1, "wb")
    said = {{"environment": sorted(os.environ), "folder": os.getcwd(), "descriptors": sorted(map(int, os.listdir("/dev/fd")))[:-1],
            "writable": fcntl.fcntl(0, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY}}
    said["enforced"] = confine.close_everything({kernel})

    def attempt(name, act):
        try:
            act()
            said[name] = "done"
        except OSError as err:
            said[name] = type(err).__name__

    def raw(number, *arguments):
        # Not through Python: what native code of a parser could do.
        if libc.syscall(number, *arguments) < 0:
            raise OSError(ctypes.get_errno(), "refused")

    attempt("open", lambda: open({file!r}))
    attempt("write", lambda: open("/tmp/ringfence-escaped", "w"))
    attempt("list", lambda: os.listdir("/"))
    attempt("socket", lambda: socket.socket())
    attempt("run", lambda: subprocess.run(["true"]))
    attempt("fork", lambda: os.fork() or os._exit(0))
    attempt("kill", lambda: os.kill(os.getppid(), 0))
    if {kernel}:
        attempt("native open", lambda: raw(257, -100, {file!r}.encode(), 0))
        attempt("native socket", lambda: raw(41, 2, 1, 0))
        attempt("native fork", lambda: raw(57))
        attempt("native kill", lambda: raw(62, os.getppid(), 0))
        attempt("native ptrace", lambda: raw(101, 16, os.getppid(), 0, 0))
    out.write(json.dumps(said).encode())
    out.flush()
    os._exit(0)
"""


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Run a script in place of the one that parses."""

    def use(script: str) -> None:
        (tmp_path / "script.py").write_text(textwrap.dedent(script))
        monkeypatch.setattr(sandbox.child, "__file__", str(tmp_path / "script.py"))

    yield use


@pytest.mark.anyio
@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="the numbers of the native calls are x86_64's")
@pytest.mark.parametrize("kernel", [True, False], ids=["seccomp", "without"])
async def test_the_process_that_parses_inherits_nothing_and_may_do_nothing(
        instead: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kernel: bool) -> None:
    (tmp_path / "secret").write_text("secret")
    root = Path(sandbox.__file__).parents[2]
    instead(PROBE.format(root=str(root), kernel=kernel, file=str(tmp_path / "secret")))
    monkeypatch.setenv("CANARY", "of the parent")
    held = open(tmp_path / "secret")  # noqa: SIM115
    os.set_inheritable(held.fileno(), True)
    with (tmp_path / "secret").open("r+b") as file, open(tmp_path / "out", "w+b") as out:
        status = await sandbox.Sandbox(kernel=kernel)._run(file, sandbox.Kind("text", "", ()), out)
        out.seek(0)
        said = json.loads(out.read())
    held.close()
    assert status == 0
    assert (said.pop("environment"), said.pop("folder"), said.pop("descriptors"), said.pop("writable")) == (["LC_CTYPE"], "/", [0, 1, 2], False)
    assert said.pop("enforced") is kernel
    assert len(said) >= 7 and set(said.values()) == {"PermissionError"}, said
    assert not Path("/tmp/ringfence-escaped").exists()


GOOD = {"position": 0, "content": "text", "start_char": 0, "end_char": 4, "heading": None}


@pytest.mark.anyio
@pytest.mark.parametrize("lines", [
    [], ["text"], ["[]"], [{"passages": 1}], [{"passages": -1, "characters": 1}], [{"passages": True, "characters": 1}],
    [{"passages": 2, "characters": 4}, GOOD],
    *([{"passages": 1, "characters": 4}, GOOD | wrong] for wrong in (
        {"content": "longer"}, {"content": ""}, {"content": None}, {"content": "te\x00t"}, {"content": "x" * 1201, "end_char": 1201},
        {"start_char": -1}, {"start_char": 0.0}, {"start_char": True, "end_char": 5}, {"heading": "h" * 301}, {"heading": ["h"]},
        {"heading": "\ud800"}, {"content": "x" * 100_000}))])
async def test_what_the_process_says_is_not_believed_unchecked(instead: Callable[[str], None], read: Read, lines: list[Any]) -> None:
    said = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    instead(f"print({said!r})")
    with pytest.raises(BrokenDocument):
        await read("a.html", b"<p>text")


@pytest.mark.anyio
async def test_what_is_well_formed_is_taken(instead: Callable[[str], None], read: Read) -> None:
    instead(f"print({json.dumps({'passages': 1, 'characters': 4})!r}); print({json.dumps(GOOD | {'end_char': 4})!r})")
    assert await read("a.html", b"<p>text") == [Chunk(0, "text", 0, 4, None)]


@pytest.mark.anyio
async def test_a_process_that_cannot_start_is_the_operators_affair(instead: Callable[[str], None], read: Read) -> None:
    instead("import no_such_module")
    with pytest.raises(Misconfigured):
        await read("a.md", b"text")
    instead("raise SystemExit(14)")
    with pytest.raises(Misconfigured, match="seccomp"):
        await read("a.md", b"text")


@pytest.mark.anyio
async def test_a_file_nobody_waits_for_any_more_is_not_read_on(instead: Callable[[str], None], read: Read, tmp_path: Path) -> None:
    instead(f"""
        import os, signal
        signal.alarm(20)
        with open({str(tmp_path / 'pid')!r}, "w") as file:
            file.write(str(os.getpid()) + ".")
        signal.pause()
    """)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, "a.md", b"text")
        with anyio.fail_after(10):
            while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().endswith("."):
                await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    with anyio.fail_after(10), pytest.raises(ProcessLookupError):
        while True:
            os.kill(int((tmp_path / "pid").read_text().rstrip(".")), 0)
            await anyio.sleep(0.01)


@pytest.mark.anyio
async def test_only_a_few_files_are_read_at_once(instead: Callable[[str], None], tmp_path: Path) -> None:
    instead("import signal; signal.alarm(1); signal.pause()")
    (tmp_path / "a.md").write_text("text")
    reading = sandbox.Sandbox(DocumentLimits(at_once=2))
    began: list[float] = []
    original = reading._run

    async def run(*arguments: Any) -> int:
        began.append(anyio.current_time())
        return await original(*arguments)

    reading._run = run  # type: ignore[method-assign]

    ended: list[str] = []

    async def one(person: str) -> None:
        with (tmp_path / "a.md").open("rb") as file, pytest.raises(DocumentTooExpensive):
            await reading.read(file, sandbox.Kind("text", "", ()), person)
        ended.append(person)

    async with anyio.create_task_group() as tasks:
        for person in ("ada", "bob", "eve"):
            tasks.start_soon(one, person)
    assert began[1] - began[0] < 0.5 and began[2] - began[0] > 0.9
    # Of one person one: the second of hers takes no place from him, who came after it.
    began.clear()
    ended.clear()
    async with anyio.create_task_group() as tasks:
        for person in ("ada", "ada", "bob"):
            tasks.start_soon(one, person)
            await anyio.lowlevel.checkpoint()
    assert began[1] - began[0] < 0.5 and began[2] - began[0] > 0.9
    assert sorted(ended[:2]) == ["ada", "bob"] and ended[2] == "ada"


def test_a_small_file_is_given_little_time_and_a_large_one_all_there_is() -> None:
    limits = DocumentLimits()
    assert [(one.cpu_seconds, one.wall_seconds) for one in map(limits.for_size, (0, 1646, MIB, 2 * MIB, 50 * MIB))] == [
        (5, 20), (5, 20), (15, 60), (25, 100), (60, 120)]
    assert DocumentLimits(cpu_seconds=2, wall_seconds=1).for_size(0) == DocumentLimits(cpu_seconds=2, wall_seconds=1)


@pytest.mark.anyio
async def test_the_process_gets_the_time_of_its_size(instead: Callable[[str], None], read: Read) -> None:
    instead("while True: pass")
    with anyio.fail_after(20), pytest.raises(DocumentTooExpensive):
        await read("a.md", b"text", cpu_seconds_small=1, wall_seconds_per_cpu_second=2)
