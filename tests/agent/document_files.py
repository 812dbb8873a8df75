"""Small real files of every kind, made by the libraries themselves, and hostile ones, made by hand."""

import io
import zipfile
from email.message import EmailMessage

import docx
import openpyxl
import pptx
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx_file() -> bytes:
    """Two headings under a title, a paragraph under each, and a table."""
    document = docx.Document()
    document.add_heading("Handbook", 0)
    document.add_heading("Leave", 1)
    document.add_paragraph("A quokka has twenty-six days a year.")
    document.add_heading("Sick leave", 2)
    document.add_paragraph("A note is needed from day three.")
    table = document.add_table(3, 2)
    for place, text in enumerate(["Grade", "Days", "A", "26", "B", "30"]):
        table.cell(place // 2, place % 2).text = text
    return _saved(document)


def pptx_file() -> bytes:
    """Two slides, the first with a title, a body and notes."""
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Plan"
    slide.placeholders[1].text = "The quokka moves in May."
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    deck.slides.add_slide(deck.slide_layouts[6]).shapes.add_textbox(0, 0, 100, 100).text_frame.text = "Thank you."
    return _saved(deck)


def xlsx_file() -> bytes:
    """Two sheets; a formula that was never computed."""
    book = openpyxl.Workbook()
    book.active.title = "Prices"
    for row in (["Item", "Price"], ["Quokka", 12.5], ["Total", "=SUM(B2:B1048576)"]):
        book.active.append(row)
    book.create_sheet("Staff").append(["Anna", "Bern"])
    return _saved(book)


def pdf_file(*pages: str, password: str | None = None, owner_password: str | None = None) -> bytes:
    """One line of text a page."""
    writer = PdfWriter()
    font = writer._add_object(DictionaryObject({
        NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1"),
        NameObject("/BaseFont"): NameObject("/Helvetica")}))
    for text in pages:
        page = writer.add_blank_page(300, 300)
        page[NameObject("/Resources")] = DictionaryObject({
            NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})})
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(content.flate_encode())
    if password is not None:
        writer.encrypt(password, owner_password, algorithm="AES-256")
    return _saved(writer, "write")


def mail_file() -> bytes:
    """Alternatives, an attachment and a forwarded message."""
    inner = EmailMessage()
    inner["Subject"], inner["From"] = "Before", "c@example.test"
    inner.set_content("The quokka was fed.")
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Fütterung", "a@example.test", "b@example.test"
    message.set_content("Wer füttert das Quokka?", charset="iso-8859-1")
    message.add_alternative("<p>not this one</p>", subtype="html")
    message.add_attachment(b"123", maintype="application", subtype="pdf", filename="plan.pdf")
    message.add_attachment(inner)
    return bytes(message)


HTML = """<!doctype html><html><head><title>T</title><style>p {}</style></head><body><h1>Zoo</h1>
<p>A <b>quokka</b>&nbsp;sleeps<br>at noon.<script>alert("no")</script></p><div hidden>nor this</div>
<h2>Food</h2><ul><li>leaves<li>grass</ul><table><tr><th>Day<th>Food<tr><td>Monday<td>leaves</table><pre> a\n  b</pre>"""
CSV = "name;city\nQuokka;Perth\n\"Wombat; the second\";Sydney\n"


def archive(members: dict[str, bytes | str]) -> bytes:
    """Return a ZIP archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return made.getvalue()


def repacked(original: bytes, changed: dict[str, bytes | str]) -> bytes:
    """Return the archive with some members replaced or added."""
    with zipfile.ZipFile(io.BytesIO(original)) as packed:
        members: dict[str, bytes | str] = {name: packed.read(name) for name in packed.namelist()}
    return archive(members | changed)


def word_document(prologue: str, body: str) -> bytes:
    """Return a DOCX file whose text is `body`, after `prologue`."""
    return repacked(docx_file(), {"word/document.xml": (
        f'<?xml version="1.0"?>{prologue}<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>')})


def _saved(document: object, method: str = "save") -> bytes:
    made = io.BytesIO()
    getattr(document, method)(made)
    return made.getvalue()
