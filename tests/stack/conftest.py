"""Folders for stacks of these tests' own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.support import processes_of, ringfence


@pytest.fixture(scope="session")
def room(shared: Path) -> Path:
    """Return a folder for state folders. Not pytest's own: every run closes that to other system users, also to PostgreSQL's."""
    return _passable(Path(tempfile.mkdtemp(prefix="stacks-", dir=shared)))


@pytest.fixture
def folder(room: Path) -> Iterator[Path]:
    """Return a state folder whose stack is ended whatever the test did."""
    yield from _state_folder(room)


@pytest.fixture
def folder_beside(room: Path) -> Iterator[Path]:
    """Return another one."""
    yield from _state_folder(room)


def _state_folder(room: Path) -> Iterator[Path]:
    state = _passable(Path(tempfile.mkdtemp(dir=room))) / "state"
    yield state
    ringfence("down", "--state-dir", state)
    assert processes_of(state) == []


def _passable(folder: Path) -> Path:
    folder.chmod(0o711)
    return folder
