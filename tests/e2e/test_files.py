"""Files through the real stack: added by a form, found by a bot, downloaded by whom retrieval would show them to, and by nobody else."""

from __future__ import annotations

import hashlib
import http.client
import io
import secrets
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openai
import psycopg
import pytest

from tests.agent import document_files as documents
from tests.e2e.conftest import Answer, SignedIn, send

Person = Callable[[str], SignedIn]
BOUNDARY = "a-boundary"


@pytest.fixture
def owner(person: Person) -> SignedIn:
    return person("owner@acme.test")


def client(person: SignedIn) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{person.url}/v1", api_key=person.token, max_retries=0, timeout=300)


@pytest.fixture
def add(person: Person) -> Iterator[Callable[..., Any]]:
    """Upload as the owner of acme, through the OpenAI client; what is left at the end is deleted."""
    made: list[str] = []
    with client(person("owner@acme.test")) as owner:

        def now(name: str, data: bytes, **fields: str) -> Any:
            given = {"knowledge_base": "acme/handbook"} | fields
            file = owner.files.create(file=(name, data), purpose="user_data", extra_body=given)
            made.append(file.id)
            return file

        yield now
        for known in dict.fromkeys(made):
            try:
                owner.files.delete(known)
            except openai.NotFoundError:
                pass


def get(person: SignedIn, path: str, method: str = "GET") -> Answer:
    return send(person.url, method, path, {"authorization": f"Bearer {person.token}"})


def post_form(person: SignedIn, name: str, data: bytes, **headers: str) -> Answer:
    body = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="knowledge_base"\r\n\r\nacme/handbook\r\n--{BOUNDARY}\r\n'
            f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n').encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    parts = urlsplit(person.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=300)
    try:
        connection.request("POST", "/v1/files", body, {
            "authorization": f"Bearer {person.token}", "content-type": f"multipart/form-data; boundary={BOUNDARY}"} | headers)
        got = connection.getresponse()
        return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
    finally:
        connection.close()


def test_a_file_is_found_cited_downloaded_and_deleted_F28_F32(add: Callable[..., Any], owner: SignedIn) -> None:
    word = f"quokka{secrets.token_hex(4)}"
    data = documents.word_document("", "".join(
        f'<w:p>{style}<w:r><w:t>{text}</w:t></w:r></w:p>' for style, text in (
            ('<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>', "Animals"), ("", f"The {word} is fed leaves at noon by the night shift."))))
    made = add("animals.docx", data, tags="zoo")
    assert (made.bytes, made.chunks, made.state, made.filename) == (len(data), 1, "stored", "animals.docx")
    assert made.ringfence["sha256"] == hashlib.sha256(data).hexdigest() and made.ringfence["tags"] == ["zoo"]
    answer = owner.ask("acme/helpdesk", f"Who feeds the {word}?").json()
    assert "night shift" in answer["choices"][0]["message"]["content"]
    [citation] = [one for one in answer["ringfence"]["citations"] if one["document_id"] == made.ringfence["id"]]
    assert citation["start_char"] == 0
    downloaded = get(owner, f"/v1/files/{made.id}/content")
    assert (downloaded.status, downloaded.body) == (200, data)
    assert downloaded.headers["content-type"] == "application/octet-stream"
    assert downloaded.headers["content-disposition"] == "attachment; filename*=UTF-8''animals.docx"
    assert downloaded.headers["x-content-type-options"] == "nosniff" and downloaded.headers["cache-control"] == "no-store"
    deleted = get(owner, f"/v1/files/{made.id}", "DELETE").json()
    assert deleted["deleted"] is True and deleted["ringfence"]["chunks"] == 1 and deleted["ringfence"]["parts"] == 1
    assert get(owner, f"/v1/files/{made.id}").status == get(owner, f"/v1/files/{made.id}/content").status == 404
    assert word not in owner.ask("acme/helpdesk", f"Who feeds the {word}?").json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize(("email", "visibility", "status"), [
    ("owner@acme.test", "private", 200), ("member@acme.test", "private", 404), ("member@acme.test", "organization", 200),
    ("both@example.test", "organization", 200), ("owner@globex.test", "organization", 404), ("removed@acme.test", "organization", 404),
    ("nobody@example.test", "organization", 404)])
