"""A sealed secret opens in its row under its key, and nowhere else (F73)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from agent.errors import Misconfigured
from agent.sealing import KEYS, KEYS_FILE, Keyring, NotOpened, Sealed, new_key

ORG, ROW = uuid4(), uuid4()
OLD, NEW = Keyring.parse([new_key("old")], "test"), Keyring.parse([new_key("new")], "test")
BOTH = Keyring({**NEW.keys, **OLD.keys})


def test_a_secret_opens_again_and_two_boxes_of_one_secret_differ_F73() -> None:
    first, second = OLD.seal(ORG, ROW, b"hunter2"), OLD.seal(ORG, ROW, b"hunter2")
    assert OLD.open(ORG, ROW, first) == OLD.open(ORG, ROW, second) == b"hunter2"
    assert first.ciphertext != second.ciphertext and first.wrapped_key != second.wrapped_key
    assert b"hunter2" not in first.ciphertext + first.wrapped_key
    for size in (1, 8192):
        assert OLD.open(ORG, ROW, OLD.seal(ORG, ROW, b"x" * size)) == b"x" * size
    for size in (0, 8193):
        with pytest.raises(ValueError, match="1..8192 bytes"):
            OLD.seal(ORG, ROW, b"x" * size)


def _flipped(box: bytes, at: int) -> bytes:
    return box[:at] + bytes([box[at] ^ 1]) + box[at + 1:]


@pytest.mark.parametrize("spoil", [
    *(lambda s, at=at: replace(s, ciphertext=_flipped(s.ciphertext, at)) for at in (0, 11, 12, -1)),
    *(lambda s, at=at: replace(s, wrapped_key=_flipped(s.wrapped_key, at)) for at in (0, 12, -1)),
    lambda s: replace(s, ciphertext=s.ciphertext[:-1]), lambda s: replace(s, ciphertext=b""), lambda s: replace(s, wrapped_key=b"short"),
    lambda s: replace(s, ciphertext=OLD.seal(ORG, ROW, b"other").ciphertext), lambda s: replace(s, wrapped_key=OLD.seal(ORG, ROW, b"other").wrapped_key),
    lambda s: replace(s, key_id="nobody"),
])
def test_a_changed_byte_or_a_box_of_another_secret_does_not_open_F73(spoil: Callable[[Sealed], Sealed]) -> None:
    sealed = OLD.seal(ORG, ROW, b"hunter2")
    with pytest.raises(NotOpened):
        OLD.open(ORG, ROW, spoil(sealed))
    assert OLD.open(ORG, ROW, sealed) == b"hunter2"


def test_a_box_moved_to_another_row_or_organization_does_not_open_F73() -> None:
    sealed = OLD.seal(ORG, ROW, b"hunter2")
    for org, row in ((uuid4(), ROW), (ORG, uuid4()), (ROW, ORG)):
        with pytest.raises(NotOpened):
            OLD.open(org, row, sealed)
        with pytest.raises(NotOpened):
            OLD.rewrap(org, row, sealed.wrapped_key, sealed.key_id)
    # Nor does the right box under a key that only has the same name.
    with pytest.raises(NotOpened):
        Keyring.parse([new_key("old")], "test").open(ORG, ROW, sealed)


def test_rotating_changes_the_wrapping_and_not_the_box_F73() -> None:
    sealed = OLD.seal(ORG, ROW, b"hunter2")
    wrapped, key_id = BOTH.rewrap(ORG, ROW, sealed.wrapped_key, sealed.key_id)
    moved = replace(sealed, wrapped_key=wrapped, key_id=key_id)
    assert key_id == "new" and BOTH.open(ORG, ROW, sealed) == BOTH.open(ORG, ROW, moved) == NEW.open(ORG, ROW, moved) == b"hunter2"
    with pytest.raises(NotOpened):
        OLD.open(ORG, ROW, moved)
    with pytest.raises(NotOpened):
        OLD.open(ORG, ROW, replace(moved, key_id="old"))


def test_keys_come_from_a_file_of_ours_alone_or_from_the_environment_F73(tmp_path: Path) -> None:
    file, line = tmp_path / "keys", new_key("first")
    file.write_text(f"{line}\n{new_key('second')}\n")
    file.chmod(0o600)
    ring = Keyring.from_environment({KEYS_FILE: str(file)})
    assert (ring.first, list(ring.keys)) == ("first", ["first", "second"])
    assert Keyring.from_environment({KEYS: line}).keys == {"first": ring.keys["first"]}
    assert line.partition(":")[2] not in repr(ring)
    file.chmod(0o640)
    with pytest.raises(Misconfigured, match="chmod 600"):
        Keyring.load(file)
    with pytest.raises(Misconfigured, match="cannot be read"):
        Keyring.load(tmp_path / "none")
    with pytest.raises(Misconfigured, match="no keys for secrets"):
        Keyring.from_environment({})


@pytest.mark.parametrize("text", ["", "first", "first:short", "FIRST:" + "A" * 43, "a:" + "A" * 44, "a:" + "A" * 42 + "!"])
def test_a_file_that_is_no_keyring_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        Keyring.parse(text.split(), "the file")
    assert "A" * 10 not in str(raised.value)
    line = new_key("twice")
    with pytest.raises(Misconfigured):
        Keyring.parse([line, line], "the file")
