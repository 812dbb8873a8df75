"""Many organizations and their passages, the same for the same size: one organization has half of them, one a thousandth.

Vectors lie in clusters, as embeddings of real texts do, or a nearest neighbour would mean nothing; words are drawn by Zipf's law.
Loaded as an operator loads a copy: in bulk, without firing triggers, the indexes of the ranking built afterwards.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import psycopg

from tests.db.session import Person

DIMENSIONS = 384
TOPICS = 2000
PER_DOCUMENT = 25
WORDS_PER_CHUNK = 130
VOCABULARY = 20_000
BATCH = 20_000
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Member:
    """An organization, one of its members, and how many passages it has."""

    org_id: UUID
    person: Person
    chunks: int


@dataclass(frozen=True)
class Dataset:
    """What was loaded."""

    superuser_url: str
    organizations: int
    chunks: int
    largest: Member
    smallest: Member
    typical: Member
    seconds: float
    """What loading took."""


class Meaning:
    """Topics as directions in space; a passage or a question is somewhere around one of them."""

    def __init__(self, topics: int = TOPICS, seed: int = 7) -> None:
        self.centres = _unit(np.random.default_rng(seed).normal(size=(topics, DIMENSIONS)))

    def around(self, count: int, seed: int) -> tuple[Array, Array]:
        """Return (topic of each, unit vectors as float32)."""
        random = np.random.default_rng(seed)
        topics = random.integers(0, len(self.centres), size=count)
        # Half a topic's direction, half its own: two passages of a topic are at a cosine of about 0.6.
        noise = _unit(random.normal(size=(count, DIMENSIONS)))
        return topics, _unit(self.centres[topics] * 1.2 + noise).astype(np.float32)


def sizes(organizations: int, chunks: int) -> list[int]:
    """Return the passages of each organization: half of all, a thousandth, and the rest shared equally."""
    largest, smallest = chunks // 2, max(10, chunks // 1000)
    rest, others = chunks - largest - smallest, organizations - 2
    return [largest, smallest, *(rest // others + (i < rest % others) for i in range(others))]


def words(topics: Array, seed: int) -> list[str]:
    """Return a text for each topic: common words of everybody's and some of the topic's own."""
    random = np.random.default_rng(seed)
    # Zipf and Mandelbrot's law, without the stop words at its head: the commonest word stands in a tenth of all passages.
    weights = 1 / (np.arange(VOCABULARY) + 100.0)
    drawn = np.searchsorted(np.cumsum(weights / weights.sum()), random.random((len(topics), WORDS_PER_CHUNK)))
    names = [_word(i) for i in range(VOCABULARY + 1)]
    own = random.integers(0, 40, size=(len(topics), 8))
    return [" ".join([*(names[i] for i in row), *(f"{_word(t)}{_word(o)}" for o in rare)])
            for row, rare, t in zip(drawn.tolist(), own.tolist(), topics.tolist(), strict=True)]


def questions(meaning: Meaning, count: int, seed: int) -> list[tuple[str, str]]:
    """Return `count` questions of six words each with their vectors as text: two common words, the rest of a topic."""
    topics, vectors = meaning.around(count, seed)
    texts = [t.split() for t in words(topics, seed + 1)]
    return [(" ".join([*t[:3], *t[-3:]]), vector) for t, vector in zip(texts, as_text(vectors), strict=True)]


def as_text(vectors: Array) -> list[str]:
    """Return the vectors as PostgreSQL reads them."""
    return ["[" + ",".join(f"{x:.6g}" for x in vector) + "]" for vector in vectors.tolist()]


def build(superuser_url: str, organizations: int, chunks: int, maintenance: str = "1GB") -> Dataset:
    """Fill an empty database made from sql/ and return what is in it."""
    began = time.perf_counter()
    members = _found(superuser_url, sizes(organizations, chunks))
    with psycopg.connect(superuser_url) as db:
        db.execute("set session_replication_role = replica")
        # The server commits without waiting for its disk; what is not on it yet, vacuum could not call visible to all.
        db.execute("set synchronous_commit = on")
        db.execute("select set_config('maintenance_work_mem', %s, false)", [maintenance])
        later = _without_indexes(db)
        _documents(db, members)
        place = 0
        for batch in _batches(chunks):
            _chunks(db, place, batch)
            place += batch
        for statement in later:
            db.execute(statement)
    with psycopg.connect(superuser_url, autocommit=True) as db:
        db.execute("vacuum (analyze)")
    return Dataset(superuser_url, organizations, chunks, *members[:3], time.perf_counter() - began)


def _found(superuser_url: str, chunks: list[int]) -> list[Member]:
    """Make the organizations, each with a founder of its own: the first through the function people use, the others as copies of it."""
    people = [Person(f"founder-{number}@bench.test") for number in range(len(chunks))]
    with psycopg.connect(superuser_url) as db:
        with db.cursor().copy("copy auth.users (id, email, aud, role) from stdin") as copy:
            for person in people:
                copy.write_row((person.user_id, person.email, "authenticated", "authenticated"))
        with db.cursor().copy("copy auth.sessions (id, user_id) from stdin") as copy:
            for person in people:
                copy.write_row((person.session_id, person.user_id))
        db.execute("select set_config('request.jwt.claims', %s, true), set_config('role', 'authenticated', true)", [json.dumps(people[0].claims())])
        ((first,),) = db.execute("select api.create_organization('bench-0', 'Organization 0') ->> 'id'").fetchall()
        db.execute("select set_config('role', 'none', true)")
        db.execute("set local session_replication_role = replica")
        # One statement a table: in each the copies get roles of their own.
        db.execute("insert into app.organization (slug, name, created_by) select 'bench-' || n, 'Organization ' || n, person"
                   " from unnest(%s::uuid[]) with ordinality u (person, place), lateral (select place as n) n", [[p.user_id for p in people[1:]]])
        copies = "app.organization o where o.slug like 'bench-%%' and o.id <> %(first)s"
        db.execute(f"insert into app.role (org_id, name, built_in, permissions) select o.id, r.name, true, r.permissions from app.role r, {copies} and r.org_id = %(first)s", {"first": first})
        db.execute("insert into app.role_permission (org_id, role_id, permission) select r.org_id, r.id, p.permission from app.role_permission p"
                   " join app.role f on f.org_id = p.org_id and f.id = p.role_id join app.role r on r.name = f.name and r.org_id <> f.org_id"
                   " where f.org_id = %(first)s", {"first": first})
        db.execute("insert into app.membership (org_id, user_id, role_id, permissions) select o.id, o.created_by, r.id, r.permissions"
                   f" from app.role r, {copies} and r.org_id = o.id and r.name = 'owner'", {"first": first})
        made = dict(db.execute("select created_by, id from app.organization").fetchall())
    return [Member(made[person.user_id], person, size) for person, size in zip(people, chunks, strict=True)]


def _without_indexes(db: psycopg.Connection) -> list[str]:
    """Drop the indexes that are quicker built at once, and return the statements that make them."""
    found = db.execute(
        "select i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indexrelid"
        " join pg_am a on a.oid = c.relam where i.indrelid = 'app.chunk'::regclass and a.amname in ('hnsw', 'gin')").fetchall()
    for name, _ in found:
        db.execute(f"drop index {name}")  # type: ignore[arg-type]
    return [definition for _, definition in found]


def _documents(db: psycopg.Connection, members: list[Member]) -> None:
    """Give each organization knowledge bases and documents, and note which chunk numbers are whose in `bench_place`."""
    db.execute("create temporary table bench_place (n integer primary key, org_id uuid not null, document_id uuid not null, position integer not null)")
    first = 0
    for member in members:
        db.execute("insert into app.knowledge_base (org_id, slug, name, created_by) select %s, 'base-' || i, 'Base', %s from generate_series(1, 10) i",
                   [member.org_id, member.person.user_id])
        db.execute(
            "with base as (select id, row_number() over (order by slug) - 1 as place from app.knowledge_base where org_id = %(org)s),"
            " made as (insert into app.document (org_id, knowledge_base_id, title, uri, sha256, owner_id, state, passages)"
            "   select %(org)s, b.id, 'Document ' || i, 'bench:' || i, repeat('0', 64), %(person)s, 'ready', least(%(each)s, %(chunks)s - i * %(each)s)"
            "   from generate_series(0, (%(chunks)s - 1) / %(each)s) i join base b on b.place = i %% 10 returning id, uri)"
            " insert into bench_place select %(first)s + i, %(org)s, m.id, i %% %(each)s from generate_series(0, %(chunks)s - 1) i"
            " join made m on m.uri = 'bench:' || i / %(each)s",
            {"org": member.org_id, "person": member.person.user_id, "chunks": member.chunks, "each": PER_DOCUMENT, "first": first})
        first += member.chunks
    db.execute("analyze bench_place")


def _chunks(db: psycopg.Connection, first: int, count: int) -> None:
    """Load the chunks numbered from `first`; what they copy of their document is read from the foreign key."""
    meaning = Meaning()
    topics, vectors = meaning.around(count, 1000 + first)
    db.execute("create temporary table bench_vector (n integer not null, embedding extensions.vector not null) on commit drop")
    db.execute("create temporary table bench_text (n integer not null, content text not null) on commit drop")
    with db.cursor().copy("copy bench_vector from stdin (format binary)") as copy:
        copy.write(_binary(first, vectors))
    with db.cursor().copy("copy bench_text from stdin") as copy:
        for number, text in enumerate(words(topics, 2000 + first), first):
            copy.write_row((number, text))
    ((copied,),) = db.execute(
        "select string_agg(quote_ident(a.attname), ',' order by k.place) from pg_constraint c, unnest(c.conkey) with ordinality k (number, place)"
        " join pg_attribute a on a.attrelid = 'app.chunk'::regclass and a.attnum = k.number"
        " where c.conrelid = 'app.chunk'::regclass and c.confrelid = 'app.document'::regclass"
        " and a.attname not in ('org_id', 'document_id')").fetchall()
    from_document = ",".join(f"d.{name}" for name in copied.split(","))
    db.execute(
        f"insert into app.chunk (org_id, document_id, position, content, start_char, end_char, embedding, {copied})"  # type: ignore[arg-type]
        f" select p.org_id, p.document_id, p.position, t.content, p.position * 800, p.position * 800 + 900, v.embedding, {from_document}"
        " from bench_place p join bench_vector v using (n) join bench_text t using (n)"
        " join app.document d on d.org_id = p.org_id and d.id = p.document_id order by p.n")
    db.execute("drop table bench_vector, bench_text")


def _binary(first: int, vectors: Array) -> bytes:
    """Return the rows (number, vector) in PostgreSQL's binary copy format."""
    row = np.dtype([("fields", ">i2"), ("number_length", ">i4"), ("number", ">i4"), ("vector_length", ">i4"), ("dimensions", ">i2"),
                    ("unused", ">i2"), ("vector", ">f4", (DIMENSIONS,))])
    rows = np.zeros(len(vectors), dtype=row)
    rows["fields"], rows["number_length"], rows["number"] = 2, 4, np.arange(first, first + len(vectors))
    rows["vector_length"], rows["dimensions"], rows["vector"] = 4 + 4 * DIMENSIONS, DIMENSIONS, vectors
    out = io.BytesIO()
    out.write(b"PGCOPY\n\xff\r\n\x00" + bytes(8))
    out.write(rows.tobytes())
    out.write(b"\xff\xff")
    return out.getvalue()


def _batches(chunks: int) -> Iterator[int]:
    while chunks > 0:
        yield min(BATCH, chunks)
        chunks -= BATCH


def _word(number: int) -> str:
    """Return a word that stands for a number: pronounceable, so that the stemmer leaves it alone."""
    syllables = ""
    number += 1
    while number:
        number, rest = divmod(number, 70)
        syllables += "bdfgklmnprstvz"[rest // 5] + "aeiou"[rest % 5]
    return syllables + "k"


def _unit(vectors: Array) -> Array:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
