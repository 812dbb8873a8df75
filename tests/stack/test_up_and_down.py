"""`ringfence up | status | down`: what starts, what is printed, and that nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.stack.support import processes_of, ringfence

KEYS = ["url", "publishable_key", "database_url", "rest_url", "auth_url", "jwks_url", "metrics_url", "worker_database_url",
        "analyst_database_url", "state_dir", "users"]


@pytest.fixture(scope="module")
def running(room: Path) -> Iterator[Path]:
    """Return the state folder of a running stack; its path is far longer than a socket's may be."""
    folder = room / ("deep" * 20) / ("er" * 40)
    up(folder)
    yield folder
    ringfence("down", "--state-dir", folder)


def up(folder: Path, *more: str) -> dict[str, Any]:
    """Start a stack; the first time on a free port, then on the one it had."""
    port = [] if (folder / "ports.json").exists() else ["--port", "0"]
    done = ringfence("up", "--detach", "--no-seed", "--json", "--state-dir", folder, *port, *more)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def get(url: str) -> int:
    with urllib.request.urlopen(url, timeout=5) as response:
        return int(response.status)


def test_a_stack_starts_says_where_it_is_and_leaves_no_process(folder: Path) -> None:
    described = up(folder)
    assert list(described) == KEYS
    assert described["users"] == []
    assert get(f"{described['url']}/readyz") == get(described["jwks_url"]) == get(described["metrics_url"]) == 200
    status = json.loads(ringfence("status", "--json", "--state-dir", folder).stdout)
    assert set(status.pop("parts")) == {"supervisor", "postgres", "postgrest", "auth", "edge", "worker"}
    assert status == described
    assert len(processes_of(folder)) >= 4
    assert "supervisor" in ringfence("down", "--state-dir", folder).stdout
    assert processes_of(folder) == []
    assert ringfence("down", "--state-dir", folder).stdout == "nothing was running\n"
    assert ringfence("status", "--state-dir", folder).returncode == 1


def test_a_second_start_keeps_keys_passwords_and_data(folder: Path) -> None:
    first = up(folder)
    keys = (folder / "signing_keys.json").read_text()
    ringfence("down", "--state-dir", folder)
    second = up(folder)
    assert second == first, "ports, keys and passwords are those of the first start"
    assert (folder / "signing_keys.json").read_text() == keys
    assert up(folder) == second, "starting what runs already changes nothing"


def test_two_stacks_run_side_by_side(folder: Path, folder_beside: Path) -> None:
    first, second = up(folder), up(folder_beside)
    assert get(f"{first['url']}/readyz") == get(f"{second['url']}/readyz") == 200
    same = [name for name in KEYS if name != "users" and first[name] == second[name]]
    assert same == [], "the two share nothing"
    ringfence("down", "--state-dir", folder)
    assert get(f"{second['url']}/readyz") == 200, "ending one leaves the other alone"


def test_down_cleans_up_after_a_supervisor_that_was_killed(folder: Path) -> None:
    up(folder)
    parts = json.loads(ringfence("status", "--json", "--state-dir", folder).stdout)["parts"]
    os.kill(parts["supervisor"], signal.SIGKILL)
    assert "no stack is running" in ringfence("status", "--state-dir", folder).stderr
    assert processes_of(folder), "the parts of a killed supervisor go on"
    ended = ringfence("down", "--state-dir", folder).stdout
    assert all(name in ended for name in ("postgres", "postgrest", "auth", "edge"))
    assert processes_of(folder) == []


def test_a_start_after_a_killed_supervisor_takes_over(folder: Path) -> None:
    first = up(folder)
    os.kill(json.loads(ringfence("status", "--json", "--state-dir", folder).stdout)["parts"]["supervisor"], signal.SIGKILL)
    assert up(folder) == first


@pytest.mark.parametrize(("number", "ready"), [(signal.SIGINT, False), (signal.SIGINT, True), (signal.SIGTERM, True), (signal.SIGHUP, True)])
def test_a_signal_ends_the_foreground_stack_and_all_its_processes(folder: Path, number: signal.Signals, ready: bool) -> None:
    command = [sys.executable, "-u", "-m", "agent.cli", "up", "--no-seed", "--port", "0", "--state-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        awaited = "people:" if ready else "PostgreSQL on port"
        for line in process.stdout:
            if awaited in line:
                break
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == (0 if ready else 130)
    assert processes_of(folder) == []
    assert not (folder / "stack.json").exists()


def test_a_part_that_dies_ends_the_stack_and_says_which(folder: Path) -> None:
    up(folder)
    os.kill(json.loads(ringfence("status", "--json", "--state-dir", folder).stdout)["parts"]["postgrest"], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while processes_of(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(folder) == []
    assert "postgrest ended by itself" in (folder / "logs" / "supervisor.log").read_text()


def test_a_port_in_use_is_said_so(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = ringfence("up", "--no-seed", "--port", str(port), "--state-dir", folder)
    assert done.returncode == 1
    assert done.stderr == f"ringfence: port {port} is in use by another program; --port 0 (with make: PORT=0) picks a free one\n"


def test_nobody_else_may_read_the_state_folder(running: Path) -> None:
    # As root the database's own user passes through by its group; it lists and reads nothing.
    assert stat.S_IMODE(running.stat().st_mode) == (0o710 if os.geteuid() == 0 else 0o700)
    readable = {str(path.relative_to(running)) for path in [*running.iterdir(), *(running / "logs").iterdir()]
                if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077}
    assert readable == set()
    assert {stat.S_IMODE((running / name).stat().st_mode) for name in ("logs", "home", "postgres")} == {0o700}


def test_no_password_stands_in_the_command_line_of_a_part(running: Path) -> None:
    secrets = json.loads((running / "secrets.json").read_text())
    commands = "\n".join(processes_of(running))
    assert "postgrest" in commands
    assert [name for name, value in secrets.items() if value in commands] == []


def test_the_job_roles_can_log_in_with_the_passwords_printed(running: Path) -> None:
    described = json.loads(ringfence("status", "--json", "--state-dir", running).stdout)
    for name, role in (("worker_database_url", "ringfence_worker"), ("analyst_database_url", "ringfence_analyst"), ("database_url", "postgres")):
        with psycopg.connect(described[name]) as connection:
            assert connection.execute("select session_user, current_setting('is_superuser')").fetchone() == (role, "off")
