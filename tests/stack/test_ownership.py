"""Whose folders these are: nothing of another user is believed, nothing of another user is opened."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest

from edge_proxy.local import access_list, system_user
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


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "letter.txt").write_text("Dear all")
    before = mode(documents)
    done = ringfence("up", "--detach", "--no-seed", "--port", "0", "--state-dir", documents, timeout_s=20)
    assert done.returncode == 1
    assert done.stderr == f"ringfence: {documents} is not empty and not a state folder: choose another --state-dir, one that is empty or not there yet\n"
    assert [file.name for file in documents.iterdir()] == ["letter.txt"] and mode(documents) == before
    State(tmp_path / "new").create()
    State(tmp_path / "new").create()


@pytest.mark.parametrize("place", ["/proc/nope", "/dev/null/state"])
def test_a_state_folder_that_cannot_be_made_is_said_in_one_line(place: str) -> None:
    done = ringfence("up", "--detach", "--state-dir", place, timeout_s=20)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("ringfence: ") and place.rpartition("/")[0] in line


@pytest.fixture
def home(room: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a closed home folder, seen by a stack that runs as root."""
    monkeypatch.setattr(system_user, "needed", lambda: True)
    monkeypatch.setattr(system_user, "group_id", lambda: -1)
    monkeypatch.setattr(system_user, "user_id", lambda: NOBODY)
    monkeypatch.setattr(system_user, "ensure", lambda: None)
    home = room / f"home-{os.urandom(4).hex()}"
    (home / "project" / "state").mkdir(parents=True)
    home.chmod(0o700)
    return home


def listed(folder: Path) -> access_list.Entries:
    """Return what the access control list adds to the mode."""
    return {key: permissions for key, permissions in access_list.read(folder).items() if key[0] in (access_list._USER, access_list._GROUP)}


def test_a_closed_home_is_opened_to_the_database_s_user_alone_and_only_to_pass(home: Path) -> None:
    ours = home / "project" / "state"
    ours.chmod(0o700)
    for _ in range(2):
        system_user.open_way_to(ours / "postgres", ours=ours)
        assert listed(home) == {(access_list._USER, NOBODY): 0o1}
        everyone = access_list.read(home)
        assert (everyone[access_list._GROUP_OWNER, access_list._NO_ID], everyone[access_list._OTHERS, access_list._NO_ID]) == (0, 0)
    assert mode(ours) == 0o701


@as_root
def test_through_an_opened_home_that_user_passes_and_lists_nothing_and_others_stay_out(home: Path) -> None:
    (home / "project" / "file").write_text("x")
    (home.parent).chmod(0o711)

    def succeeds(user: int, *command: str | Path) -> bool:
        return subprocess.run(command, user=user, group=user, extra_groups=[], capture_output=True).returncode == 0

    assert not succeeds(NOBODY, "cat", home / "project" / "file")
    system_user.open_way_to(home / "project", ours=home / "project")
    assert succeeds(NOBODY, "cat", home / "project" / "file")
    assert not succeeds(NOBODY, "ls", home)
    assert not succeeds(NOBODY - 1, "cat", home / "project" / "file")


def test_without_access_control_lists_the_closed_home_is_named_and_left_closed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", unsupported)
    ours = home / "project" / "state"
    with pytest.raises(system_user.NoWay, match=f"may not pass through {home} .*chmod o\\+x {home}"):
        system_user.open_way_to(ours / "postgres", ours=ours)
    assert mode(home) == 0o700
    home.chmod(0o711)
    system_user.open_way_to(ours / "postgres", ours=ours)


@as_root
def test_a_stack_in_a_closed_home_starts_and_leaves_the_home_closed_to_others(home: Path) -> None:
    state = home / "project" / ".ringfence"
    try:
        done = ringfence("up", "--detach", "--port", "0", "--no-seed", "--state-dir", state, timeout_s=60)
        assert done.returncode == 0, done.stderr
    finally:
        ringfence("down", "--state-dir", state)
    assert access_list.read(home)[access_list._OTHERS, access_list._NO_ID] == 0
