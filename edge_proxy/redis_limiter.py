"""The same buckets in Redis, for several edges: one script a request, atomic in Redis and by Redis's own clock.

It fails closed: without an answer in time the request is refused (503), never let through uncounted.
"""

from __future__ import annotations

import hashlib
from typing import Any

from edge_proxy.buckets import seconds_until
from edge_proxy.errors import LimiterUnavailable, TooMany
from edge_proxy.limiter import Charge

_PREFIX = "ringfence:rate:"

# KEYS: one a charge. ARGV: per_second, burst, price, owed for each. Returns {} or {number of the charge, what is missing}.
_SPEND = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local levels, short, longest, missing = {}, 0, 0, 0
for i, key in ipairs(KEYS) do
  local at = (i - 1) * 4
  local per_second, burst, price, owed = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local known = redis.call('HMGET', key, 'level', 'since')
  local level, since = tonumber(known[1]) or burst, tonumber(known[2]) or now
  level = math.min(burst, level + math.max(0, now - since) * per_second) - owed
  level = math.max(-2 * burst, level)
  levels[i] = level
  if level < price and (price - level) / per_second > longest then
    short, missing, longest = i, price - level, (price - level) / per_second
  end
end
for i, key in ipairs(KEYS) do
  local at = (i - 1) * 4
  local per_second, burst, price = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local level = levels[i]
  if short == 0 then level = level - price end
  redis.call('HSET', key, 'level', string.format('%.6f', level), 'since', string.format('%.6f', now))
  redis.call('PEXPIRE', key, math.ceil((burst - level) / per_second * 1000) + 1000)
end
if short > 0 then return {short, string.format('%.6f', missing)} end
return {}
"""
# KEYS: one. ARGV: burst, price. A bucket that is gone is full.
_REFUND = """
local level = redis.call('HGET', KEYS[1], 'level')
if level then
  redis.call('HSET', KEYS[1], 'level', string.format('%.6f', math.min(tonumber(ARGV[1]), tonumber(level) + tonumber(ARGV[2]))))
end
return 1
"""


def _name(charge: Charge) -> str:
    """Return the key in Redis; a digest, so that Redis holds no id and no address."""
    return f"{_PREFIX}{charge.kind}:{hashlib.sha256(charge.key.encode()).hexdigest()[:32]}"


class RedisBuckets:
    """The limiter of several edges."""

    def __init__(self, url: str, *, seconds: float, connections: int) -> None:
        """`seconds`: for a connection, for a place in the pool and for an answer, each.

        Raises: ImportError where the package redis is not installed.
        """
        from redis import asyncio as redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError as Broken
        from redis.exceptions import RedisError

        pool = redis.BlockingConnectionPool.from_url(
            url, max_connections=connections, timeout=seconds, socket_timeout=seconds, socket_connect_timeout=seconds,
            # Once more at once, for a connection that Redis closed while it was idle; not after a timeout.
            retry=Retry(NoBackoff(), 1, supported_errors=(Broken,)),
        )  # fmt: skip
        self._client = redis.Redis(connection_pool=pool)
        self._failures: tuple[type[BaseException], ...] = (RedisError, OSError, TimeoutError)
        self._spend = self._client.register_script(_SPEND)
        self._refund = self._client.register_script(_REFUND)

    async def spend(self, *charges: Charge) -> None:
        """Take every charge or none. Raises: TooMany, LimiterUnavailable."""
        arguments = [value for one in charges for value in (one.rate.per_second, one.rate.burst, one.price, one.owed)]
        short = await self._run(self._spend, [_name(charge) for charge in charges], arguments)
        if short:
            charge = charges[int(short[0]) - 1]
            raise TooMany(seconds_until(float(short[1]), charge.rate.per_second), charge.kind)

    async def refund(self, charge: Charge) -> None:
        """Give the cost back. Raises: LimiterUnavailable."""
        await self._run(self._refund, [_name(charge)], [charge.rate.burst, charge.price])

    async def check(self) -> None:
        """Raises: LimiterUnavailable."""
        try:
            await self._client.ping()
        except self._failures as err:
            raise LimiterUnavailable(type(err).__name__) from err

    async def close(self) -> None:
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    async def _run(self, script: Any, keys: list[str], arguments: list[float]) -> Any:
        try:
            return await script(keys, arguments)
        except self._failures as err:
            raise LimiterUnavailable(type(err).__name__) from err
