"""Whose folders these are: nothing of another user is believed, nothing of another user is opened."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from edge_proxy.local import postgres, system_user
from edge_proxy.local.postgres import Cluster
from edge_proxy.local.state import NotOurs, State
from tests.stack.support import ringfence

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_a_state_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = State(tmp_path / "state")
    state.create()
    state.write("stack.json", {"url": "http://127.0.0.1:1"})
    state.create()
    assert state.read("stack.json") and state.secret("one"), "our own is not"
    somebody_else = os.geteuid() + 12345
    monkeypatch.setattr(os, "geteuid", lambda: somebody_else)
    for use in (state.create, lambda: state.read("stack.json"), lambda: state.secret("one")):
        with pytest.raises(NotOurs, match=f"{state.root} belongs to .*--state-dir"):
            use()


@as_root
@pytest.mark.parametrize("name", ["secrets.json", "signing_keys.json", "stack.json"])
def test_a_file_of_another_user_in_our_folder_is_refused(tmp_path: Path, name: str) -> None:
    state = State(tmp_path / "state")
    state.create()
    planted = state.root / name
    planted.write_text("{}")
    state.create()
    os.chown(planted, NOBODY, -1)
    with pytest.raises(NotOurs, match=name):
        state.create()
    with pytest.raises(NotOurs, match=name):
        state.read(name)


@as_root
@pytest.mark.parametrize("command", [["up", "--port", "0"], ["up", "--detach"], ["status"], ["down"], ["tour"], ["login", "owner@acme.test"]])
def test_every_command_says_whose_the_folder_is(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", NOBODY, -1)
    done = ringfence(*command, "--state-dir", tmp_path / "state", timeout_s=20)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"ringfence: {tmp_path / 'state'} belongs to ")
    assert list((tmp_path / "state").iterdir()) == []


@pytest.fixture
def home(room: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a closed home folder, seen by a stack that runs as root."""
    monkeypatch.setattr(system_user, "needed", lambda: True)
    monkeypatch.setattr(system_user, "group_id", lambda: -1)
    monkeypatch.setattr(system_user, "ensure", lambda: None)
    home = room / f"home-{os.urandom(4).hex()}"
    (home / "project" / "state").mkdir(parents=True)
    home.chmod(0o700)
    return home


def test_only_folders_of_ours_are_opened_to_the_database_s_user(home: Path) -> None:
    ours = home / "project" / "state"
    ours.chmod(0o700)
    with pytest.raises(system_user.NoWay, match=f"may not pass through {home} .*chmod o\\+x {home}"):
        system_user.open_way_to(ours / "postgres", ours=ours)
    assert mode(home) == 0o700
    home.chmod(0o711)
    system_user.open_way_to(ours / "postgres", ours=ours)
    assert (mode(ours), mode(home)) == (0o701, 0o711)


def test_programs_in_a_closed_home_are_said_to_be_out_of_reach(home: Path, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(home / ".venv"))
    monkeypatch.setattr(postgres, "BINARIES", home / ".venv" / "lib" / "bin")
    (home / ".venv" / "lib" / "bin").mkdir(parents=True)
    cluster = Cluster(room / "elsewhere", room / "elsewhere.log", 1, {})
    for begin in (cluster.initialise, cluster.launch):
        with pytest.raises(system_user.NoWay, match=f"pass through {home} to .*initdb"):
            begin()
    assert mode(home) == 0o700 and not (room / "elsewhere.new").exists()


@as_root
def test_a_stack_in_a_closed_home_does_not_start_and_leaves_the_home_closed(home: Path) -> None:
    done = ringfence("up", "--port", "0", "--no-seed", "--state-dir", home / "project" / ".ringfence", timeout_s=30)
    assert done.returncode == 1
    assert f"may not pass through {home} " in done.stderr and "Traceback" not in done.stderr
    assert mode(home) == 0o700
