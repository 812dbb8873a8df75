"""The states of a signing key and the ways between them; the key file as the running emulator sees it."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest

from edge_proxy.local.auth.config import ConfigError
from edge_proxy.local.auth.keys import KeyFile, SigningKeys, new_key
from edge_proxy.local.auth.rotation import MOST_PUBLISHED, ChangeRefused, rotated, with_standby, without

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def states(keys: SigningKeys) -> list[str]:
    return [state for _, state, _ in keys.states()]


def kids(keys: SigningKeys) -> list[str]:
    return [kid for kid, _, _ in keys.states()]


def signs(keys: SigningKeys) -> str:
    return str(jwt.get_unverified_header(keys.sign({"sub": "x"}))["kid"])


def test_a_key_goes_from_standby_to_in_use_to_previously_used_to_revoked_R77() -> None:
    first = SigningKeys((new_key(),))
    waiting = with_standby(first, NOW)
    assert states(waiting) == ["in_use", "standby"] and signs(waiting) == kids(first)[0]
    turned = rotated(waiting, NOW)
    assert states(turned) == ["in_use", "previously_used"]
    assert signs(turned) == kids(turned)[0] == kids(waiting)[1]
    done = without(turned, kids(first)[0], NOW)
    assert states(done) == ["in_use", "revoked"] and kids(done) == kids(turned)
    assert done.states()[1][2] == "2026-11-21T12:00:00+00:00"


def test_every_key_but_a_revoked_one_is_published_without_its_private_part_R77() -> None:
    keys = with_standby(rotated(with_standby(SigningKeys((new_key(),)))))
    assert states(keys) == ["in_use", "previously_used", "standby"]
    assert [key["kid"] for key in keys.public()["keys"]] == kids(keys)
    assert all(set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use", "key_ops", "ext"} for key in keys.public()["keys"])
    left = without(keys, kids(keys)[1])
    assert [key["kid"] for key in left.public()["keys"]] == [kids(keys)[0], kids(keys)[2]]
    assert keys.jwks[1]["d"] not in left.to_json(), "the file keeps nothing that could sign"


def test_what_a_key_signed_is_good_until_it_is_revoked_R77() -> None:
    old = SigningKeys((new_key(),))
    token = old.sign({"sub": "x"})
    keys = rotated(with_standby(old))
    assert keys.verify(token) == {"sub": "x"}
    with pytest.raises(jwt.InvalidKeyError):
        without(keys, kids(old)[0]).verify(token)


def test_each_change_out_of_turn_is_refused_and_says_what_to_do() -> None:
    one = SigningKeys((new_key(),))
    with pytest.raises(ChangeRefused, match="keys standby"):
        rotated(one)
    with pytest.raises(ChangeRefused, match="on standby already"):
        with_standby(with_standby(one))
    with pytest.raises(ChangeRefused, match="is in use"):
        without(one, kids(one)[0])
    with pytest.raises(ChangeRefused, match="no key"):
        without(one, "elsewhere")
    with pytest.raises(ChangeRefused, match="revoke one"):
        with_standby(SigningKeys(tuple(new_key() for _ in range(MOST_PUBLISHED))))


def test_a_standby_key_may_be_dropped_and_revoking_twice_changes_nothing() -> None:
    waiting = with_standby(SigningKeys((new_key(),)))
    dropped = without(waiting, kids(waiting)[1])
    assert states(dropped) == ["in_use", "revoked"]
    assert without(dropped, kids(waiting)[1]) == dropped


def test_a_file_without_states_is_read_as_it_was_meant_and_written_down_at_the_next_change() -> None:
    old = SigningKeys((new_key(), new_key()))
    assert states(old) == ["in_use", "previously_used"]
    assert states(rotated(with_standby(old))) == ["in_use", "previously_used", "previously_used"]


@pytest.mark.parametrize("content", [
    {"keys": [new_key() | {"status": "standby"}]},
    {"keys": [new_key(), new_key() | {"status": "in_use"}]},
    {"keys": [new_key() | {"status": "revoked"}]},
    {"keys": [new_key() | {"kid": "a"}], "revoked": [{"kid": "a"}]},
    {"keys": [new_key() | {"kid": "a"}, new_key() | {"kid": "a"}]},
], ids=["none in use", "two in use", "a revoked key that could sign", "revoked and live", "one id twice"])
def test_a_key_file_that_contradicts_itself_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "keys.json"
    path.touch(0o600)
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=r"keys\.json"):
        SigningKeys.load(path)


def test_a_saved_set_is_read_back_whole_and_stays_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = with_standby(without(rotated(with_standby(first := SigningKeys((new_key(),)))), kids(first)[0]))
    keys.save(path)
    assert SigningKeys.load(path) == keys
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]


def test_the_running_emulator_signs_with_the_key_its_file_has_now(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    running = KeyFile(path)
    before = SigningKeys.load(path)
    token = running.sign({"sub": "x"})
    after = rotated(with_standby(before))
    after.save(path)
    assert jwt.get_unverified_header(running.sign({"sub": "x"}))["kid"] == kids(after)[0] != kids(before)[0]
    assert running.verify(token) == {"sub": "x"} and len(running.public()["keys"]) == 2
    without(after, kids(before)[0]).save(path)
    with pytest.raises(jwt.InvalidKeyError):
        running.verify(token)


def test_a_damaged_key_file_ends_no_session_and_a_repaired_one_counts(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    running = KeyFile(path)
    good = SigningKeys.load(path)
    path.write_text("{")
    assert running.verify(running.sign({"sub": "x"})) == {"sub": "x"}
    path.unlink()
    assert running.public() == good.public()
    other = SigningKeys((new_key(),))
    other.save(path)
    assert running.public() == other.public()
