"""Token buckets in memory, one for each kind and key (a user, an organization, an address)."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable

from edge_proxy.errors import TooMany
from edge_proxy.limiter import Charge

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


def seconds_until(missing: float, per_second: float) -> int:
    """Return the whole seconds after which a bucket holds that much more, at least one."""
    return max(1, math.ceil(missing / per_second))


class MemoryBuckets:
    """The limiter of one edge: bounded per kind, forgetting the key that was idle longest.

    No method waits for anything, so each is one step of the event loop: that makes it atomic.
    """

    def __init__(self, size: int, monotonic: Callable[[], float]) -> None:
        self._size, self._monotonic = size, monotonic
        self.kinds: dict[str, OrderedDict[str, tuple[float, float]]] = {}
        """Level and time of the last change, by kind and key."""

    async def spend(self, *charges: Charge) -> None:
        """Take every charge or none. Raises: TooMany."""
        now = self._monotonic()
        levels: list[float] = []
        waits: list[tuple[int, str]] = []
        for charge in charges:
            level, price = self._level(charge, now), charge.price
            levels.append(level - price)
            if level < price:
                waits.append((seconds_until(price - level, charge.rate.per_second), charge.kind))
        for charge, level in zip(charges, levels, strict=True):
            self._put(charge, level + charge.price if waits else level, now)
        if waits:
            raise TooMany(*max(waits))

    async def refund(self, charge: Charge) -> None:
        """Give the cost back to a bucket that is still remembered."""
        known = self.kinds.get(charge.kind, {}).get(charge.key)
        if known is not None:
            level, since = known
            self.kinds[charge.kind][charge.key] = (min(float(charge.rate.burst), level + charge.price), since)

    async def check(self) -> None:
        """Memory is always there."""

    async def close(self) -> None:
        """Nothing is open."""

    def _level(self, charge: Charge, now: float) -> float:
        full, known = float(charge.rate.burst), self.kinds.get(charge.kind)
        if known is None:
            known = self.kinds[charge.kind] = OrderedDict()
        found = known.pop(charge.key, None)
        if found is None:
            level = full
        else:
            level = found[0] + (now - found[1]) * charge.rate.per_second
            if level > full:
                level = full
        # Owed at most two full buckets: a huge answer slows its reader down, it does not lock them out for a day.
        return max(-2 * full, level - charge.owed) if charge.owed else level

    def _put(self, charge: Charge, level: float, now: float) -> None:
        kept = self.kinds[charge.kind]
        kept[charge.key] = (level, now)
        if len(kept) > self._size:
            kept.popitem(last=False)
