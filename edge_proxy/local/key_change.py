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
from collections.abc import Callable, Iterator, Mapping, Sequence
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
        _tell_the_database(state, before, ())
        _tell_the_edge(state, before, ())
        after = how(before)
        if after != before:
            kept = {key["kid"] for key in after.jwks}
            gone = [key for key in before.jwks if key["kid"] not in kept]
            # The file forgets a revoked key, with which alone one can see that it is refused: the database goes first.
            _tell_the_database(state, after, gone)
            after.save(state.signing_keys)
            _tell_the_edge(state, after, gone)
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


def _tell_the_database(state: State, keys: SigningKeys, gone: Sequence[Mapping[str, Any]]) -> None:
    """Publish the set for PostgREST and wait until it goes by it. Raises: NotLearned."""
    keys.publish_jwks(state.jwks)
    if stack := _running(state):
        _signal(state, "postgrest", signal.SIGUSR2)
        _wait_until_learned("PostgREST", f"{stack['rest_url']}/rpc/whoami", stack, keys, gone)


def _tell_the_edge(state: State, keys: SigningKeys, gone: Sequence[Mapping[str, Any]]) -> None:
    """Have the edge fetch what the emulator publishes and wait until it goes by it. Raises: NotLearned."""
    if stack := _running(state):
        _signal(state, "edge", signal.SIGHUP)
        _wait_until_learned("the edge", f"{stack['url']}/rest/v1/rpc/whoami", stack, keys, gone)


def _running(state: State) -> dict[str, Any]:
    """Return what stack.json says, nothing when no stack runs. Raises: NotLearned while it starts."""
    if not leftovers.running(state):
        return {}
    described = state.read("stack.json")
    if "url" not in described:
        raise NotLearned("the stack is still starting: try again when it is ready")
    return described


def _signal(state: State, name: str, number: int) -> None:
    for record in leftovers.recorded(state):
        if record.name == name and (process := record.process()):
            process.send_signal(number)


def _wait_until_learned(name: str, door: str, stack: Mapping[str, Any], keys: SigningKeys, gone: Sequence[Mapping[str, Any]]) -> None:
    """Return when a door accepts what each of the keys signs and refuses it from those that are gone. Raises: NotLearned."""
    deadline = time.monotonic() + LEARN_S
    for key, codes in [(key, ACCEPTED) for key in keys.jwks] + [(key, REFUSED) for key in gone]:
        token = _probe(key, f"{stack['url']}/auth/v1")
        while (said := _said(door, token)) not in codes:
            if time.monotonic() > deadline:
                raise NotLearned(f"{name} does not yet treat key {key['kid']} as its state says (it answers {said!r}): run the command again")
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
