"""Whether a search finds what comparing every passage finds: recall at 10, and whether it gives as many as there are."""

from __future__ import annotations

import psycopg

from tests.bench.dataset import Dataset, Meaning, Member, questions
from tests.bench.report import Report
from tests.bench.server import Server, patient
from tests.db.session import request

LEAST = 0.95
NO_WORD = "zqxjkvw"
EXACT = ("select id from app.chunk where org_id = %s order by (embedding operator(extensions.<=>) %s::extensions.vector) + 0, id limit 10")


def measure(report: Report, server: Server, database: str, data: Dataset, count: int) -> None:
    """Add recall at 10 for the smallest and the largest organization."""
    asked = [vector for _, vector in questions(Meaning(), count, seed=4242)]
    for name, member in (("smallest", data.smallest), ("largest", data.largest)):
        recalled, fewer = recall(server, database, member, asked)
        report.add(f"recall@10, {name} organization ({member.chunks:,} passages)", recalled, "", at_least=LEAST, note=f"{count} questions")
        report.add(f"questions with fewer than 10 results, {name} organization", fewer, "", at_most=0)


def recall(server: Server, database: str, member: Member, asked: list[str]) -> tuple[float, int]:
    """Return (share of the ten nearest that a search by meaning gives, questions with fewer than ten results)."""
    hits = fewer = 0
    url = server.cluster.url("authenticator", database)
    with psycopg.connect(server.cluster.url("supabase_admin", database)) as exact, patient(url) as connection:
        with request(url, member.person.claims(), connection=connection) as person:
            for vector in asked:
                nearest = {i for (i,) in exact.execute(EXACT, [member.org_id, vector]).fetchall()}
                found = {i for (i,) in person.all(
                    "select chunk_id from api.search_documents(%s, %s, %s::extensions.vector, 10)", member.org_id, NO_WORD, vector)}
                hits += len(nearest & found)
                fewer += len(found) < len(nearest)
    return hits / (10 * len(asked)), fewer