def test_a_file_is_downloaded_by_exactly_those_who_would_find_it_F33(
        add: Callable[..., Any], person: Person, email: str, visibility: str, status: int) -> None:
    word = f"wombat{secrets.token_hex(4)}"
    made = add(f"{word}.md", f"# Burrows\n\nThe {word} digs at dawn.".encode(), visibility=visibility)
    somebody = person(email)
    got = [get(somebody, f"/v1/files/{made.id}").status, get(somebody, f"/v1/files/{made.id}/content").status]
    found = somebody.rpc("search_documents", org_id=made.ringfence["org_id"], query=word)
    assert got == [status, status]
    assert (word in found.body.decode()) is (status == 200)
    assert get(somebody, f"/v1/files/{made.id.split('/')[0]}/{secrets.token_hex(4)}").status == 404


def test_only_those_who_may_delete_a_document_delete_its_file(add: Callable[..., Any], person: Person, owner: SignedIn) -> None:
    made = add("kept.md", b"This stays.")
    for email in ("member@acme.test", "auditor@acme.test", "owner@globex.test"):
        assert get(person(email), f"/v1/files/{made.id}", "DELETE").status in (403, 404)
    assert get(owner, f"/v1/files/{made.id}/content").body == b"This stays."


@pytest.mark.parametrize("email", ["member@acme.test", "owner@globex.test", "removed@acme.test"])
def test_who_may_not_add_documents_uploads_nothing(person: Person, email: str) -> None:
    assert post_form(person(email), "intruder.md", b"Something new.").status in (403, 404)


def test_an_unchanged_file_is_left_alone_and_a_changed_one_takes_its_place(add: Callable[..., Any], owner: SignedIn) -> None:
    name = f"{secrets.token_hex(4)}.csv"
    first, same, changed = (add(name, data) for data in (b"a,b\n1,2\n", b"a,b\n1,2\n", b"a,b\n1,3\n"))
    assert [one.state for one in (first, same, changed)] == ["stored", "unchanged", "stored"]
    assert same.id == first.id and changed.ringfence["replaced"] == first.ringfence["id"]
    assert get(owner, f"/v1/files/{first.id}").status == 404
    assert get(owner, f"/v1/files/{changed.id}/content").body == b"a,b\n1,3\n"


def bomb() -> bytes:
    """A DOCX of half a megabyte that holds 600 megabytes."""
    made = io.BytesIO(documents.docx_file())
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as packed, packed.open("word/media/image.bin", "w") as member:
        for _ in range(60):
            member.write(bytes(10_000_000))
    return made.getvalue()


