"""Files of every kind become text with headings, in passages that are exact slices."""

import io
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from agent.chunking import Chunk, Mark, chunk
from agent.documents import mail, office, pdf, plain
from agent.documents.errors import BrokenDocument, EmptyDocument, UnsupportedDocument
from agent.documents.html import read_html
from agent.documents.kinds import KINDS, SUFFIXES, kind_of
from agent.documents.limits import DocumentLimits
from tests.agent import document_files as files

Read = Callable[..., Coroutine[Any, Any, list[Chunk]]]
SAMPLES: dict[str, tuple[bytes, list[tuple[str, str | None]]]] = {
    "a.md": (b"# Zoo\n\n## Food\n\nLeaves.\n\n# Time\n\nNoon.", [
        ("# Zoo\n\n## Food\n\nLeaves.", "Zoo > Food"), ("# Time\n\nNoon.", "Time")]),
    "a.txt": (b"Only text.", [("Only text.", None)]),
    "a.csv": (files.CSV.encode(), [("name | city\nname: Quokka | city: Perth\nname: Wombat; the second | city: Sydney", None)]),
    "a.html": (files.HTML.encode(), [
        ("Zoo\n\nA quokka sleeps\nat noon.", "Zoo"),
        ("Food\n\n- leaves\n- grass\n\nDay | Food\nMonday | leaves\n\na\n  b", "Zoo > Food")]),
    "a.docx": (files.docx_file(), [
        ("Handbook\n\nLeave\n\nA quokka has twenty-six days a year.", "Handbook > Leave"),
        ("Sick leave\n\nA note is needed from day three.\n\nGrade | Days\nGrade: A | Days: 26\nGrade: B | Days: 30",
         "Handbook > Leave > Sick leave")]),
    "a.pptx": (files.pptx_file(), [
        ("Plan\n\nThe quokka moves in May.\n\nSay it slowly.", "Slide 1 > Plan"), ("Thank you.", "Slide 2")]),
    "a.xlsx": (files.xlsx_file(), [("Item | Price\nItem: Quokka | Price: 12.5\nItem: Total", "Prices"), ("Anna | Bern", "Staff")]),
    "a.pdf": (files.pdf_file("The quokka.", "The wombat."), [("The quokka.", "Page 1"), ("The wombat.", "Page 2")]),
    "a.eml": (files.mail_file(), [
        ("Fütterung\n\nFrom: a@example.test\nTo: b@example.test\n\nWer füttert das Quokka?\n\nAttachment: plan.pdf", "Fütterung"),
        ("Before\n\nFrom: c@example.test\n\nThe quokka was fed.", "Fütterung > Before")]),
}


@pytest.mark.anyio
@pytest.mark.parametrize("kernel", [True, False], ids=["seccomp", "without"])
@pytest.mark.parametrize("name", SAMPLES)
async def test_a_file_of_every_kind_is_read_with_its_headings(read: Read, name: str, kernel: bool) -> None:
    data, expected = SAMPLES[name]
    assert [(piece.content, piece.heading) for piece in await read(name, data, kernel=kernel)] == expected


def test_every_kind_has_a_sample() -> None:
    assert {kind_of(name, data).name for name, (data, _) in SAMPLES.items()} == {kind.name for kind in KINDS}
    assert len(SUFFIXES) == sum(len(kind.suffixes) for kind in KINDS)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_passages_are_slices_of_the_text_that_the_parser_makes(name: str) -> None:
    readers: dict[str, Any] = {
        "markdown": plain.read_text, "text": plain.read_text, "csv": plain.read_csv, "html": read_html, "docx": office.read_docx,
        "pptx": office.read_pptx, "xlsx": office.read_xlsx, "pdf": pdf.read_pdf, "mail": mail.read_mail}
    data, expected = SAMPLES[name]
    text = readers[kind_of(name, data).name](io.BytesIO(data), DocumentLimits())
    whole = text.whole()
    passages = chunk(whole, text.marks)
    assert [piece.content for piece in passages] == [content for content, _ in expected]
    assert all(whole[piece.start_char:piece.end_char] == piece.content for piece in passages)
    assert not "".join(whole[a.end_char:b.start_char] for a, b in zip(passages, passages[1:], strict=False)).strip()


