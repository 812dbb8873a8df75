"""A signal that comes while the supervisor looks at its children leaves nothing behind that stopping them would wait for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, signal, sys
from pathlib import Path
from edge_proxy.local import processes

child = processes.start("a child", ["sleep", "60"], log=Path(sys.argv[1]), env=dict(os.environ))

def interrupt(number, frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
interrupted = 0
while interrupted < 1000:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0001 + interrupted % 17 * 0.00001)
        while not child.ended():
            pass
    except KeyboardInterrupt:
        interrupted += 1
signal.setitimer(signal.ITIMER_REAL, 0)
alive = not child.ended()
child.stop()
print(interrupted, alive, child.ended())
"""


def test_a_signal_while_a_child_is_looked_at_does_not_keep_it_from_being_stopped(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, tmp_path / "child.log"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "1000 True True\n"), done.stderr
