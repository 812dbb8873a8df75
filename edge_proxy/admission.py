"""Who may take how much: rates, bytes and places per address, person, organization and route, all asked here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from edge_proxy.asgi import Request
from edge_proxy.buckets import MemoryBuckets
from edge_proxy.config import Config, ConfigRefused
from edge_proxy.errors import Overloaded
from edge_proxy.limiter import Limiter, Meter
from edge_proxy.limits import Limits
from edge_proxy.memberships import Ask, Memberships
from edge_proxy.metrics import Metrics
from edge_proxy.places import Places
from edge_proxy.tokens import Identity

CHAT = "/v1/chat/completions"


def make_limiter(config: Config, monotonic: Callable[[], float]) -> Limiter:
    """Return counters in Redis if one is configured, else in memory. Raises: ConfigRefused."""
    limits = config.limits
    if not config.redis_url:
        return MemoryBuckets(limits.buckets, monotonic)
    try:
        from edge_proxy.redis_limiter import RedisBuckets

        return RedisBuckets(config.redis_url, seconds=limits.redis_seconds, connections=limits.redis_connections)
    except ImportError as err:
        raise ConfigRefused("RINGFENCE_REDIS_URL needs the package redis: pip install 'ringfence[redis]'") from err


class Owed:
    """Bytes already served, to be taken with the next charge of the same key: what an answer weighs is known only after it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._bytes: OrderedDict[tuple[str, str], int] = OrderedDict()

    def add(self, kind: str, key: str, count: int) -> None:
        self._bytes[kind, key] = self._bytes.pop((kind, key), 0) + count
        if len(self._bytes) > self._size:
            self._bytes.popitem(last=False)

    def take(self, kind: str, key: str) -> int:
        return self._bytes.pop((kind, key), 0)


class Admission:
    """Asked in the order in which things become known: the address, the person, the organization."""

    def __init__(
        self, limits: Limits, limiter: Limiter, ask: Ask, metrics: Metrics, monotonic: Callable[[], float]
    ) -> None:
        self.limiter, self._limits, self._metrics = limiter, limits, metrics
        self._memberships = Memberships(ask, limits, monotonic)
        self._addresses = Meter(limiter, "address", limits.address_rate)
        self._auth_addresses = Meter(limiter, "auth_address", limits.auth_rate)
        self._users = Meter(limiter, "user", limits.user_rate)
        self._user_bytes = Meter(limiter, "user_bytes", limits.user_bytes)
        self._tokens = Meter(limiter, "token", limits.token_rate)
        self._user_chats = Meter(limiter, "user_chat", limits.user_chat_rate)
        self._orgs = Meter(limiter, "organization", limits.organization_rate)
        self._org_bytes = Meter(limiter, "organization_bytes", limits.organization_bytes)
        self._org_chats = Meter(limiter, "organization_chat", limits.organization_chat_rate)
        self._address_places = Places("address_in_flight", limits.address_in_flight)
        self._user_places = Places("user_in_flight", limits.user_in_flight)
        self._org_places = Places("organization_in_flight", limits.organization_in_flight)
        self._owed = Owed(limits.buckets)

    def take_place(self, request: Request, in_flight: int) -> None:
        """Raises: Overloaded, TooMany."""
        if in_flight > self._limits.in_flight:
            raise Overloaded
        request.held.enter_context(self._address_places.one(request.network))

    async def address(self, request: Request) -> None:
        """Raises: TooMany, LimiterUnavailable."""
        await self._addresses.spend(request.network)

    async def stranger(self, request: Request) -> None:
        """Count an attempt to sign in or up. Raises: TooMany, LimiterUnavailable."""
        await self._auth_addresses.spend(request.network)

    async def person(self, request: Request, identity: Identity, *, by_token: bool) -> None:
        """Count the request for the person, and for the session of an API token if it came with one. Raises: TooMany, LimiterUnavailable."""
        user = identity.user_id
        owed = self._owed.take("user", user)
        charges = [self._users.charge(user), self._user_bytes.charge(user, owed=owed)]
        if by_token:
            charges.append(self._tokens.charge(identity.session_id))
        if request.path == CHAT and request.method == "POST":
            charges.append(self._user_chats.charge(user))
        await self.limiter.spend(*charges)
        request.payers["user"] = user
        request.held.enter_context(self._user_places.one(user))

    async def organization(self, request: Request, identity: Identity, named: object) -> None:
        """Count the request for the organization that it names, if it is one of the person's.

        `named`: an id or a slug from the request, believed in nothing. Raises: TooMany, LimiterUnavailable and other ProxyErrors.
        """
        named = identity.org_id or named
        if not isinstance(named, str) or not named:
            return
        org = await self._memberships.find(named.lower(), identity, request.request_id)
        if org is None:
            self._metrics.named_a_strangers_organization()
            return
        request.log["org"] = request.org = org
        owed = self._owed.take("org", org)
        charges = [self._orgs.charge(org), self._org_bytes.charge(org, owed=owed)]
        if request.path == CHAT:
            charges.append(self._org_chats.charge(org))
        await self.limiter.spend(*charges)
        request.payers["org"] = org
        request.held.enter_context(self._org_places.one(org))

    def served(self, request: Request) -> None:
        """Note what went through, to be taken with the next request of the same person and organization."""
        for kind, key in request.payers.items():
            self._owed.add(kind, key, request.bytes_in + request.bytes_out)