HOSTILE: dict[str, tuple[Callable[[], bytes] | bytes, str]] = {
    "bomb.docx": (bomb, "document_too_large"),
    "laughs.docx": (documents.word_document("<!DOCTYPE w [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>", "<w:p>&b;</w:p>" * 3 + "<w:tbl>" * 5000), "broken_document"),
    "locked.pdf": (documents.pdf_file("secret", password="pw"), "encrypted_document"),
    "deep.pdf": (documents.pdf_file("x").replace(b"/Type /Catalog", b"/Type /Catalog /X " + b"[" * 100_000), "broken_document"),
    "program.exe": (b"MZ", "unsupported_document"),
    "scan.pdf": (documents.pdf_file(""), "empty_document"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_answered_with_its_error_and_leaves_nothing_while_others_are_served(
        owner: SignedIn, person: Person, name: str) -> None:
    data, code = HOSTILE[name]
    got = post_form(owner, name, data() if callable(data) else data)
    assert (got.json()["code"], got.json()["error"]["code"]) == (code, code)
    assert got.status in (413, 415, 422) and got.json()["request_id"]
    org_id = owner.orgs["acme"]
    base = next(row["id"] for row in owner.rpc("list_knowledge_bases", org_id=org_id).json() if row["slug"] == "handbook")
    assert not [row for row in owner.rpc("list_documents", org_id=org_id, knowledge_base_id=base).json() if row["uri"] == f"upload:{name}"]
    assert get(person("member@acme.test"), "/v1/models").status == 200


def test_the_edge_takes_a_body_of_50_megabytes_there_and_nowhere_else_R86(owner: SignedIn) -> None:
    # More than any other path takes; almost all of it white space, so that nothing is embedded for minutes.
    data = b"Start." + b"\n" * 3_000_000 + b"The end."
    made = post_form(owner, "long.txt", data)
    assert (made.status, made.json()["bytes"]) == (200, len(data))
    known = made.json()["id"]
    assert get(owner, f"/v1/files/{known}/content").body == data
    assert get(owner, f"/v1/files/{known}", "DELETE").status == 200
    too_long = post_form(owner, "long.txt", b"", **{"content-length": str(51 * 1024 * 1024)})
    assert (too_long.status, too_long.json()["code"]) == (413, "body_too_large")
    elsewhere = send(owner.url, "POST", "/v1/chat/completions", {
        "authorization": f"Bearer {owner.token}", "content-type": "application/json"}, {"x": "y" * 2_000_000})
    assert (elsewhere.status, elsewhere.json()["code"]) == (413, "body_too_large")


def test_the_command_adds_every_kind_of_file_reports_a_broken_one_and_skips_the_unchanged(stack: dict[str, Any], tmp_path: Path, owner: SignedIn) -> None:
    word = f"numbat{secrets.token_hex(4)}"
    files = {"a.md": f"# {word}\n".encode(), "b.html": documents.HTML.encode(), "c.csv": documents.CSV.encode(), "d.docx": documents.docx_file(),
             "e.pptx": documents.pptx_file(), "f.xlsx": documents.xlsx_file(), "g.pdf": documents.pdf_file("One.", "Two."),
             "h.eml": documents.mail_file(), "i.txt": b"Only text.", "j.pdf": b"%PDF-1.7 broken", "k.png": b"\x89PNG"}
    for name, data in files.items():
        (tmp_path / word).mkdir(exist_ok=True)
        (tmp_path / word / name).write_bytes(data)
    command = [sys.executable, "-m", "agent.cli", "kb", "add", "acme/handbook", str(tmp_path / word), "--private", "--as", "owner@acme.test",
               "--state-dir", stack["state_dir"]]
    first, second = (subprocess.run(command, capture_output=True, text=True, timeout=120) for _ in range(2))
    assert first.returncode == second.returncode == 1
    passages = {"a.md": 1, "b.html": 2, "c.csv": 1, "d.docx": 2, "e.pptx": 2, "f.xlsx": 2, "g.pdf": 2, "h.eml": 2, "i.txt": 1}
    assert first.stdout.splitlines() == [f"{name}: {count} passage(s)" for name, count in passages.items()]
    assert second.stdout.splitlines() == [f"{name}: unchanged" for name in passages]
    assert first.stderr == second.stderr == (
        "k.png: skipped: not a kind of file that is taken\nj.pdf: not added: The file is damaged, or is not what its name says.\nringfence: 1 of 10 files not added\n")
    found = owner.rpc("search_documents", org_id=owner.orgs["acme"], query=word, max_rows=1).json()[0]
    with psycopg.connect(stack["database_url"]) as admin:
        assert admin.execute("select heading from app.chunk where id = %s", [found["chunk_id"]]).fetchone() == (word,)
    parts = get(owner, f"/v1/files/{owner.orgs['acme']}/{found['document_id']}/content")
    assert parts.body == files["a.md"]
