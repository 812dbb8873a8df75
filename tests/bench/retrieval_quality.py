"""How well search_documents finds the passage that answers: recall at 1, 5 and 10 and mean reciprocal rank on the evaluation set.

A passage answers when it is of the document the question names and holds what marks the answer. Each question is asked as a
member, through the edge, in three ways: by meaning alone, by words alone, and fused as the agent does. Alone:
`python -m tests.bench.retrieval_quality`.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.report import percentile
from tests.eval.questions import Question
from tests.eval.world import Home, homes
from tests.stack.support import ringfence

DEPTH = 10
# In no text, so that no passage is found by its words.
NO_WORD = "zqxjkvw"
WAYS = ("dense", "lexical", "fused")


async def measure(stack: dict[str, Any]) -> dict[str, Any]:
    """Load the set into the stack, print a table and return the same as an object."""
    async with homes(stack) as (places, embedder):
        asked = [(home, question) for home in places for question in home.part.questions if question.kind == "document"]
        vectors = await embedder.embed([question.text for _, question in asked])
        ranks: dict[str, list[int | None]] = {way: [] for way in WAYS}
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        foreign = 0
        for (home, question), vector in zip(asked, vectors, strict=True):
            for way in WAYS:
                began = time.perf_counter()
                rows = await _search(home, question, vector, way)
                seconds[way].append(time.perf_counter() - began)
                ranks[way].append(_rank(home, question, rows))
                foreign += sum(not home.may_show(row) for row in rows)
    result = {way: _summary(ranks[way], seconds[way]) for way in WAYS}
    print(f"\nretrieval on {len(asked)} questions over {sum(len(home.documents) for home in places)} documents"
          f"\n{'':<12}{'recall@1':>10}{'recall@5':>10}{'recall@10':>11}{'MRR':>8}{'median':>11}{'p95':>11}")
    for way, row in result.items():
        print(f"{way:<12}{row['recall@1']:>10.2f}{row['recall@5']:>10.2f}{row['recall@10']:>11.2f}{row['mrr']:>8.3f}{row['median_ms']:>8.1f} ms{row['p95_ms']:>8.1f} ms")
    print(f"rows of the other organization: {foreign}")
    missed = [question.text for (_, question), rank in zip(asked, ranks["fused"], strict=True) if rank is None]
    return {"questions": len(asked), "ways": result, "foreign_rows": foreign, "missed_by_fused": missed}


async def _search(home: Home, question: Question, vector: list[float], way: str) -> list[dict[str, Any]]:
    meaning = {} if way == "lexical" else {"query_embedding": json.dumps(vector)}
    return list(await home.asker.call("search_documents", {
        "org_id": home.org_id, "query": NO_WORD if way == "dense" else question.text, "max_rows": DEPTH} | meaning))


def _rank(home: Home, question: Question, rows: list[dict[str, Any]]) -> int | None:
    """Return the place of the first passage that answers, from 1."""
    return next((place for place, row in enumerate(rows, start=1)
                 if home.documents.get(row["document_id"]) == question.document and question.marks(row["content"])), None)


def _summary(ranks: list[int | None], seconds: list[float]) -> dict[str, float]:
    within = {f"recall@{k}": sum(rank is not None and rank <= k for rank in ranks) / len(ranks) for k in (1, 5, DEPTH)}
    return within | {"mrr": sum(1 / rank for rank in ranks if rank) / len(ranks), "median_ms": statistics.median(seconds) * 1000,
                     "p95_ms": percentile(seconds, 95) * 1000}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ringfence-retrieval-") as folder:
        unlimited = {f"RINGFENCE_RATE_{name}": "100000/1000000" for name in ("USER", "ADDRESS", "AUTH", "CHAT", "ORG", "ORG_CHAT")}
        up = ringfence("up", "--detach", "--json", "--no-seed", "--port", "0", "--state-dir", Path(folder), environment=unlimited)
        try:
            if up.returncode != 0:
                sys.exit(up.stderr)
            result = asyncio.run(measure(json.loads(up.stdout)))
        finally:
            ringfence("down", "--state-dir", Path(folder))
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
