"""TCP ports on loopback: free ones, and whether something answers."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Return whether `port` can be bound on loopback right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_ports(wanted: dict[str, int]) -> dict[str, int]:
    """Return a port for every name: the wanted one if it is free, else (or for 0) one the system picks.

    All sockets are held until every port is known, so the same port is never handed out twice.
    """
    held: list[socket.socket] = []
    chosen: dict[str, int] = {}
    try:
        for name, port in wanted.items():
            usable = port and port not in chosen.values() and is_free(port)
            probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.append(probe)
            probe.bind((LOOPBACK, port if usable else 0))
            chosen[name] = int(probe.getsockname()[1])
    finally:
        for probe in held:
            probe.close()
    return chosen


def answers(url: str) -> bool:
    """Return whether `url` answers with a success within a second."""
    try:
        with urllib.request.urlopen(url, timeout=1.0) as response:
            return 200 <= response.status < 300
    except (urllib.error.URLError, OSError):
        return False
