"""Who may read what is decided in the database and nowhere else: no step of the agent looks at a column of the access rule, and each
place that leaves out rows of a result is described here with what it goes by (F27)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Commands ask for a person and end; files are read before anybody's documents are, in a process of their own.
MODULES = sorted(f for f in (ROOT / "agent").rglob("*.py") if not {"cli", "documents"} & set(f.relative_to(ROOT / "agent").parts[:1]))
ACCESS = {"org_id", "owner_id", "user_id", "visibility", "classification", "acl_expires_at", "knowledge_base_id", "document_id", "chunk_id",
          "permissions", "trust", "level", "grants"}
"""Columns the policies go by."""
ROWS = {"rows", "passages", "_passages", "citations", "sources", "documents", "chunks", "found", "results"}
"""What rows of a result are called."""
FILTERS = ("filter", "filterfalse")

DECISIONS = {
    "agent.files: known['org_id'] != org_id": "the place to go on from must be one of the list that is asked for; both came from the caller",
    "agent.audit.chain: (a.org_id, a.lane) == (org_id, lane)": "which chain an anchor is of",
    "agent.audit.sources: 'audit.read' in org['permissions']": "whose chains are asked for; the database says which there are",
    "agent.chunking: level < block.level": "the depth of a heading",
    **dict.fromkeys((
        "agent.standing: one['visibility'] == 'private'", "agent.standing: one['owner_id'] == person", "agent.standing: one['visibility'] == 'private' and one['owner_id'] == person",
        "agent.standing: one['visibility'] != 'private'", "agent.standing: one['owner_id'] != person", "agent.standing: private and any((one['owner_id'] != person for one in shared))"),
        "which version at a place a file takes the place of; each change is an RPC that decides, and none of the rows is shown"),
    **dict.fromkeys((
        "agent.standing: place.visibility is None", "agent.standing: place.visibility == 'private'", "agent.standing: place.classification is not None",
        "agent.standing: place.classification not in (None, known['classification'])"), "what the caller asked for: whether they said it, and whether it is so already"),
    "agent.standing: one['id'] == document_id": "the document that was just found unchanged",
}
SELECTIONS = {
    "agent.analytics.chart: rows[:DRAWN_ROWS]": "as many as a chart takes",
    "agent.analytics.chart: rows[:LOOKED_AT_ROWS]": "as many as it takes to see what fits",
    "agent.analytics.context: [row for row in rows or () if isinstance(row, dict)][:most]": "as many as the prompt takes",
    "agent.analytics.context: for row in rows or ()": "what is no row at all",
    "agent.analytics.tool: rows[:_MODEL_ROWS]": "as many as a model is shown, where it is shown any",
    "agent.analytics.tool: for row in rows[:_MODEL_ROWS]": "as many characters of them as it is shown",
    "agent.analytics.upload: for row in table.rows()": "as many as fit one request; none is left out",
    "agent.worker.executor: found.rows[:LOOKED_AT_ROWS]": "as many as it takes to see what chart fits",
    "agent.catalog: for row in rows": "functions that are no tools",
    "agent.citations: for row in rows": "rows that are no passages",
    "agent.citations: for passage in self._passages.values()": "the numbers an answer names",
    "agent.files: rows[:int(limit)]": "one more than the caller wants was asked for, to know whether there is more",
    "agent.ingest: for row in rows": "as many as fit one request; none is left out",
    "agent.naming: for (one, slug) in found.items()": "the organization the caller named",
    "agent.prompt: for row in rows": "as many as the model's context takes",
    "agent.standing: for one in found": "a version that is still being loaded",
    "agent.standing: for one in rows": "documents at other places of the page",
    "agent.providers.offline_answer: for p in passages": "how near the question they are",
    "agent.providers.schema_constrained: (await asyncio.to_thread(about, question, result.passages))[:schema_prompt.MAX_PASSAGES]":
        "as many as a small model reads, the nearest first",
}


def decisions(tree: ast.AST) -> Iterator[str]:
    """Yield every condition that names a column of the access rule."""
    for test in _conditions(tree):
        if ACCESS & set(_names(test)):
            yield ast.unparse(test)


def _conditions(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) | ast.Assert(test=test):
                yield test
            case ast.comprehension(ifs=tests):
                yield from tests
            case ast.Compare():
                yield node
            case ast.Match(subject=subject):
                yield subject
            case ast.Call() if _called(node) in FILTERS:
                yield from node.args


def selections(tree: ast.AST) -> Iterator[str]:
    """Yield every place that goes on with some of the rows it has."""
    for node in ast.walk(tree):
        match node:
            case ast.comprehension(ifs=[_, *_]) if ROWS & set(_names(node.iter)):
                yield f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}"
            case ast.For() | ast.AsyncFor() if ROWS & set(_names(node.iter)) and any(isinstance(part, ast.If) for line in node.body for part in ast.walk(line)):
                yield f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}"
            case ast.Subscript(slice=ast.Slice()) if ROWS & set(_names(node.value)):
                yield ast.unparse(node)
            case ast.Call() if _called(node) in FILTERS and any(ROWS & set(_names(one)) for one in node.args):
                yield ast.unparse(node)


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Dict():
            return  # arguments of a call: what is said, not what is looked at
        case ast.Call(args=args, keywords=keywords):
            for part in (node.func, *(one for one in (*args, *(named.value for named in keywords)) if not isinstance(one, ast.Name))):
                yield from _names(part)
            return
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            yield name
    for part in ast.iter_child_nodes(node):
        yield from _names(part)


def everywhere(find: object) -> set[str]:
    return {f"{'.'.join(file.relative_to(ROOT).with_suffix('').parts)}: {place}"
            for file in MODULES for place in find(ast.parse(file.read_text()))}  # type: ignore[operator]


def test_no_step_of_the_agent_decides_by_who_may_read_what_F27() -> None:
    assert everywhere(decisions) == set(DECISIONS)


def test_each_place_that_leaves_out_rows_says_what_it_goes_by_F27() -> None:
    assert everywhere(selections) == set(SELECTIONS)


@pytest.mark.parametrize("code", [
    "def f(rows, me):\n    return [row for row in rows if row['owner_id'] == me]\n",
    "def f(rows, known):\n    return [row for row in rows if row.get('document_id') in known]\n",
    "def f(row):\n    return row if row['visibility'] == 'organization' else None\n",
    "def f(rows, clearance):\n    return list(filter(lambda row: row['classification'] <= clearance, rows))\n",
    "def f(rows):\n    for row in rows:\n        if not row['trust']:\n            continue\n        yield row\n",
    "def f(row, n):\n    return row if row['owner_id'] and n == 1 else None\n",
    "def f(row):\n    match row['classification']:\n        case 3:\n            return None\n",
])
def test_a_planted_filter_is_found_F27(code: str) -> None:
    assert [*decisions(ast.parse(code))], code


@pytest.mark.parametrize(("code", "found"), [
    ("kept = [row for row in answer['rows'] if row['score'] > 1]", ["for row in answer['rows']"]),
    ("for row in rows:\n    if ok(row):\n        kept.append(row)", ["for row in rows"]),
    ("kept = rows[:5]", ["rows[:5]"]),
    ("kept = filter(ok, rows)", ["filter(ok, rows)"]),
    ("kept = [row for row in rows]", []), ("first = rows[0]", []), ("kept = names[:5]", []),
])
def test_a_planted_selection_is_found_and_going_through_all_is_none_F27(code: str, found: list[str]) -> None:
    assert list(selections(ast.parse(code))) == found
