"""The rule of who reads a document is one expression, wherever it stands: on the document, its passages, its file and in the search by index (F26, F33)."""

from __future__ import annotations

import re

import pytest

from tests.db.session import Request
from tests.db.world import World

TABLES = ("document", "chunk", "document_part")
FLOORS = ("floor", "classification_floor", "denied_floor", "expired_floor")


def expression(db: Request, table: str, policy: str, column: str = "polqual") -> str:
    """The condition as PostgreSQL keeps it, with the document called `document_id` and white space evened out."""
    text = db.one(f"select pg_get_expr({column}, polrelid) from pg_policy where polrelid = %s::regclass and polname = %s", f"app.{table}", f"{table}_{policy}")
    text = re.sub(r"\bid (= ANY|<> ALL)", r"document_id \1", text) if table == "document" else text
    return re.sub(r"\s+", " ", text)


def bare(text: str) -> str:
    """The text without the parentheses that are around all of it."""
    while text.startswith("("):
        depth = 0
        for i, c in enumerate(text):
            depth += (c == "(") - (c == ")")
            if depth == 0:
                break
        if i < len(text) - 1:
            break
        text = text[1:-1].strip()
    return text


def conjuncts(text: str) -> set[str]:
    """The conditions of a top-level AND; a top-level OR is one."""
    parts, depth, start, text = [], 0, 0, bare(text)
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and text[i:i + 4] == " OR ":
            return {text}
        if depth == 0 and text[i:i + 5] == " AND ":
            parts.append(text[start:i])
            start = i + 5
    return {bare(p.strip()) for p in [*parts, text[start:]]}


def differences(db: Request) -> list[str]:
    found = []
    for policy in ("select_reader", *FLOORS):
        rules = {expression(db, table, policy) for table in TABLES}
        if policy != "select_reader":
            rules |= {expression(db, table, policy, "polwithcheck") for table in TABLES}
        if len(rules) != 1:
            found.append(policy)
    rule = set().union(*(conjuncts(expression(db, "chunk", p)) for p in ("select_reader", *FLOORS)))
    # The search names one organization, of those with documents.read, instead of comparing with all of them.
    rule = {r for r in rule if not r.startswith("org_id = ANY")} | {"org_id = ( SELECT authz.search_org_id() AS search_org_id)"}
    by_words = {"terms @@ ( SELECT authz.search_terms() AS search_terms)"}
    if conjuncts(expression(db, "chunk", "select_search_owner")) != rule | by_words:
        found.append("chunk_select_search_owner")
    return found


def test_every_policy_that_shows_a_document_has_the_same_rule_F26_F33(world: World) -> None:
    with world.operator() as db:
        assert differences(db) == []


@pytest.mark.parametrize(("planted", "found"), [
    ("alter policy chunk_select_reader on app.chunk using (visibility = 'organization' or owner_id = (select authz.uid()))", "select_reader"),
    ("alter policy document_part_expired_floor on app.document_part using (true)", "expired_floor"),
    ("alter policy document_denied_floor on app.document with check (true)", "denied_floor"),
    ("alter policy chunk_select_search_owner on app.chunk using (org_id = (select authz.search_org_id()))", "chunk_select_search_owner"),
    ("alter policy chunk_classification_floor on app.chunk using (classification <= 2)", "classification_floor"),
])
def test_a_policy_that_differs_is_named_F33(world: World, planted: str, found: str) -> None:
    with world.operator() as db:
        db.run(planted)
        assert found in differences(db)
