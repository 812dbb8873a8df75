"""`ringfence keys` on a running stack: the key that signs changes under live traffic and nobody signed in notices."""

from __future__ import annotations

import fcntl
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex
from typing import Any

import jwt
import pytest

from edge_proxy.local.auth.keys import SigningKeys
from edge_proxy.local.auth.rotation import rotated, without
from tests.e2e.conftest import Answer, send
from tests.stack.support import ringfence

FAST = {f"RINGFENCE_RATE_{name}": "100000/1000000" for name in ("USER", "ADDRESS", "AUTH", "CHAT", "ORG", "ORG_CHAT")}
JSON = {"content-type": "application/json"}


@pytest.fixture
def running(folder: Path) -> dict[str, Any]:
    up = ringfence("up", "--detach", "--json", "--no-seed", "--port", "0", "--state-dir", folder, environment=FAST)
    assert up.returncode == 0, up.stderr
    described: dict[str, Any] = json.loads(up.stdout)
    return described


def keys(folder: Path, *words: str) -> list[dict[str, str]]:
    done = ringfence("keys", *words, "--json", "--state-dir", folder)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def refusal(folder: Path, *words: str) -> str:
    done = ringfence("keys", *words, "--state-dir", folder)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


class Person:
    """Somebody with a session of their own, at both doors."""

    def __init__(self, stack: dict[str, Any]) -> None:
        self.stack = stack
        account = {"email": f"{token_hex(8)}@acme.test", "password": token_hex(8)}
        self._keep(self._auth("signup", account))

    def _auth(self, path: str, body: dict[str, str]) -> Answer:
        return send(self.stack["url"], "POST", f"/auth/v1/{path}", JSON | {"apikey": self.stack["publishable_key"]}, body)

    def _keep(self, answer: Answer) -> None:
        assert answer.status == 200, answer.body
        self.token, self._refresh = answer.json()["access_token"], answer.json()["refresh_token"]

    def refresh(self) -> None:
        self._keep(self._auth("token?grant_type=refresh_token", {"refresh_token": self._refresh}))

    @property
    def kid(self) -> str:
        return str(jwt.get_unverified_header(self.token)["kid"])

    def at_the_edge(self, token: str = "") -> Answer:
        return self._whoami(self.stack["url"], "/rest/v1/rpc/whoami", token)

    def at_the_database(self, token: str = "") -> Answer:
        return self._whoami(self.stack["rest_url"], "/rpc/whoami", token)

    def _whoami(self, url: str, path: str, token: str) -> Answer:
        return send(url, "POST", path, JSON | {"authorization": f"Bearer {token or self.token}"}, {})

    def seen(self) -> list[int]:
        """Return the statuses that a round of ordinary calls got; the refresh raises when refused."""
        statuses = [self.at_the_edge().status, self.at_the_database().status]
        self.refresh()
        user = send(self.stack["url"], "GET", "/auth/v1/user", {"authorization": f"Bearer {self.token}"})
        return [*statuses, user.status, self.at_the_edge().status]


class Traffic:
    """People who go on calling until told to stop."""

    def __init__(self, people: list[Person]) -> None:
        self._people, self._stop = people, threading.Event()

    def __enter__(self) -> Traffic:
        self._pool = ThreadPoolExecutor(len(self._people))
        self._calls = [self._pool.submit(self._go_on, person) for person in self._people]
        return self

    def _go_on(self, person: Person) -> tuple[list[int], set[str]]:
        """Return the statuses and the keys of the tokens used; the last round begins after the end was called for."""
        statuses, kids = [], set()
        while True:
            last = self._stop.is_set()
            kids.add(person.kid)
            statuses += person.seen()
            if last:
                return statuses, kids | {person.kid}

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._pool.shutdown()
        self.statuses = {status for call in self._calls for status in call.result()[0]}
        self.kids = [call.result()[1] for call in self._calls]


@pytest.fixture
def idle(running: dict[str, Any]) -> Iterator[Person]:
    """A person who does not refresh: their token keeps the key it was signed with."""
    yield Person(running)


