"""README's first steps of somebody new, run as they stand there against a running stack."""

from __future__ import annotations

import re
import secrets
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.test_readme import README
from tests.stack.support import ringfence


def test_who_signs_up_comes_by_the_readme_to_an_answer_of_their_own_bot(stack: dict[str, Any], tmp_path: Path) -> None:
    found = re.search(r"With `--no-seed`.*?```python\n(.*?)```\n\n```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert found
    program, commands = found.groups()
    known = {"publishable_key": stack["publishable_key"], "email": f"new-{secrets.token_hex(4)}@example.test", "password": secrets.token_urlsafe(12)}
    assert "http://127.0.0.1:8787" in program
    program = "".join(f"{name} = {value!r}\n" for name, value in known.items()) + program.replace("http://127.0.0.1:8787", stack["url"])
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
    (tmp_path / "notes.md").write_text("# Quokkas\n\nA quokka is fed at noon by the night shift.\n")
    environment = {"RINGFENCE_URL": stack["url"], "SUPABASE_PUBLISHABLE_KEY": stack["publishable_key"], "RINGFENCE_STATE_DIR": str(tmp_path / "state")}
    said = ""
    for line in commands.splitlines():
        words = [{"EMAIL": known["email"], "notes.md": str(tmp_path / "notes.md")}.get(word, word) for word in shlex.split(line)[1:]]
        # There is no terminal here to type the password at.
        done = ringfence(*words, *["--password-stdin"] * (words[0] == "login"), environment=environment, stdin=f"{known['password']}\n")
        assert done.returncode == 0, done.stderr
        said = done.stdout
    assert "fed at noon by the night shift" in said
