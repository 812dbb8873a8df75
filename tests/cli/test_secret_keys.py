"""`ringfence keys secrets`: a rotation from the first key to the second, step by step, on a running stack (F76, F73)."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from agent.cli import doctor_credentials
from agent.sealing import Keyring, Sealed
from tests.cli.test_people import Someone, founder
from tests.cli.test_why import rpc
from tests.stack.support import ringfence

__all__ = ["founder"]


def test_a_key_is_added_promoted_rewrapped_and_dropped_F76(founder: tuple[Someone, str], stack: dict[str, Any], tmp_path: Path) -> None:
    owner, slug = founder
    file = tmp_path / "secret_keys"
    environment = owner.environment | {"RINGFENCE_SECRET_KEYS_FILE": str(file), "RINGFENCE_WORKER_DATABASE_URL": stack["worker_database_url"]}

    def keys(*arguments: str, ends: int = 0) -> str:
        done = ringfence("keys", "secrets", *arguments, environment=environment)
        assert done.returncode == ends, done.stderr
        return str(done.stderr if ends else done.stdout)

    def told() -> dict[str, Any]:
        return {one["key"]: one for one in json.loads(keys("list", "--json"))}

    first, second = f"k-{uuid4().hex[:8]}", f"k-{uuid4().hex[:8]}"
    assert "it seals" in keys("add", first) and stat.S_IMODE(file.stat().st_mode) == 0o600
    token = owner.done("login", owner.email, "--password-stdin")
    org_id = next(o["id"] for o in rpc(owner, token, "whoami")["organizations"] if o["slug"] == slug)
    row, ring = uuid4(), Keyring.load(file)
    sealed = ring.seal(UUID(org_id), row, b"hunter2")
    rpc(owner, token, "put_secret", org_id=org_id, secret_id=str(row), purpose="connector", name="shop", key_id=sealed.key_id,
        ciphertext=base64.b64encode(sealed.ciphertext).decode(), wrapped_key=base64.b64encode(sealed.wrapped_key).decode())
    assert told()[first] == told()[first] | {"seals": True, "secrets": 1}
    assert "the id once" in keys("add", first, ends=1)
    keys("add", second)
    assert not told()[second]["seals"]
    keys("promote", second)
    assert "seals: promote another" in keys("drop", second, ends=1) and "wraps 1 keys still" in keys("drop", first, ends=1)
    assert f"wrapped by {second}" in keys("rewrap")
    assert keys("rewrap") == f"0 keys wrapped by {second}\n"
    keys("drop", first)
    assert first not in told() and told()[second]["secrets"] >= 1
    kept = rpc(owner, token, "read_sealed_secret", org_id=org_id, purpose="connector", name="shop")
    assert Keyring.load(file).open(UUID(org_id), row, Sealed(base64.b64decode(kept["ciphertext"]), base64.b64decode(kept["wrapped_key"]), kept["key_id"])) == b"hunter2"
    assert "no key nobody" in keys("promote", "nobody", ends=1)


@pytest.mark.parametrize(("change", "said"), [
    ("update app.secret set set_at = now() - interval '400 days'", "secrets not set anew"),
    ("update app.secret set wrapped_at = now() - interval '400 days'", "keys of secrets wrapped by a key older"),
])
def test_the_doctor_names_what_is_stale_F76(founder: tuple[Someone, str], stack: dict[str, Any], change: str, said: str) -> None:
    owner, slug = founder
    with psycopg.connect(stack["database_url"]) as connection:
        before = {f.detail for f in doctor_credentials.findings(connection)}
        connection.execute(
            "insert into app.secret (org_id, id, purpose, name, ciphertext, wrapped_key, key_id, created_by) select id, gen_random_uuid(), 'connector', 'old', decode(repeat('00', 40), 'hex'),"
            " decode(repeat('00', 60), 'hex'), 'x', created_by from app.organization where slug = %s", [slug])
        assert {f.detail for f in doctor_credentials.findings(connection)} == before
        connection.execute(change.encode())
        assert any(said in f.detail and f.status == "warn" for f in doctor_credentials.findings(connection))
        connection.rollback()
    with psycopg.connect(stack["worker_database_url"]) as connection:
        assert list(doctor_credentials.findings(connection)) == []
