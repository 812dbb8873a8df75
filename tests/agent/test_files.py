"""/v1/files: what is uploaded comes back as it was, to its person, and nothing of a refused upload stays."""

import asyncio
import hashlib
import http.client
import json
import uuid
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from agent.documents.limits import DocumentLimits
from agent.errors import BadRequest
from agent.upload import filename
from tests.agent import document_files as documents
from tests.agent.conftest import BOB_TOKEN, TOKEN
from tests.agent.fake_postgrest import FakePostgrest, Refusal, Row

pytestmark = pytest.mark.anyio
BASE: Any = {"knowledge_base": "acme/handbook"}
BOUNDARY = "a-boundary"
Answer = tuple[int, dict[str, str], bytes]


def form(*parts: tuple[str, bytes]) -> bytes:
    """Return a multipart body of (disposition parameters, content)."""
    return b"".join(f"--{BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode() + content + b"\r\n"
                    for name, content in parts) + f"--{BOUNDARY}--\r\n".encode()


async def send(url: str, method: str, path: str, body: bytes = b"", token: str = TOKEN, kind: str | None = None) -> Answer:
    """Send one request as it is."""
    def now() -> Answer:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
        try:
            connection.request(method, f"/v1/files{path}", body or None, {
                "authorization": f"Bearer {token}", "content-type": kind or f"multipart/form-data; boundary={BOUNDARY}"})
            got = connection.getresponse()
            return got.status, {k.lower(): v for k, v in got.getheaders()}, got.read()
        finally:
            connection.close()
    return await asyncio.to_thread(now)


async def upload(url: str, name: str, data: bytes, **fields: str) -> tuple[int, Row]:
    parts = [(f'name="{field}"', value.encode()) for field, value in ({"knowledge_base": "acme/handbook"} | fields).items()]
    status, _, body = await send(url, "POST", "", form((f'name="file"; filename="{name}"', data), *parts))
    return status, json.loads(body)


async def test_the_openai_client_adds_reads_and_deletes_a_file(client: openai.AsyncOpenAI, database: FakePostgrest) -> None:
    data = documents.docx_file()
    made = await client.files.create(file=("leave plan.docx", data), purpose="user_data", extra_body=BASE | {
        "title": "Leave", "visibility": "private", "tags": "hr, leave", "classification": "2"})
    assert (made.object, made.bytes, made.filename, made.status) == ("file", len(data), "leave plan.docx", "processed")
    [begun] = database.called("begin_document")
    assert begun.arguments == {
        "org_id": "00000000-0000-0000-0000-000000000001", "knowledge_base_id": "00000000-0000-0000-0000-000000000003",
        "title": "Leave", "uri": "upload:leave plan.docx", "visibility": "private", "classification": 2, "tags": ["hr", "leave"],
        "source": "api", "sha256": hashlib.sha256(data).hexdigest(), "byte_size": len(data),
        "media_type": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}
    headings = [chunk["heading"] for call in database.called("add_chunks") for chunk in call.arguments["chunks"]]
    assert headings == ["Handbook > Leave", "Handbook > Leave > Sick leave"]
    known = await client.files.retrieve(made.id)
    assert (known.id, known.bytes, known.model_extra["ringfence"]["classification"]) == (made.id, len(data), 2)  # type: ignore[index]
    assert (await client.files.content(made.id)).content == data
    other = client.with_options(api_key=BOB_TOKEN)
    for act in (other.files.retrieve, other.files.content, other.files.delete):
        with pytest.raises(openai.NotFoundError):
            await act(made.id)
    assert (await client.files.delete(made.id)).deleted is True
    assert database.documents == {}
    with pytest.raises(openai.NotFoundError):
        await client.files.retrieve(made.id)


async def test_a_large_file_comes_back_byte_for_byte_in_parts_that_fit(app_url: str, database: FakePostgrest) -> None:
    data = b"# Long\n" + b"\r\n\t \n" * 190_000 + b"The end."
    status, made = await upload(app_url, "long.md", data)
    assert status == 200, made
    assert len(database.called("add_file_part")) == 6
    status, headers, body = await send(app_url, "GET", f"/{made['id']}/content")
    assert (status, body) == (200, data)
    assert headers["content-type"] == "application/octet-stream" and headers["content-length"] == str(len(data))
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''long.md"
    assert headers["x-content-type-options"] == "nosniff" and "sandbox" in headers["content-security-policy"]


