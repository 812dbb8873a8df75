"""Refuse every connection that is not to this machine (R107)."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any


class NetworkRefused(OSError):
    """A test tried to leave the machine."""


def _checked(address: Any) -> None:
    """Raise NetworkRefused unless the address is a Unix socket or a loopback one."""
    if isinstance(address, (str, bytes)):
        return
    host = address[0]
    if host == "localhost":
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise NetworkRefused(f"no network beyond loopback in tests: {host}")


def _guarded(original: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: socket.socket, *args: Any) -> Any:
        _checked(args[-1])
        return original(self, *args)
    return method


def install() -> None:
    """Guard connect, connect_ex, sendto and name look-ups of the whole process, for good."""
    lookup = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        if host is not None:
            _checked((host.decode() if isinstance(host, bytes) else host,))
        return lookup(host, *args, **options)

    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
    socket.getaddrinfo = getaddrinfo