def test_a_key_is_rotated_under_live_traffic_and_revoked_R77_F76(running: dict[str, Any], folder: Path, idle: Person) -> None:
    [first] = keys(folder, "list")
    assert idle.kid == first["kid"] and first["status"] == "in_use"
    with Traffic([Person(running) for _ in range(3)]) as traffic:
        waiting = keys(folder, "standby")
        assert [key["status"] for key in waiting] == ["in_use", "standby"]
        published = send(running["url"], "GET", "/auth/v1/.well-known/jwks.json", {}).json()["keys"]
        assert [key["kid"] for key in published] == [key["kid"] for key in waiting]
        turned = keys(folder, "rotate")
        assert [(key["kid"], key["status"]) for key in turned] == [(waiting[1]["kid"], "in_use"), (first["kid"], "previously_used")]
        newcomer = Person(running)
        assert newcomer.kid == waiting[1]["kid"]
        assert [idle.at_the_edge().status, idle.at_the_database().status] == [200, 200], "the overlap"
    assert traffic.statuses == {200}
    assert traffic.kids == [{first["kid"], waiting[1]["kid"]}] * 3, "everybody went from the old key to the new one"

    assert [key["status"] for key in keys(folder, "revoke", first["kid"])] == ["in_use", "revoked"]
    at_the_database, at_the_edge = idle.at_the_database(), idle.at_the_edge()
    assert (at_the_database.status, at_the_database.json()["code"]) == (401, "PGRST301")
    assert (at_the_edge.status, at_the_edge.json()["code"]) == (401, "invalid_token")
    assert newcomer.seen() == [200, 200, 200, 200]
    idle.refresh()
    assert idle.kid == newcomer.kid and idle.seen() == [200, 200, 200, 200], "a refresh needs no access token"


def test_changes_out_of_turn_are_refused_and_change_nothing_F76(running: dict[str, Any], folder: Path, idle: Person) -> None:
    before = (folder / "signing_keys.json").read_bytes()
    assert "keys standby" in refusal(folder, "rotate")
    assert "is in use" in refusal(folder, "revoke", idle.kid)
    assert "there is no key" in refusal(folder, "revoke", "unheard-of")
    with (folder / "keys.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "under way" in refusal(folder, "standby")
    assert (folder / "signing_keys.json").read_bytes() == before
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: ringfence("keys", "standby", "--state-dir", folder), range(2)))
    assert sorted(one.returncode for one in done) == [0, 1], "the twin: nothing holds the lock now, and of two at once one wins"
    assert [key["status"] for key in keys(folder, "list")] == ["in_use", "standby"]
    assert idle.seen() == [200, 200, 200, 200]


def test_a_change_that_was_killed_half_way_is_finished_by_the_next_F76(running: dict[str, Any], folder: Path, idle: Person) -> None:
    keys(folder, "standby")
    half_way = rotated(SigningKeys.load(folder / "signing_keys.json"))
    without(half_way, idle.kid).save(folder / "signing_keys.json")  # and nobody was told
    assert idle.at_the_database().status == 200
    assert [key["status"] for key in keys(folder, "standby")] == ["in_use", "standby", "revoked"]
    assert [idle.at_the_edge().status, idle.at_the_database().status] == [401, 401]
    idle.refresh()
    assert idle.seen() == [200, 200, 200, 200]


def test_a_rotation_survives_the_end_of_the_stack_and_happens_without_one(running: dict[str, Any], folder: Path, idle: Person) -> None:
    keys(folder, "standby")
    ringfence("down", "--state-dir", folder)
    turned = keys(folder, "rotate")
    up = ringfence("up", "--detach", "--json", "--no-seed", "--state-dir", folder, environment=FAST)
    assert up.returncode == 0, up.stderr
    assert keys(folder, "list") == turned
    assert idle.at_the_edge().status == 200
    idle.refresh()
    assert idle.kid == turned[0]["kid"] and idle.seen() == [200, 200, 200, 200]


def test_for_a_hosted_project_the_command_says_who_rotates_and_what_to_wait_for(folder: Path) -> None:
    for words in (("list",), ("standby",), ("rotate",), ("revoke", "k")):
        done = ringfence("keys", *words, "--state-dir", folder, environment={"SUPABASE_URL": "https://abc.supabase.co"})
        assert (done.returncode, done.stdout) == (1, "")
        assert "at least 20 minutes" in done.stderr and "Traceback" not in done.stderr
    assert "makes the first" in refusal(folder, "list")
    assert not folder.exists()