async def test_the_name_of_a_file_never_leaves_its_header(app_url: str) -> None:
    status, made = await upload(app_url, "..\\..\\a/b'; x=é.html", b"<script>alert(1)</script><p>Hello.")
    assert (status, made["filename"]) == (200, "b'; x=é.html")
    _, headers, _ = await send(app_url, "GET", f"/{made['id']}/content")
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''b%27%3B%20x%3D%C3%A9.html"
    assert headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("given", ["", "/", "a/", "\x00\x1f", "x" * 256])
def test_a_file_has_a_name(given: str) -> None:
    with pytest.raises(BadRequest):
        filename(given)


async def test_an_unchanged_file_is_left_alone_and_a_changed_one_replaces_it(app_url: str, database: FakePostgrest) -> None:
    first, same, changed = [await upload(app_url, "a.md", data) for data in (b"One.", b"One.", b"Two.")]
    assert [made["state"] for _, made in (first, same, changed)] == ["stored", "unchanged", "stored"]
    assert same[1]["id"] == first[1]["id"] == f"{'0' * 8}-0000-0000-0000-000000000001/{changed[1]['ringfence']['replaced']}"
    assert len(database.documents) == 1


EARLIER = {"a.pdf": documents.pdf_file("Before."), "a.docx": documents.docx_file()}


@pytest.mark.parametrize(("name", "data", "status", "code"), [
    ("a.exe", b"MZ", 415, "unsupported_document"), ("a.pdf", b"%PDF-1.4 broken", 422, "broken_document"),
    ("a.pdf", documents.pdf_file("x", password="pw"), 422, "encrypted_document"), ("a.md", b" ", 422, "empty_document"),
    ("a.docx", documents.word_document("", "<w:tbl>" * 3000), 422, "broken_document"),
    ("a.txt", b"x" * (DocumentLimits().file_bytes + 1), 413, "document_too_large"),
    ("a.txt", b"x" * (DocumentLimits().file_bytes + 200_000), 413, "document_too_large")])
async def test_a_file_that_cannot_be_read_is_a_typed_error_leaves_nothing_and_the_agent_serves_on(
        app_url: str, database: FakePostgrest, name: str, data: bytes, status: int, code: str) -> None:
    assert name == "a.exe" or (await upload(app_url, name, EARLIER.get(name, b"Before.")))[0] == 200
    kept = set(database.documents)
    got, body = await upload(app_url, name, data)
    assert (got, body["code"], body["error"]["code"]) == (status, code, code)
    assert set(database.documents) == kept, "the earlier version stays, nothing else is there"
    assert (await upload(app_url, "next.md", b"The next one."))[0] == 200


GOOD = form(('name="file"; filename="a.md"', b"Text."), ('name="knowledge_base"', b"acme/handbook"))


@pytest.mark.parametrize(("body", "kind"), [
    (GOOD, "application/json"), (GOOD, "multipart/form-data"), (GOOD, "multipart/form-data; boundary=another"), (b"", None),
    (GOOD[:60], None), (GOOD.replace(b'name="file"', b'name="other"'), None), (GOOD.replace(b'; filename="a.md"', b""), None),
    (GOOD.replace(b'"a.md"', b'""'), None), (GOOD.replace(b"acme/handbook", b""), None), (GOOD.replace(b'name="knowledge_base"', b'name="owner"'), None),
    (form(*[('name="file"; filename="a.md"', b"x")] * 2), None), (form(*[('name="tags"', b"x")] * 50), None),
    (form(('name="file"; filename="a.md"', b"x"), *[('name="knowledge_base"', b"acme/handbook")] * 2), None),
    (form(('name="file"; filename="a.md"', b"x"), ('name="knowledge_base"', b"x" * 50_000)), None),
    (form(('name="file"; filename="a.md"\r\nX: ' + "x" * 5000, b"x"), ('name="knowledge_base"', b"acme/handbook")), None)])
async def test_a_body_that_is_no_upload_is_a_bad_request(app_url: str, database: FakePostgrest, body: bytes, kind: str | None) -> None:
    status, _, answer = await send(app_url, "POST", "", body, kind=kind)
    assert (status, json.loads(answer)["code"]) == (400, "invalid_request"), answer
    assert not database.called("begin_document")
    assert (await send(app_url, "POST", "", GOOD))[0] == 200


@pytest.mark.parametrize(("field", "value"), [("title", "x" * 301), ("visibility", "everyone"), ("classification", "4"), ("classification", "")])
async def test_a_field_out_of_range_is_named(app_url: str, database: FakePostgrest, field: str, value: str) -> None:
    status, body = await upload(app_url, "a.md", b"Text.", **{field: value})
    assert status == 400 and body["message"].startswith(f"{field}: must")
    assert not database.called("begin_document")


