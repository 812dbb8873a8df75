"""Every function of the API through the edge and the real PostgREST: another organization's things and things that do not exist
are the same answer, byte for byte, and the right person gets theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.db.calling import filled, placeholders
from tests.db.registry import RECIPES, ROLES, TABLES
from tests.e2e.conftest import SignedIn

People = Callable[[str], SignedIn]


@pytest.fixture(scope="module")
def acme(stack: dict[str, Any]) -> dict[str, str]:
    """Ids of acme by the names recipes use: its own, its people by role, otherwise any row of the table the name ends with."""
    with psycopg.connect(stack["database_url"]) as db:
        org = db.execute("select id from app.organization where slug = 'acme'").fetchone()
        assert org is not None
        ids = {"org": str(org[0])}
        for name in (n for n in placeholders() if n != "org"):
            if name in {*ROLES, "customer", "nobody"}:
                query = "select user_id from app.membership where org_id = %s limit 1"
            else:
                # What is of no table of ours, a session or a secret for instance, is random.
                table = next((t for t in sorted(TABLES, key=len, reverse=True) if name == t or name.endswith(f"_{t}")), None)
                query = f"select id from app.{table} where org_id = %s limit 1" if table else "select null::uuid where %s::uuid is null"
            row = db.execute(query.encode(), org).fetchone()
            ids[name] = str(row[0] if row else uuid4())
    return ids


def arguments(name: str, ids: dict[str, str]) -> dict[str, Any]:
    return filled(RECIPES[name][1], ids)


# These name no organization: they speak of the caller only.
OWN = {"tool_catalog", "whoami", "list_bots", "create_organization", "choose_no_organization", "touch_api_token", "list_providers", "list_personal_data"}
FUNCTIONS = sorted(RECIPES.keys() - OWN)


def test_every_function_of_the_catalog_is_in_this_sweep(person: People) -> None:
    names = {f["name"] for f in person("member@globex.test").rpc("tool_catalog").json()}
    assert names == set(FUNCTIONS) | OWN


@pytest.mark.parametrize("intruder", ["owner@globex.test", "member@globex.test", "nobody@example.test"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_anothers_and_absent_are_the_same_answer_through_the_edge_F21_R10_R52_R53(
    person: People, acme: dict[str, str], name: str, intruder: str
) -> None:
    absent = {key: str(uuid4()) for key in acme}
    foreign = person(intruder).rpc(name, **arguments(name, acme))
    random = person(intruder).rpc(name, **arguments(name, absent))
    assert foreign.anonymised() == random.anonymised()
    assert foreign.json() == [] or foreign.json().get("code") in ("not_found", "denied", "aal_required"), foreign.body


@pytest.mark.parametrize("name", ["list_members", "list_knowledge_bases", "list_documents", "search_documents", "list_bots"])
def test_the_right_person_gets_rows_from_the_same_call_R10(person: People, acme: dict[str, str], name: str) -> None:
    given = arguments(name, acme) | ({"query": "license", "run_id": None} if name == "search_documents" else {})
    answer = person("owner@acme.test").rpc(name, **given)
    assert answer.status == 200
    assert answer.json()


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if "org_id" in RECIPES[n][1]])
@pytest.mark.parametrize("missing", ["left out", "null"])
def test_no_organization_named_is_an_error_and_never_all_of_them_F20(person: People, acme: dict[str, str], name: str, missing: str) -> None:
    given = arguments(name, acme)
    if missing == "null":
        given["org_id"] = None
    else:
        del given["org_id"]
    answer = person("owner@acme.test").rpc(name, **given)
    assert (answer.status, answer.json()["code"]) == (400, "invalid_argument")


@pytest.mark.parametrize("value", [None, "", [], "*", {}, "' or true --", 1e30, ["*"], "\u0000", "a" * 5000], ids=repr)
def test_hostile_values_never_widen_a_search_F09(person: People, acme: dict[str, str], value: Any) -> None:
    stranger = person("owner@globex.test")
    for argument in ("org_id", "query", "query_embedding", "max_rows", "run_id"):
        answer = stranger.rpc("search_documents", **{"org_id": acme["org"], "query": "license", argument: value})
        assert answer.status in (200, 400, 404), (argument, answer.body)
        assert answer.status != 200 or answer.json() == [], (argument, answer.body[:200])


def test_two_organizations_get_their_own_passages_for_the_same_question_F26(person: People) -> None:
    found: dict[str, set[str]] = {}
    for slug in ("acme", "globex"):
        owner = person(f"owner@{slug}.test")
        rows = owner.rpc("search_documents", org_id=owner.orgs[slug], query="license", max_rows=50).json()
        assert rows
        for row in rows:
            assert hashlib.sha256(row["content"].encode()).hexdigest() == row["chunk_sha256"]
        found[slug] = {row["chunk_id"] for row in rows}
    assert not found["acme"] & found["globex"]
    both = person("both@example.test")
    for slug in ("acme", "globex"):
        rows = both.rpc("search_documents", org_id=both.orgs[slug], query="license", max_rows=50).json()
        assert {row["chunk_id"] for row in rows} == found[slug]
