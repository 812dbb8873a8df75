"""Documents: cut into exact slices, embedded, stored in requests that fit."""

import json
import random

import pytest

from agent.chunking import MAXIMUM, TARGET, Chunk, chunk
from agent.embedding import LocalEmbedder, Vector
from agent.errors import BadDocument, Denied
from agent.ingest import MAX_BATCH_BYTES, ingest
from agent.rpc import RpcPool, Token
from tests.agent.conftest import TOKEN
from tests.agent.fake_postgrest import FakePostgrest, Refusal, Row

MARKDOWN = """\
# Title

## Install

Run the installer. It takes a minute.

```sh
# not a heading

pip install it
```

Setext heading
--------------

After it.
"""


def check(text: str) -> list[Chunk]:
    """Return the passages after checking what must hold for every text."""
    chunks = chunk(text)
    assert [c.position for c in chunks] == list(range(len(chunks)))
    end = 0
    for c in chunks:
        assert text[c.start_char:c.end_char] == c.content
        assert 1 <= len(c.content) <= MAXIMUM and c.content == c.content.strip()
        assert end <= c.start_char and not text[end:c.start_char].strip(), "only white space is left out"
        end = c.end_char
    assert not text[end:].strip()
    assert chunk(text) == chunks
    return chunks


def test_a_heading_begins_a_passage_and_stays_with_its_text() -> None:
    assert [c.content.splitlines()[0] for c in check(MARKDOWN)] == ["# Title", "Setext heading"]
    assert "# not a heading\n\npip install it" in check(MARKDOWN)[0].content


def test_paragraphs_are_gathered_up_to_the_target() -> None:
    chunks = check("\n\n".join(f"Paragraph {n}. " + "word " * 30 for n in range(20)))
    assert len(chunks) == 7 and all(TARGET / 2 < len(c.content) <= TARGET for c in chunks[:-1])


def test_a_long_paragraph_is_cut_at_lines_then_sentences_then_spaces_then_anywhere() -> None:
    assert all(c.content.endswith("line") for c in check("\n".join(["a short line"] * 500)))
    assert all(c.content.endswith(".") for c in check("This is one sentence. " * 200))
    assert all(c.content.endswith("word") for c in check("word " * 1000))
    assert [len(c.content) for c in check("x" * 3000)] == [600, 600, 600, 1200]


@pytest.mark.parametrize("text", ["", " \n\t\n", "\n\n"])
def test_a_text_without_text_has_no_passages(text: str) -> None:
    assert check(text) == []


def test_any_text_is_cut_into_exact_slices() -> None:
    pieces = ["# h\n", "## g", "\n", "\n\n", "word ", "Sentence. ", "```\n", "~~~", "===\n", "---\n", "\r\n", "\t",
              "\x0c", "ü😀", "y" * 700, "\u2028", "  indented\n", "- item\n"]
    seeded = random.Random(7)
    for _ in range(300):
        check("".join(seeded.choice(pieces) for _ in range(seeded.randrange(60))))


class Ones:
    """Embeds everything as the same long-winded vector; what is stored is tested here, not what it means."""

    remote = None

    async def embed(self, texts: list[str]) -> list[Vector]:
        return [[-0.0512345678901] * 384 for _ in texts]

    async def close(self) -> None:
        pass


def document(text: str, **changes: str) -> dict[str, str]:
    return {"org_id": "o", "knowledge_base_id": "k", "title": "T", "uri": "file:///t.md", "text": text} | changes


@pytest.mark.anyio
async def test_a_document_is_stored_in_requests_that_fit_and_progress_is_told(
        pool: RpcPool, database: FakePostgrest) -> None:
    text = "\n\n".join(f"# {n}\n\n" + "😀" * 1190 for n in range(100))
    seen: list[tuple[int, int]] = []
    stored = await ingest(pool.as_user(Token(TOKEN)), Ones(), **document(text),  # type: ignore[arg-type]
                          progress=lambda done, total: seen.append((done, total)))
    assert (stored.state, stored.chunks, stored.replaced) == ("stored", 100, None)
    assert seen == [(0, 100), (32, 100), (64, 100), (96, 100), (100, 100)]
    sent = [call.arguments["chunks"] for call in database.called("add_chunks")]
    rows = [row for batch in sent for row in batch]
    assert [row["position"] for row in rows] == list(range(100))
    assert all(text[row["start_char"]:row["end_char"]] == row["content"] for row in rows)
    assert rows[0]["embedding"] == [-0.051235] * 384
    assert all(len(json.dumps(batch, ensure_ascii=False).encode()) < 256_000 for batch in sent)
    assert max(len(json.dumps(b, ensure_ascii=False, separators=(",", ":")).encode()) for b in sent) <= MAX_BATCH_BYTES


@pytest.mark.anyio
async def test_an_unchanged_document_is_left_alone(pool: RpcPool, database: FakePostgrest, embedder: LocalEmbedder) -> None:
    rpc = pool.as_user(Token(TOKEN))
    first = await ingest(rpc, embedder, **document("# A\n\nText."))  # type: ignore[arg-type]
    again = await ingest(rpc, embedder, **document("# A\n\nText."))  # type: ignore[arg-type]
    changed = await ingest(rpc, embedder, **document("# A\n\nOther."))  # type: ignore[arg-type]
    assert [first.state, again.state, changed.state] == ["stored", "unchanged", "stored"]
    assert [len(database.called(name)) for name in ("begin_document", "add_chunks", "finish_document")] == [3, 2, 2]


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["", "  \n", "a\x00b", "a\ud800b"])
async def test_a_document_that_is_not_text_is_refused_before_any_call(
        pool: RpcPool, database: FakePostgrest, text: str) -> None:
    with pytest.raises(BadDocument):
        await ingest(pool.as_user(Token(TOKEN)), Ones(), **document(text))  # type: ignore[arg-type]
    assert database.calls == []


@pytest.mark.anyio
async def test_a_refused_document_is_a_typed_error(pool: RpcPool, database: FakePostgrest) -> None:
    async def before(name: str, arguments: Row) -> None:
        raise Refusal(403, "42501", "not allowed")
    database.before = before
    with pytest.raises(Denied):
        await ingest(pool.as_user(Token(TOKEN)), Ones(), **document("Text."))  # type: ignore[arg-type]
