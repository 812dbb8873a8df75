"""What a limiter is: it takes all of a request's charges or none of them, whoever keeps the counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edge_proxy.limits import Rate


# Not frozen: several are made for every request, and a frozen one takes four times as long.
@dataclass(slots=True)
class Charge:
    """`cost` is taken from the bucket of `key` if it is there; `owed` is taken in any case, for what was served before."""

    kind: str
    key: str
    rate: Rate
    cost: float = 1
    owed: float = 0

    @property
    def price(self) -> float:
        """Return the cost, at most a full bucket: what is larger would never be let through."""
        return min(self.cost, self.rate.burst)


class Limiter(Protocol):
    """In memory for one edge, in Redis for several."""

    async def spend(self, *charges: Charge) -> None:
        """Take every charge, or none when one bucket is short: nobody pays for a request that is refused.

        Raises: TooMany (the kind that is short, and when it will not be), LimiterUnavailable.
        """

    async def refund(self, charge: Charge) -> None:
        """Give the cost back: the request turned out not to count. Raises: LimiterUnavailable."""

    async def check(self) -> None:
        """Return if the counters can be reached. Raises: LimiterUnavailable."""

    async def close(self) -> None: ...


class Meter:
    """One kind of count at one rate."""

    def __init__(self, limiter: Limiter, kind: str, rate: Rate) -> None:
        self._limiter, self._kind, self._rate = limiter, kind, rate

    def charge(self, key: str, cost: float = 1, owed: float = 0) -> Charge:
        return Charge(self._kind, key, self._rate, cost, owed)

    async def spend(self, key: str) -> None:
        """Raises: TooMany, LimiterUnavailable."""
        await self._limiter.spend(self.charge(key))

    async def refund(self, key: str) -> None:
        """Raises: LimiterUnavailable."""
        await self._limiter.refund(self.charge(key))