@pytest.mark.anyio
@pytest.mark.parametrize(("password", "owner_password"), [("", "only the owner has one")])
async def test_a_pdf_that_opens_without_a_password_is_read(read: Read, password: str, owner_password: str) -> None:
    [piece] = await read("a.pdf", files.pdf_file("Open to all.", password=password, owner_password=owner_password))
    assert piece.content == "Open to all."


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "data", "text"), [
    ("a.txt", "Quokkä".encode("utf-16"), "Quokkä"), ("a.txt", "Quokkä".encode("utf-8-sig"), "Quokkä"),
    ("a.csv", "Tier\nQuokkä".encode("cp1252"), "Tier\nQuokkä"), ("a.csv", b"one\ttwo\n1\t2", "one | two\none: 1 | two: 2"),
    ("a.html", "<p>Quokkä".encode(), "Quokkä"), ("a.html", "<p>Quokkä €".encode("cp1252"), "Quokkä €"),
    ("a.html", '<meta charset="iso-8859-2"><p>Łódź'.encode("iso-8859-2"), "Łódź")])
async def test_the_encoding_is_found(read: Read, name: str, data: bytes, text: str) -> None:
    assert [piece.content for piece in await read(name, data)] == [text]


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "data", "error"), [
    ("a.exe", b"MZ", UnsupportedDocument), ("a", b"text", UnsupportedDocument), ("pdf", b"%PDF-1.7", UnsupportedDocument),
    ("a.pdf", b"text", BrokenDocument), ("a.docx", b"text", BrokenDocument), ("a.md", b"caf\xe9", BrokenDocument),
    ("a.md", b"a\x00b", BrokenDocument), ("a.csv", b"a,\x00", BrokenDocument), ("a.eml", b"", BrokenDocument),
    ("a.md", b" \n", EmptyDocument), ("a.html", b"<script>x</script>", EmptyDocument), ("a.pdf", files.pdf_file(""), EmptyDocument)])
async def test_what_is_no_document_is_a_typed_error(read: Read, name: str, data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        await read(name, data)
    assert type(raised.value) is error


def test_a_passage_knows_the_headings_above_it() -> None:
    text = "before\n\n# A\n\none\n\n### B ##\n\n" + "word " * 400 + "\n\n## C\n\ntwo\n\nD\n=\n\nthree\n\n```\n# no heading\n```"
    assert [heading for heading, _ in itertools.groupby(piece.heading for piece in chunk(text))] == [None, "A", "A > B", "A > C", "D"]


def test_a_long_heading_path_loses_the_outermost_first() -> None:
    text = "\n\n".join("#" * level + " " + f"{level}" * 200 for level in range(1, 6)) + "\n\ntext"
    heading = chunk(text)[-1].heading
    assert heading is not None and 240 < len(heading) <= 300
    assert heading == " > ".join(f"{level}" * 119 + "…" for level in (4, 5))


def test_a_mark_without_words_begins_a_passage_and_takes_none_of_the_text() -> None:
    text = "one\n\n  two\n\nthree"
    marks = [Mark(0, 1, "Page 1", 0), Mark(5, 1, "Page 2", 0), Mark(12, 1, "Page 3", 0), Mark(12, 2, "three", 5)]
    assert [(piece.content, piece.start_char, piece.heading) for piece in chunk(text, marks)] == [
        ("one", 0, "Page 1"), ("two", 7, "Page 2"), ("three", 12, "Page 3 > three")]
    assert chunk("", [Mark(0, 1, "Page 1", 0)]) == []
