"""The state folder of one local stack: what is in it, and who may read it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge_proxy.local import system_user


class NotOurs(PermissionError):
    """A folder or file of another user of the machine: what it says may be what they want us to believe."""

    def __init__(self, path: Path, owner: int) -> None:
        super().__init__(
            f"{path} belongs to {system_user.name_of(owner)}, and we are {system_user.name_of(os.geteuid())}: "
            f"run this as {system_user.name_of(owner)}, choose another --state-dir, or have root remove it or run chown on it")


class NotAState(FileExistsError):
    """A folder that holds something else: a stack would spread among it and close it to others."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not empty and not a state folder: choose another --state-dir, one that is empty or not there yet")


def refuse_if_not_ours(path: Path) -> None:
    """Raises: NotOurs for something that exists and is another user's."""
    try:
        owner = path.lstat().st_uid
    except FileNotFoundError:
        return
    if owner != os.geteuid():
        raise NotOurs(path, owner)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step: a reader sees the old text or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(text)
    draft.replace(path)


class State:
    """A folder (0700) with everything a stack keeps between two starts; files in it are 0600."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._secrets = threading.Lock()

    def create(self) -> None:
        """Make the folder and close it to others. Raises: NotOurs, NotAState, OSError when it cannot be made."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._refuse_if_not_ours("stack.json", "secrets.json", self.signing_keys.name, self.token_keys.name)
        # These two are made below, before anything else.
        if any(self.root.iterdir()) and not (self.logs.is_dir() and self.home.is_dir()):
            raise NotAState(self.root)
        self.root.chmod(0o700)
        if system_user.ensure():
            # PostgreSQL's own user must pass through to its data folder, and nobody else.
            os.chown(self.root, -1, system_user.group_id())
            self.root.chmod(0o710)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        self.home.mkdir(mode=0o700, exist_ok=True)

    @property
    def data(self) -> Path:
        return self.root / "postgres"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def home(self) -> Path:
        """A home folder for the programs we start."""
        return self.root / "home"

    @property
    def signing_keys(self) -> Path:
        return self.root / "signing_keys.json"

    @property
    def token_keys(self) -> Path:
        """What the edge seals API tokens with; made with the state, kept as long as it."""
        return self.root / "token_keys"

    @property
    def jwks(self) -> Path:
        """The public half of the signing keys, for PostgREST."""
        return self.root / "jwks.json"

    @property
    def stack_file(self) -> Path:
        return self.root / "stack.json"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def read(self, name: str) -> dict[str, Any]:
        """Return a JSON object kept in the folder, empty when there is none yet. Raises: NotOurs."""
        self._refuse_if_not_ours(name)
        path = self.root / name
        return json.loads(path.read_text()) if path.exists() else {}

    def write(self, name: str, value: dict[str, Any]) -> None:
        write_private(self.root / name, json.dumps(value, indent=2) + "\n")

    def secret(self, name: str, prefix: str = "") -> str:
        """Return a secret of this stack, generated on first use."""
        with self._secrets:  # parts of the stack start side by side
            kept = self.read("secrets.json")
            if name not in kept:
                kept[name] = prefix + secrets.token_urlsafe(24)
                self.write("secrets.json", kept)
            return str(kept[name])

    def _refuse_if_not_ours(self, *names: str) -> None:
        for path in (self.root, *(self.root / name for name in names)):
            refuse_if_not_ours(path)

    @contextmanager
    def exclusive(self) -> Iterator[bool]:
        """Hold the folder's lock; yields whether we got it (another `ringfence up` may be using the folder)."""
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)
