"""Token buckets in memory, one for each key (a user, an address)."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable

from edge_proxy.errors import TooMany
from edge_proxy.limits import Rate

_IPV6_PREFIX = 64


def network_of(address: str) -> str:
    """Return the key of a client address: an IPv4 address itself, an IPv6 address as its /64."""
    if ":" not in address:
        return address
    try:
        ip = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((ip, _IPV6_PREFIX), strict=False))


class Buckets:
    """Counts requests per key; bounded, forgetting the key that was idle longest."""

    def __init__(self, name: str, rate: Rate, size: int, monotonic: Callable[[], float]) -> None:
        self._name, self._rate, self._size, self._monotonic = name, rate, size, monotonic
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, key: str) -> None:
        """Take one request from the key's bucket. Raises: TooMany."""
        now = self._monotonic()
        level, since = self._levels.pop(key, (float(self._rate.burst), now))
        level = min(float(self._rate.burst), level + (now - since) * self._rate.per_second)
        allowed = level >= 1
        self._levels[key] = (level - 1 if allowed else level, now)
        if len(self._levels) > self._size:
            self._levels.popitem(last=False)
        if not allowed:
            raise TooMany(max(1, math.ceil((1 - level) / self._rate.per_second)), self._name)

    def refund(self, key: str) -> None:
        """Give one request back: it turned out not to count."""
        if key in self._levels:
            level, since = self._levels[key]
            self._levels[key] = (min(float(self._rate.burst), level + 1), since)
