"""`ringfence org export` and `ringfence org purge` through a running stack, by somebody with a second factor (F23)."""

from __future__ import annotations

import csv
import hashlib
import json
import stat
import time
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from supabase_auth import SyncGoTrueClient

from agent.csv_lines import cell
from tests.cli.test_people import PASSWORD, Someone, founder

__all__ = ["founder"]


def enrol(person: Someone) -> str:
    """Enrol an authenticator app as its owner does, and return the code of the next half minute: this one's is used."""
    with httpx.Client(timeout=60) as http:
        client = SyncGoTrueClient(url=f"{person.stack['url']}/auth/v1", headers={"apikey": person.stack["publishable_key"]}, auto_refresh_token=False, http_client=http)
        client.sign_in_with_password({"email": person.email, "password": PASSWORD})
        factor = client.mfa.enroll({"factor_type": "totp", "friendly_name": "phone"})
        assert factor.totp
        clock = pyotp.TOTP(factor.totp.secret)
        client.mfa.challenge_and_verify({"factor_id": factor.id, "code": clock.now()})
    return str(clock.at(int(time.time()) + 30))


@pytest.fixture
def exported(founder: tuple[Someone, str], tmp_path: Path) -> tuple[Someone, str, Path]:
    """An owner who signed in with their second factor, and the folder of an export."""
    owner, slug = founder
    out = tmp_path / "out"
    refused = owner.run("org", "export", slug, "--out", str(out))
    assert refused.returncode == 1 and "second factor" in refused.stderr
    owner.done("login", owner.email, "--password-stdin", "--code", enrol(owner))
    assert "rows of" in owner.done("org", "export", slug, "--out", str(out))
    return owner, slug, out


def test_an_export_is_files_that_are_what_the_manifest_says_for_their_owner_alone_F23(exported: tuple[Someone, str, Path]) -> None:
    owner, slug, out = exported
    manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    assert {p.name for p in out.iterdir()} == {f"{t}.{kind}" for t in manifest["tables"] for kind in ("jsonl", "csv")} | {"manifest.json"}
    assert len(manifest["tables"]) >= 30
    for table, told in manifest["tables"].items():
        text = (out / f"{table}.jsonl").read_bytes()
        assert (text.count(b"\n"), hashlib.sha256(text).hexdigest()) == (told["rows"], told["sha256"]), table
        for line in text.splitlines():
            assert json.loads(line)["id" if table == "organization" else "org_id"] == manifest["org_id"]
        with (out / f"{table}.csv").open(newline="") as file:
            for row, line in zip(csv.DictReader(file), text.splitlines(), strict=True):
                assert {name: value for name, value in row.items() if value} == {
                    name: next(csv.reader([cell(value)]))[0] for name, value in json.loads(line).items() if value not in (None, "")}, table
    assert [json.loads(line)["slug"] for line in (out / "organization.jsonl").read_text().splitlines()] == [slug]
    assert manifest["tables"]["membership"]["rows"] == 1 and manifest["tables"]["role"]["rows"] == 7
    assert {stat.S_IMODE(p.stat().st_mode) for p in (out, *out.iterdir())} == {0o700, 0o600}
    again = owner.run("org", "export", slug, "--out", str(out))
    assert again.returncode == 1 and "is not empty" in again.stderr


def test_a_purge_asks_for_the_slug_and_leaves_a_receipt_F23(exported: tuple[Someone, str, Path]) -> None:
    owner, slug, _ = exported
    refused = owner.run("org", "purge", slug, "--confirm", f"{slug}x")
    assert refused.returncode == 1 and "slug" in refused.stderr
    receipt = json.loads(owner.done("org", "purge", slug, "--confirm", slug))
    assert receipt["tables"]["organization"] == 1 and receipt["total"] == sum(receipt["tables"].values())
    assert owner.run("members", slug).returncode == 1
