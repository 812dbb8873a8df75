"""The world of the database tests behind the real PostgREST and the real edge: everybody of the access matrix over HTTP.

PostgREST takes back every transaction when it has answered (`db-tx-end`), so that each call finds the world as it was filled. That is the
one setting in which it differs from a stack's.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

from edge_proxy.local import postgrest
from edge_proxy.local.ports import LOOPBACK, answers, free_ports
from edge_proxy.local.state import State, write_private
from tests.db.matrix import Persona
from tests.db.world import World
from tests.e2e.conftest import Answer, send
from tests.e2e.scripted import edge
from tests.proxy.support import PUBLISHABLE_KEY, SigningKey, jwks

AT_ONCE = 4
TRIES = 5
_ISSUER = f"http://{LOOPBACK}"
_Cell = TypeVar("_Cell")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class WorldEdge:
    """An edge for one world, and the key that signs whatever its people's tokens say."""

    world: World
    url: str
    key: SigningKey

    def token(self, persona: Persona, **more: Any) -> str | None:
        """An access token of the persona; nothing for somebody without a person."""
        if persona.person is None:
            return None
        now = int(time.time())
        claims = persona.person.claims(iss=f"{_ISSUER}/auth/v1", iat=now, exp=now + 3600, phone="", **persona.claims | more)
        return self.key.compact(self.key.header(), json.dumps(claims).encode())

    def rpc(self, token: str | None, name: str, arguments: dict[str, Any]) -> Answer:
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        # Calls side by side may stand in each other's way; the one that the database gave up is asked again, as a client would.
        for _ in range(TRIES):
            answer = send(self.url, "POST", f"/rest/v1/rpc/{name}", headers, arguments)
            if b'"40P01"' not in answer.body:
                break
        return answer


def side_by_side(act: Callable[[_Cell], _Result], cells: Iterable[_Cell]) -> list[_Result]:
    """Do all, some at a time; the results are in the order of the cells."""
    with ThreadPoolExecutor(AT_ONCE) as workers:
        return list(workers.map(act, cells))


@contextmanager
def serving(world: World, folder: Path) -> Iterator[WorldEdge]:
    """Run PostgREST and an edge over this world."""
    key = SigningKey.generate("world")
    folder.chmod(0o700)
    state = State(folder / "state")
    state.create()
    write_private(state.jwks, jwks(key.jwk()).decode())
    ports = free_ports({"rest": 0, "admin": 0})
    text = postgrest.configuration(database_url=world.authenticator_url, port=ports["rest"], admin_port=ports["admin"], jwks_file=state.jwks, pool=AT_ONCE)
    rest = postgrest.launch(state, text + 'db-tx-end = "rollback"\n')
    try:
        rest.wait_until(lambda: answers(f"http://{LOOPBACK}:{ports['admin']}/ready"))
        with _published(jwks(key.jwk())) as jwks_url:
            project = {"publishable_key": PUBLISHABLE_KEY, "rest_url": f"http://{LOOPBACK}:{ports['rest']}", "auth_url": jwks_url,
                       "jwks_url": jwks_url, "url": _ISSUER}
            with edge(project, f"http://{LOOPBACK}:1/v1", folder / "edge.log") as (url, _):
                yield WorldEdge(world, url, key)
    finally:
        rest.stop()


@contextmanager
def _published(keys: bytes) -> Iterator[str]:
    """Serve the public keys, as Supabase Auth does; yields their address."""
    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(keys)))
            self.end_headers()
            self.wfile.write(keys)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Keys)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
