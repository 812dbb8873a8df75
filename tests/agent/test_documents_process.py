"""The process that reads files: what it may do, how long, and that nothing it says is believed unchecked."""

import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from agent.chunking import Chunk
from agent.documents import sandbox
from agent.documents.errors import BrokenDocument, DocumentTooExpensive
from agent.documents.limits import MIB, DocumentLimits
from agent.errors import Misconfigured
from tests.agent.test_documents_hostile import Read

PROBE = """
    import ctypes, fcntl, json, os, socket, subprocess, sys
    from pathlib import Path
    sys.path.insert(0, str(Path({root!r})))
    from agent.documents import confine
    from agent.documents.limits import DocumentLimits

    confine.limit_resources(DocumentLimits())
    # Looked up now: afterwards ctypes itself is refused, and the kernel would have nothing to say.
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    out = open(1, "wb")
    said = {{"environment": sorted(os.environ), "folder": os.getcwd(), "descriptors": sorted(map(int, os.listdir("/dev/fd")))[:-1],
            "writable": fcntl.fcntl(0, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY}}
    said["enforced"] = confine.close_everything({kernel})

    def attempt(name, act):
        try:
            act()
            said[name] = "done"
        except OSError as err:
            said[name] = type(err).__name__

    def raw(number, *arguments):
        # Not through Python: what native code of a parser could do.
        if syscall(number, *arguments) < 0:
            raise OSError(ctypes.get_errno(), "refused")

    attempt("open", lambda: open({file!r}))
    attempt("write", lambda: open("/tmp/ringfence-escaped", "w"))
    attempt("list", lambda: os.listdir("/"))
    attempt("socket", lambda: socket.socket())
    attempt("run", lambda: subprocess.run(["true"]))
    attempt("fork", lambda: os.fork() or os._exit(0))
    attempt("kill", lambda: os.kill(os.getppid(), 0))
    if {kernel}:
        attempt("native open", lambda: raw(257, -100, {file!r}.encode(), 0))
        attempt("native socket", lambda: raw(41, 2, 1, 0))
        attempt("native fork", lambda: raw(57))
        attempt("native kill", lambda: raw(62, os.getppid(), 0))
        attempt("native ptrace", lambda: raw(101, 16, os.getppid(), 0, 0))
    out.write(json.dumps(said).encode())
    out.flush()
    os._exit(0)
"""


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Run a script in place of the one that parses."""

    def use(script: str) -> None:
        (tmp_path / "script.py").write_text(textwrap.dedent(script))
        monkeypatch.setattr(sandbox.child, "__file__", str(tmp_path / "script.py"))

    yield use


@pytest.mark.anyio
@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="the numbers of the native calls are x86_64's")
@pytest.mark.parametrize("kernel", [True, False], ids=["seccomp", "without"])
async def test_the_process_that_parses_inherits_nothing_and_may_do_nothing(
        instead: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kernel: bool) -> None:
    (tmp_path / "secret").write_text("secret")
    root = Path(sandbox.__file__).parents[2]
    instead(PROBE.format(root=str(root), kernel=kernel, file=str(tmp_path / "secret")))
    monkeypatch.setenv("CANARY", "of the parent")
    held = open(tmp_path / "secret")  # noqa: SIM115
    os.set_inheritable(held.fileno(), True)
    with (tmp_path / "secret").open("r+b") as file, open(tmp_path / "out", "w+b") as out:
        status = await sandbox.Sandbox(kernel=kernel)._run(file, sandbox.Kind("text", "", ()), out)
        out.seek(0)
        said = json.loads(out.read())
    held.close()
    assert status == 0
    assert (said.pop("environment"), said.pop("folder"), said.pop("descriptors"), said.pop("writable")) == (["LC_CTYPE"], "/", [0, 1, 2], False)
    assert said.pop("enforced") is kernel
    assert len(said) >= 7 and set(said.values()) == {"PermissionError"}, said
    assert not Path("/tmp/ringfence-escaped").exists()


GOOD = {"position": 0, "content": "text", "start_char": 0, "end_char": 4, "heading": None}


@pytest.mark.anyio
@pytest.mark.parametrize("lines", [
    [], ["text"], ["[]"], [{"passages": 1}], [{"passages": -1, "characters": 1}], [{"passages": True, "characters": 1}],
    [{"passages": 2, "characters": 4}, GOOD],
    *([{"passages": 1, "characters": 4}, GOOD | wrong] for wrong in (
        {"content": "longer"}, {"content": ""}, {"content": None}, {"content": "te\x00t"}, {"content": "x" * 1201, "end_char": 1201},
        {"start_char": -1}, {"start_char": 0.0}, {"start_char": True, "end_char": 5}, {"heading": "h" * 301}, {"heading": ["h"]},
        {"heading": "\ud800"}, {"content": "x" * 100_000}))])
async def test_what_the_process_says_is_not_believed_unchecked(instead: Callable[[str], None], read: Read, lines: list[Any]) -> None:
    said = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    instead(f"print({said!r})")
    with pytest.raises(BrokenDocument):
        await read("a.html", b"<p>text")


@pytest.mark.anyio
async def test_what_is_well_formed_is_taken(instead: Callable[[str], None], read: Read) -> None:
    instead(f"print({json.dumps({'passages': 1, 'characters': 4})!r}); print({json.dumps(GOOD | {'end_char': 4})!r})")
    assert await read("a.html", b"<p>text") == [Chunk(0, "text", 0, 4, None)]


@pytest.mark.anyio
async def test_a_process_that_cannot_start_is_the_operators_affair(instead: Callable[[str], None], read: Read) -> None:
    instead("import no_such_module")
    with pytest.raises(Misconfigured):
        await read("a.md", b"text")
    instead("raise SystemExit(14)")
    with pytest.raises(Misconfigured, match="seccomp"):
        await read("a.md", b"text")


@pytest.mark.anyio
async def test_a_file_nobody_waits_for_any_more_is_not_read_on(instead: Callable[[str], None], read: Read, tmp_path: Path) -> None:
    instead(f"""
        import os, signal
        signal.alarm(20)
        with open({str(tmp_path / 'pid')!r}, "w") as file:
            file.write(str(os.getpid()) + ".")
        signal.pause()
    """)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, "a.md", b"text")
        with anyio.fail_after(10):
            while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().endswith("."):
                await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    with anyio.fail_after(10), pytest.raises(ProcessLookupError):
        while True:
            os.kill(int((tmp_path / "pid").read_text().rstrip(".")), 0)
            await anyio.sleep(0.01)


@pytest.mark.anyio
async def test_only_a_few_files_are_read_at_once(instead: Callable[[str], None], tmp_path: Path) -> None:
    instead("import signal; signal.alarm(1); signal.pause()")
    (tmp_path / "a.md").write_text("text")
    reading = sandbox.Sandbox(DocumentLimits(at_once=2))
    began: list[float] = []
    original = reading._run

    async def run(*arguments: Any) -> int:
        began.append(anyio.current_time())
        return await original(*arguments)

    reading._run = run  # type: ignore[method-assign]

    ended: list[str] = []

    async def one(person: str) -> None:
        with (tmp_path / "a.md").open("rb") as file, pytest.raises(DocumentTooExpensive):
            await reading.read(file, sandbox.Kind("text", "", ()), person)
        ended.append(person)

    async with anyio.create_task_group() as tasks:
        for person in ("ada", "bob", "eve"):
            tasks.start_soon(one, person)
    assert began[1] - began[0] < 0.5 and began[2] - began[0] > 0.9
    # Of one person one: the second of hers takes no place from him, who came after it.
    began.clear()
    ended.clear()
    async with anyio.create_task_group() as tasks:
        for person in ("ada", "ada", "bob"):
            tasks.start_soon(one, person)
            await anyio.lowlevel.checkpoint()
    assert began[1] - began[0] < 0.5 and began[2] - began[0] > 0.9
    assert sorted(ended[:2]) == ["ada", "bob"] and ended[2] == "ada"


def test_a_small_file_is_given_little_time_and_a_large_one_all_there_is() -> None:
    limits = DocumentLimits()
    assert [(one.cpu_seconds, one.wall_seconds) for one in map(limits.for_size, (0, 1646, MIB, 2 * MIB, 50 * MIB))] == [
        (5, 20), (5, 20), (15, 60), (25, 100), (60, 120)]
    assert DocumentLimits(cpu_seconds=2, wall_seconds=1).for_size(0) == DocumentLimits(cpu_seconds=2, wall_seconds=1)


@pytest.mark.anyio
async def test_the_process_gets_the_time_of_its_size(instead: Callable[[str], None], read: Read) -> None:
    instead("while True: pass")
    with anyio.fail_after(20), pytest.raises(DocumentTooExpensive):
        await read("a.md", b"text", cpu_seconds_small=1, wall_seconds_per_cpu_second=2)
