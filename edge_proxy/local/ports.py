"""TCP ports on loopback: free ones, and whether something answers."""

from __future__ import annotations

import random
import socket
import urllib.error
import urllib.request

LOOPBACK = "127.0.0.1"
# Below the range the system takes for outgoing connections (from 32768 on Linux, 49152 elsewhere): a port from there may be
# taken by a passing connection between our choosing it and a server's binding it.
OUT_OF_THE_WAY = range(15000, 32000)


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
    """Return a port for every name: the wanted one if it is free, else (or for 0) another free one; none twice."""
    chosen: dict[str, int] = {}
    for name, port in wanted.items():
        while not port or port in chosen.values() or not is_free(port):
            port = random.choice(OUT_OF_THE_WAY)
        chosen[name] = port
    return chosen


def answers(url: str) -> bool:
    """Return whether `url` answers with a success within a second."""
    try:
        with urllib.request.urlopen(url, timeout=1.0) as response:
            return 200 <= response.status < 300
    except (urllib.error.URLError, OSError):
        return False
