"""Change the signing keys of a local stack while it serves: write, tell all who check tokens, and see that they know.

The auth emulator reads its file again when it was replaced; PostgREST reads its JWK set again on SIGUSR2; the edge drops
its set on SIGHUP and fetches. A change ends only when a token for nobody, signed with each key, is answered as it should be
by the database's door and by the edge. Killed half-way, the next change (or the next start) finishes what the file says.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError, URLError

from edge_proxy.local import leftovers
from edge_proxy.local.auth.keys import SigningKeys
from edge_proxy.local.state import State

LEARN_S = 15.0
PROBE_LIFETIME_S = 60
ACCEPTED, REFUSED = frozenset({"28000", "session_ended"}), frozenset({"PGRST301", "invalid_token"})
"""What the database's door and the edge say of a token of nobody's session, and of one they cannot check."""


class ChangeUnderWay(Exception):
    """Another change of the keys is under way; try again when it is done."""


class NotLearned(Exception):
    """A part of the stack does not yet treat the keys as the file says; run the command again."""


def change(state: State, how: Callable[[SigningKeys], SigningKeys]) -> SigningKeys:
    """Return the keys as `how` changed them, known to every running part. Raises: ChangeUnderWay, NotLearned, ConfigError, what `how` raises."""
    with _alone(state):
        before = SigningKeys.load_or_create(state.signing_keys)
        # First what an earlier change left undone: a key that signs must be known to all before.
        _make_known(state, before, ())
        after = how(before)
        kept = {key["kid"] for key in after.jwks}
        if after != before:
            after.save(state.signing_keys)
            _make_known(state, after, [key for key in before.jwks if key["kid"] not in kept])
        return after


@contextmanager
def _alone(state: State) -> Iterator[None]:
    """Hold the lock of key changes. Raises: ChangeUnderWay."""
    descriptor = os.open(state.root / "keys.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ChangeUnderWay(ChangeUnderWay.__doc__) from error
        yield
    finally:
        os.close(descriptor)


def _make_known(state: State, keys: SigningKeys, gone: list[Mapping[str, Any]] | tuple[()]) -> None:
    """Publish the set; when the stack runs, wait until each door accepts its keys and refuses those that are gone. Raises: NotLearned."""
    keys.publish_jwks(state.jwks)
    described = state.read("stack.json")
    if not leftovers.running(state):
        return
    if "url" not in described:
        raise NotLearned("the stack is still starting: try again when it is ready")
    for record in leftovers.recorded(state):
        if (told := {"postgrest": signal.SIGUSR2, "edge": signal.SIGHUP}.get(record.name)) and (process := record.process()):
            process.send_signal(told)
    issuer = f"{described['url']}/auth/v1"
    expected = [(key, ACCEPTED) for key in keys.jwks] + [(key, REFUSED) for key in gone]
    probes = [(str(key["kid"]), _probe(key, issuer), codes) for key, codes in expected]
    doors = {"PostgREST": f"{described['rest_url']}/rpc/whoami", "the edge": f"{described['url']}/rest/v1/rpc/whoami"}
    deadline = time.monotonic() + LEARN_S
    for name, door in doors.items():
        for kid, token, codes in probes:
            while (said := _said(door, token)) not in codes:
                if time.monotonic() > deadline:
                    raise NotLearned(f"{name} does not yet treat key {kid} as its state says (it answers {said!r}): run the command again")
                time.sleep(0.05)


def _probe(key: Mapping[str, Any], issuer: str) -> str:
    """Return a token of nobody: a person and a session that do not exist."""
    now = int(time.time())
    return SigningKeys((key,)).sign({
        "iss": issuer, "aud": "authenticated", "role": "authenticated", "sub": str(uuid.uuid4()), "session_id": str(uuid.uuid4()),
        "iat": now, "exp": now + PROBE_LIFETIME_S})


def _said(url: str, token: str) -> str:
    """Return the code of the refusal a token gets."""
    request = urllib.request.Request(url, b"{}", {"authorization": f"Bearer {token}", "content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(answer.status)
    except HTTPError as refusal:
        with refusal:
            try:
                return str(json.loads(refusal.read())["code"])
            except (ValueError, KeyError, TypeError):
                return str(refusal.code)
    except (URLError, OSError) as error:
        return type(error).__name__
