"""`ringfence me export` and `ringfence me erase` through a running stack (F67, F68)."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import stat
from pathlib import Path
from typing import Any, cast

import pytest

from agent import csv_lines
from agent.cli.me import file_name, files, write_all
from agent.errors import StepUp
from tests.cli.test_org import enrol
from tests.cli.test_people import Someone, founder
from tests.cli.test_why import rpc

__all__ = ["founder"]


def test_what_is_held_about_me_is_taken_along_and_then_erased_F67_F68(founder: tuple[Someone, str], stack: dict[str, Any], tmp_path: Path) -> None:
    owner, slug = founder
    guest = Someone(stack, tmp_path / "guest")
    guest.done("join", owner.done("invite", slug, guest.email, "--role", "builder"))
    token = guest.done("login", guest.email, "--password-stdin")
    org_id = next(o["id"] for o in rpc(guest, token, "whoami")["organizations"] if o["slug"] == slug)
    rpc(guest, token, "create_knowledge_base", org_id=org_id, slug="mine", name="Mine")
    note = tmp_path / "note.md"
    note.write_text("# Swordfish\n\nThe swordfish is mine.\n")
    guest.done("kb", "add", f"{slug}/mine", str(note), "--private")
    rpc(guest, token, "create_ticket", org_id=org_id, subject="=cmd()", body="Where is the swordfish?")
    out = tmp_path / "out"
    refused = guest.run("me", "export", "--out", str(out))
    assert refused.returncode == 1 and "second factor" in refused.stderr
    guest.done("login", guest.email, "--password-stdin", "--code", enrol(guest))
    out = tmp_path / "out2"
    assert "1 files of 1 organizations" in guest.done("me", "export", "--out", str(out))

    (folder,) = out.iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["email"] == guest.email and manifest["tables"]["support_ticket"] == manifest["tables"]["document"] == 1
    for table, rows in manifest["tables"].items():
        found = json.loads((folder / f"{table}.json").read_text())
        assert len(found) == rows and all(manifest["user_id"] in json.dumps(row) for row in found), table
        assert len(list(csv.reader(io.StringIO((folder / f"{table}.csv").read_text())))) == rows + bool(rows)
    assert manifest["tables"]["audit_event"] > 0 and json.loads((folder / "membership.json").read_text())[0]["email"] == guest.email
    assert "'=cmd()" in (folder / "support_ticket.csv").read_text()
    (file,) = (folder / "files").iterdir()
    assert file.read_bytes() == note.read_bytes() and file.name.endswith("note.md")
    assert {stat.S_IMODE(p.stat().st_mode) for p in (folder, *folder.glob("*.*"), file)} == {0o700, 0o600}

    receipt = json.loads(guest.done("me", "erase", slug, "--confirm", slug))
    assert receipt["deleted"]["support_ticket"] == receipt["deleted"]["document"] == 1 and receipt["retained"]
    assert guest.email not in owner.done("members", slug)


def test_a_csv_is_no_formula_and_a_name_no_path() -> None:
    rows = [{"a": "=1+1", "b": {"x": [1]}, "c": None, "d": -1}, {"a": "plain", "e": "@x"}]
    text = b"".join(csv_lines.table(csv_lines.columns_of(rows), rows)).decode()
    assert list(csv.reader(io.StringIO(text))) == [["a", "b", "c", "d", "e"], ["'=1+1", '{"x": [1]}', "", "-1", ""], ["plain", "", "", "", "'@x"]]
    assert list(csv_lines.table([], [])) == []
    assert file_name("id", "file:///etc/../..\\pass wd") == "id-_pass_wd"
    pieces = [{"document_id": "d", "position": 1, "content": "\\x6f"}, {"document_id": "d", "position": 0, "content": "\\x66"}]
    assert list(files(pieces)) == [("d", b"fo")]


class TwoOrganizations:
    """An Rpc of somebody in two organizations, of which the second asks for a second factor until it is told."""

    def __init__(self) -> None:
        self.fresh = False

    async def call(self, name: str, arguments: dict[str, Any] | None = None) -> Any:
        organizations = [{"id": f"{n}" * 36, "slug": f"org-{n}"} for n in (1, 2)]
        if name == "whoami":
            return {"organizations": organizations}
        assert name == "export_me" and arguments is not None
        if arguments["org_id"] == organizations[1]["id"] and not self.fresh:
            raise StepUp("second factor")
        return {"email": "a@example.test", "tables": {}, "by_others": []}


def test_an_organization_that_asks_for_a_second_factor_leaves_no_half_of_an_export_F67(tmp_path: Path) -> None:
    rpc_ = TwoOrganizations()
    with pytest.raises(StepUp):
        asyncio.run(write_all(cast(Any, rpc_), None, tmp_path))
    assert list(tmp_path.iterdir()) == []
    rpc_.fresh = True
    assert len(asyncio.run(write_all(cast(Any, rpc_), None, tmp_path))) == 2
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["org-1-11111111", "org-2-22222222"]
