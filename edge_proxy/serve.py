"""`ringfence serve`: the edge under uvicorn, set by the environment; SIGTERM stops it, SIGHUP purges the keys."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import uvicorn
import uvloop
from prometheus_client import start_http_server

from edge_proxy import log
from edge_proxy.agent_mount import AgentMissing
from edge_proxy.app import Edge, create_app
from edge_proxy.config import Config, ConfigRefused, from_environment
from edge_proxy.http_protocol import BoundedHttp

_GRACE_SECONDS = 1
_MOST_FILES = 65_536
_OBJECTS_BETWEEN_ROUNDS = 20_000


class _Server(uvicorn.Server):
    """uvicorn's server, ending with exit status 0 when told to stop: its own way raises the signal once more."""

    metrics_port = 0

    def __init__(self, config: uvicorn.Config, edge: Edge) -> None:
        super().__init__(config)
        self._edge = edge

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            log.write("stopping", seconds=self._edge.config.limits.drain_seconds)
            self._edge.drain()
        super().handle_exit(sig, frame)

    def reload(self) -> None:
        """Read the certificate again and forget the keys: what SIGHUP is for."""
        self._edge.keys.purge()
        config = self._edge.config
        if self.config.ssl is not None:
            try:
                self.config.ssl.load_cert_chain(config.tls_cert_file, config.tls_key_file)
            except (OSError, ssl.SSLError) as err:
                log.write("certificate_kept", raised=type(err).__name__)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _settle()
        for server in self.servers:
            # The real ports: 0 in the settings asks for any free one.
            host, port = server.sockets[0].getsockname()[:2]
            log.write("listening", host=host, port=port, metrics_port=self.metrics_port)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def connection_settings(config: Config) -> dict[str, Any]:
    """Return what uvicorn is told about connections: our limits, no own headers, no trust in forwarded addresses."""
    return {
        "http": BoundedHttp,
        "ws": "none",
        "server_header": False,
        "proxy_headers": bool(config.trusted_proxies),
        "forwarded_allow_ips": list(config.trusted_proxies),
        "timeout_keep_alive": config.limits.keep_alive_seconds,
        # What is still open is told first; this ends what does not listen.
        "timeout_graceful_shutdown": config.limits.drain_seconds + _GRACE_SECONDS,
        **({"ssl_certfile": config.tls_cert_file, "ssl_keyfile": config.tls_key_file} if config.tls_cert_file else {}),
        "log_config": None,
        "access_log": False,
    }


def _room_for_connections() -> None:
    """Raise the number of open files to what the system allows this process: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _settle() -> None:
    """Leave what stays for ever out of the collector's rounds, and let it go round less often: by default that is an eighth of a request's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_ROUNDS)


async def _serve(config: Config, app: Edge) -> None:
    _room_for_connections()
    metrics, thread = start_http_server(config.metrics_port, addr="127.0.0.1", registry=app.metrics.registry)
    try:
        server = _Server(
            uvicorn.Config(app, host=config.host, port=config.port, lifespan="on", **connection_settings(config)), app
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, server.reload)
        server.metrics_port = metrics.server_port
        await server.serve()
    finally:
        metrics.shutdown()
        metrics.server_close()
        thread.join()


def main() -> int:
    """Serve until told to stop; return the exit status: 2 when the settings are refused."""
    log.configure()
    try:
        config = from_environment()
        app = create_app(config)
    except (ConfigRefused, AgentMissing) as err:
        print(f"ringfence serve: refused to start: {err}", file=sys.stderr)
        return 2
    try:
        uvloop.run(_serve(config, app))
    except OSError as err:
        print(f"ringfence serve: cannot serve: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