@pytest.mark.parametrize("base", ["globex/handbook", "acme/absent", "acme", "/"])
async def test_a_knowledge_base_of_others_and_an_absent_one_are_the_same(app_url: str, base: str) -> None:
    status, body = await upload(app_url, "a.md", b"Text.", knowledge_base=base)
    assert (status, body["code"], body["message"]) == (404, "not_found", "no such knowledge base, or not yours to see")


@pytest.mark.parametrize(("method", "path"), [
    ("PATCH", ""), ("PUT", ""), ("GET", "/a"), ("GET", "/a/b"), ("GET", f"/{'0' * 32}/{'0' * 32}"), ("DELETE", "/content"), ("POST", "/a/b"),
    ("GET", "/content"), ("GET", "/../models")])
async def test_any_other_path_is_not_found(app_url: str, database: FakePostgrest, method: str, path: str) -> None:
    assert (await send(app_url, method, path))[0] == 404
    assert database.calls == []


async def test_a_document_without_a_file_has_no_content(app_url: str, database: FakePostgrest) -> None:
    _, made = await upload(app_url, "a.md", b"Text.")
    database.documents[made["ringfence"]["id"]].update(parts=0, byte_size=None)
    status, _, body = await send(app_url, "GET", f"/{made['id']}/content")
    assert (status, json.loads(body)["code"]) == (404, "not_found")


async def test_a_right_that_ends_during_a_download_ends_the_download(app_url: str, database: FakePostgrest) -> None:
    _, made = await upload(app_url, "a.md", b"Text." + b"\n" * 600_000)

    async def before(name: str, arguments: Row) -> None:
        if name == "read_file_part" and arguments["position"] == 2:
            raise Refusal(404, "PT404", "no such part of a document")
    database.before = before
    with pytest.raises(http.client.IncompleteRead) as cut:
        await send(app_url, "GET", f"/{made['id']}/content")
    assert len(cut.value.partial) == 360_000


@pytest.mark.parametrize("wrong", ["!!", "", "QUFB"])
async def test_parts_that_are_not_the_file_are_never_taken_for_it(app_url: str, database: FakePostgrest, wrong: str) -> None:
    _, made = await upload(app_url, "a.md", b"Text.")
    database.documents[made["ringfence"]["id"]]["bytes"] = [wrong]
    status, _, body = await send(app_url, "GET", f"/{made['id']}/content")
    assert (status, json.loads(body)["code"]) == (502, "upstream_error")


async def test_a_refusal_of_the_database_in_the_middle_leaves_nothing(app_url: str, database: FakePostgrest) -> None:
    async def before(name: str, arguments: Row) -> None:
        if name == "add_chunks":
            raise Refusal(403, "42501", "not allowed")
    database.before = before
    status, body = await upload(app_url, "a.md", b"Text.")
    assert (status, body["code"]) == (403, "denied") and database.documents == {}


def numbered(number: int) -> str:
    return str(uuid.UUID(int=number))


async def test_of_two_organizations_or_bases_of_one_slug_the_id_is_asked_for_and_no_guess_made(app_url: str, database: FakePostgrest) -> None:
    """Anybody may found a second acme and have the person in it: what is meant for the first must not land there."""
    database.organizations = [{"id": numbered(n), "slug": slug} for n, slug in ((1, "acme"), (2, "acme"), (8, "zoo"), (9, numbered(8)))]
    status, said = await upload(app_url, "a.md", b"The salaries.", knowledge_base="acme/handbook")
    assert (status, said["error"]["code"]) == (409, "conflict") and "give the id" in said["error"]["message"]
    assert database.called("list_knowledge_bases") == database.called("begin_document") == []
    for name, org_id in ((f"{numbered(2)}/handbook", 2), (f"{numbered(1)}/{numbered(3)}", 1), ("zoo/handbook", 8), (f"{numbered(8)}/handbook", 8)):
        status, made = await upload(app_url, f"{org_id}.md", name.encode(), knowledge_base=name)
        assert (status, made["ringfence"]["org_id"]) == (200, numbered(org_id)), name
    for name in (f"{numbered(7)}/handbook", f"acme/{numbered(3)}/", f"{numbered(1)}/{numbered(4)}", "zoo/other", "other/handbook"):
        status, said = await upload(app_url, "b.md", b"x", knowledge_base=name)
        assert status in (404, 409) and name.startswith("acme") == (status == 409), name
    assert len(database.called("begin_document")) == 4
