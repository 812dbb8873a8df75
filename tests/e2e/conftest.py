"""People signed in at the edge of the one seeded stack, and plain HTTP to compare answers byte for byte."""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest


@dataclass(frozen=True)
class Answer:
    """A status, the headers that say something, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def anonymised(self) -> tuple[int, dict[str, str], Any]:
        """Everything but what differs from request to request by nature."""
        headers = {k: v for k, v in self.headers.items() if k not in ("date", "x-request-id", "content-length")}
        body = self.json()
        if isinstance(body, dict):
            body.pop("request_id", None)
        return self.status, headers, body


def send(url: str, method: str, path: str, headers: dict[str, str], body: Any = None) -> Answer:
    """Send one request as it is: no redirects, no retries, no default headers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)
    try:
        connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
        got = connection.getresponse()
        return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
    finally:
        connection.close()


@dataclass
class SignedIn:
    """A seeded person with a live access token."""

    url: str
    email: str
    user_id: str
    token: str
    orgs: dict[str, str] = field(default_factory=dict)
    """Organization id by slug."""

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return send(self.url, "POST", path, {"authorization": f"Bearer {self.token}", "content-type": "application/json"} | headers, body)

    def rpc(self, name: str, /, **arguments: Any) -> Answer:
        return self.post(f"/rest/v1/rpc/{name}", arguments)

    def ask(self, model: str, question: str) -> Answer:
        return self.post("/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": question}]})


def sign_in(stack: dict[str, Any], email: str) -> SignedIn:
    """Password grant through the edge."""
    user = next(u for u in stack["users"] if u["email"] == email)
    answer = send(stack["url"], "POST", "/auth/v1/token?grant_type=password",
                  {"apikey": stack["publishable_key"], "content-type": "application/json"},
                  {"email": email, "password": user["password"]})
    assert answer.status == 200, answer.body
    return SignedIn(stack["url"], email, user["user_id"], answer.json()["access_token"], {o["slug"]: o["id"] for o in user["orgs"]})


@pytest.fixture(scope="session")
def person(stack: dict[str, Any]) -> Iterator[Callable[[str], SignedIn]]:
    """Sign a seeded person in, once a worker."""
    known: dict[str, SignedIn] = {}

    def get(email: str) -> SignedIn:
        if email not in known:
            known[email] = sign_in(stack, email)
        return known[email]

    yield get


@dataclass(frozen=True)
class ScriptedEdge:
    """An edge whose bots say what the test wrote down."""

    url: str
    model: Any
    model_url: str
    process: psutil.Process

    def purge(self) -> None:
        """Let it fetch the keys anew: `ringfence keys` tells the stack's own edge and knows nothing of this one."""
        self.process.send_signal(signal.SIGHUP)


@pytest.fixture(scope="session")
def _scripted_edge(stack: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedEdge]:
    from edge_proxy.local.state import State
    from tests.e2e import scripted

    model, keys = scripted.Model(), str(State(Path(stack["state_dir"])).token_keys)
    with scripted.serving(model) as model_url, scripted.edge(
            stack, model_url, tmp_path_factory.mktemp("edge") / "edge.log", RINGFENCE_TOKEN_KEYS_FILE=keys) as (url, child):
        yield ScriptedEdge(url, model, model_url, psutil.Process(child.popen.pid))


@pytest.fixture
def scripted_edge(_scripted_edge: ScriptedEdge) -> ScriptedEdge:
    """Return the second edge on the shared stack, its model with nothing written down yet."""
    _scripted_edge.model.reset()
    return _scripted_edge
