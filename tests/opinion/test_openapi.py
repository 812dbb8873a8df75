"""The OpenAPI document: valid, complete, and true when another tool calls everything in it with whatever it can think of."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edge_proxy import auth
from tests.e2e.conftest import send
from tests.e2e.revoking import Team
from tests.opinion.tools import BIN

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.fixture(scope="module")
def team(stack: dict[str, Any]) -> Team:
    """People and rows of their own: whatever is done to them, other tests do not see it."""
    return Team(stack)


@pytest.fixture(scope="module")
def described(team: Team) -> dict[str, Any]:
    answer = send(team.stack["url"], "GET", "/v1/openapi.json", {"authorization": f"Bearer {team.owner.token}"})
    assert answer.status == 200, answer.body
    return dict(answer.json())


def test_only_who_is_signed_in_gets_the_document(team: Team, described: dict[str, Any]) -> None:
    assert send(team.stack["url"], "GET", "/v1/openapi.json", {}).status == 401
    assert described["openapi"] == "3.1.0"


def test_the_document_is_valid(described: dict[str, Any], tmp_path: Path) -> None:
    assert _validated(described, tmp_path).returncode == 0, _validated(described, tmp_path).stdout
    assert _validated({**described, "info": {}}, tmp_path).returncode != 0


def test_every_function_and_every_endpoint_of_sign_in_is_in_it_and_nothing_else(team: Team, described: dict[str, Any]) -> None:
    functions = {row["name"] for row in team.made("tool_catalog")}
    told = {path.removeprefix("/rest/v1/rpc/") for path in described["paths"] if path.startswith("/rest/v1/rpc/")}
    assert told == functions and len(functions) > 100
    paths = [(path.removeprefix(auth.PREFIX), method) for path, methods in described["paths"].items() if path.startswith(auth.PREFIX) for method in methods]
    concrete = [(re.sub(r"\{\w+\}", "00000000-0000-0000-0000-000000000000", path), method.upper()) for path, method in paths]
    for endpoint in auth.ENDPOINTS:
        assert any(endpoint.method == method and endpoint.path.match(path) for path, method in concrete), endpoint
    for path, method in concrete:
        assert any(endpoint.method == method and endpoint.path.match(path) for endpoint in auth.ENDPOINTS), path


def test_the_bounds_of_a_comment_stand_in_the_schema_of_its_argument(described: dict[str, Any]) -> None:
    body = described["paths"]["/rest/v1/rpc/search_documents"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"][:2] == ["org_id", "query"] and body["additionalProperties"] is False
    assert body["properties"]["org_id"]["format"] == "uuid" and body["properties"]["query"]["maxLength"] > 100


def test_schemathesis_finds_no_answer_that_the_document_does_not_tell_of(team: Team, described: dict[str, Any], tmp_path: Path) -> None:
    member = team.member()
    done = _attacked(described, member.url, member.token, tmp_path)
    assert done.returncode == 0, done.stdout[-8000:]


def test_schemathesis_notices_a_document_that_is_wrong(team: Team, described: dict[str, Any], tmp_path: Path) -> None:
    path = "/rest/v1/rpc/whoami"
    wrong = {**described, "paths": {path: {"post": {**described["paths"][path]["post"], "responses": {"418": {"description": "tea"}}}}}}
    done = _attacked(wrong, team.owner.url, team.owner.token, tmp_path)
    assert done.returncode == 1 and "status code" in done.stdout.lower(), done.stdout[-4000:]


def _validated(document: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "openapi.json"
    file.write_text(json.dumps(document))
    return subprocess.run([BIN / "openapi-spec-validator", file], capture_output=True, text=True, timeout=120, check=False)


def _attacked(document: dict[str, Any], url: str, token: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Let schemathesis call everything but sign-in, where it would only meet Supabase Auth, whose answers are documented elsewhere."""
    file = folder / "openapi.json"
    file.write_text(json.dumps(document))
    command = [
        BIN / "schemathesis", "run", file, "--url", url, "--header", f"Authorization: Bearer {token}", "--exclude-path-regex", "^/(auth/|v1/tokens|mcp)",
        "--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", "2", "--generation-deterministic",
        "--workers", "1", "--no-color", "--continue-on-failure"]
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=900, check=False, cwd=folder)
