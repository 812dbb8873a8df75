"""What `ringfence kb add` makes of a file that is there already: its class, who reads it, and whose it is (F26)."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import openai
import pytest

from agent.cli.login import call_as
from agent.cli.options import target
from agent.naming import knowledge_base_ids
from tests.stack.support import ringfence

OWNER, BUILDER, MEMBER = "owner@acme.test", "both@example.test", "member@acme.test"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / f"{secrets.token_hex(4)}.md"
    made.write_text("# Pay\n\nThe numbat earns nine.\n")
    return made


def add(stack: dict[str, Any], file: Path, *options: str, email: str = OWNER) -> tuple[int, str]:
    done = ringfence("kb", "add", "acme/handbook", str(file), *options, "--as", email, "--state-dir", stack["state_dir"])
    return done.returncode, (done.stdout + done.stderr).replace(file.name, "FILE")


def there(stack: dict[str, Any], file: Path, email: str = OWNER, uri: str = "file:") -> list[tuple[int, str]]:
    """Return class and visibility of the documents at the place of the file that somebody sees."""
    async def call(rpc: Any) -> Any:
        org_id, base_id = await knowledge_base_ids(rpc, "acme/handbook")
        return await rpc.call("list_documents", {"org_id": org_id, "knowledge_base_id": base_id, "after_uri": f"{uri}{file.name}"[:-1]})

    rows = call_as(target(Path(stack["state_dir"])), email, call)
    return [(one["classification"], one["visibility"]) for one in rows if one["uri"] == f"{uri}{file.name}"]


def test_a_class_given_for_an_unchanged_file_takes_effect_both_ways_F26(stack: dict[str, Any], file: Path) -> None:
    assert add(stack, file) == (0, "FILE: 1 passage(s)\n")
    assert there(stack, file, MEMBER) == [(1, "organization")]
    assert add(stack, file, "--classification", "secret") == (0, "FILE: same content, now secret\n")
    assert (there(stack, file), there(stack, file, MEMBER)) == ([(3, "organization")], [])
    assert add(stack, file) == (0, "FILE: unchanged\n"), "nothing asked for, nothing changed"
    assert add(stack, file, "--classification", "secret") == (0, "FILE: unchanged\n")
    assert add(stack, file, "--classification", "public") == (0, "FILE: same content, now public\n")
    assert there(stack, file, MEMBER) == [(0, "organization")]


def test_who_may_not_say_who_reads_a_document_is_told_so_F26(stack: dict[str, Any], file: Path) -> None:
    add(stack, file)
    status, said = add(stack, file, "--classification", "public", email=MEMBER)
    assert status == 1 and "FILE: not added: a document is there already, and who reads it" in said and "documents.manage" in said
    assert there(stack, file) == [(1, "organization")]


@pytest.mark.parametrize("again", ["The numbat earns nine.", "The numbat earns ten."])
def test_private_takes_the_place_of_the_open_version_and_open_of_the_private_one(stack: dict[str, Any], file: Path, again: str) -> None:
    same = again in file.read_text()
    add(stack, file)
    file.write_text(f"# Pay\n\n{again}\n")
    assert add(stack, file, "--private") == (0, f"FILE: {'same content' if same else '1 passage(s), replaced'}, now private\n")
    assert (there(stack, file), there(stack, file, MEMBER)) == ([(1, "private")], [])
    file.write_text(f"# Pay\n\n{again} Twice.\n")
    assert add(stack, file) == (0, "FILE: 1 passage(s), replaced\n")
    assert there(stack, file) == [(1, "private")], "an option that is left out publishes nothing"
    if not same:
        file.write_text(f"# Pay\n\n{again} Thrice.\n")
    status, said = add(stack, file, "--open", "--classification", "0")
    assert status == 0 and said.endswith("now open to whoever reads the knowledge base\n" if not same else "now public and open to whoever reads the knowledge base\n")
    assert there(stack, file) == there(stack, file, MEMBER) == [(0, "organization")]
    assert add(stack, file, "--open", "--private") == (1, "ringfence: --private and --open: one of them\n")


def test_what_somebody_else_added_is_not_taken_from_others_by_a_private_copy(stack: dict[str, Any], file: Path) -> None:
    add(stack, file)
    status, said = add(stack, file, "--private", email=BUILDER)
    assert status == 1 and "FILE: not added: somebody else added it" in said and "documents.manage to delete" in said
    assert there(stack, file, BUILDER) == there(stack, file, MEMBER) == [(1, "organization")]


def test_an_upload_over_http_follows_the_same_rules(stack: dict[str, Any], file: Path) -> None:
    token = ringfence("login", OWNER, "--state-dir", stack["state_dir"]).stdout.strip()

    def upload(**fields: str) -> Any:
        with openai.OpenAI(base_url=f"{stack['url']}/v1", api_key=token, max_retries=0) as client:
            made: Any = client.files.create(file=(file.name, b"The numbat."), purpose="user_data", extra_body={"knowledge_base": "acme/handbook", **fields})
        return made.state, made.ringfence["classification"], made.ringfence["visibility"]

    assert upload() == ("stored", 1, "organization")
    assert upload(classification="secret") == ("changed", 3, "organization")
    assert upload(visibility="private") == ("changed", 3, "private")
    assert upload() == ("unchanged", 3, "private")
    assert there(stack, file, uri="upload:") == [(3, "private")]
