"""The numbers of the edge in one place. Seconds, bytes and counts; tests and deployments replace single fields."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """A token bucket: `burst` requests at once, then `per_second`."""

    per_second: float
    burst: int


@dataclass(frozen=True)
class Limits:
    head_bytes: int = 64 * 1024
    """A request's first lines and headers; beyond it the connection is closed. Framing and trailers without end too."""
    head_seconds: float = 10.0
    """For them to arrive, on a new connection and on one that is kept."""
    header_bytes: int = 32 * 1024
    """The usual case below it: 431."""
    header_count: int = 100
    """Headers of a request; one more is 431."""
    keep_alive_seconds: int = 30
    """A connection without a request."""
    linger_seconds: float = 2.0
    """After an answer that came before the end of its request."""
    unread_seconds: float = 30.0
    """For a client that has stopped reading its answer; then the connection is cut."""
    body_bytes: int = 256 * 1024
    """RPC bodies (R86)."""
    auth_body_bytes: int = 64 * 1024
    """/auth/v1 bodies, most of them from people who are not signed in."""
    agent_body_bytes: int = 1024 * 1024
    """/v1 bodies: a whole conversation travels with each chat request. The agent takes no more."""
    file_body_bytes: int = 50 * 1024 * 1024 + 64 * 1024
    """POST /v1/files and POST /v1/analytics/tables alone: a file of 50 MB and its fields. It goes through in pieces, the edge keeps none of it."""
    file_body_seconds: float = 300.0
    """For a whole upload."""
    file_piece_seconds: float = 10.0
    """Between two pieces of it."""
    user_uploads: int = 2
    """Of one person's uploads, at once, from the first byte to the answer; RINGFENCE_RATE_USER_UPLOADS. One more is 429."""
    json_depth: int = 32
    """Levels of a JSON body."""
    json_containers: int = 20_000
    """Objects and arrays in one body: each costs a microsecond or two to make and check, a number next to nothing."""
    auth_json_containers: int = 1_000
    """The same for /auth/v1."""
    json_inline_bytes: int = 8 * 1024
    """A larger body is decoded in a thread, so that the others are served meanwhile."""
    body_seconds: float = 10.0
    """For the whole request body to arrive."""
    response_bytes: int = 1024 * 1024
    """An answer of the database or of Supabase Auth; a larger one is 502."""
    upstream_head_bytes: int = 64 * 1024
    """Its head, and framing around a body beyond the body's own size; then 502."""
    connect_seconds: float = 2.0
    """To upstream."""
    read_seconds: float = 10.0
    """Between two reads; the database's own limit for `authenticated` is 8 s."""
    total_seconds: float = 15.0
    """For a whole answer of upstream; then 504."""
    connections: int = 100
    """Requests in flight to upstream at once."""
    pool_seconds: float = 2.0
    """Waiting for one of them."""
    idle_seconds: float = 10.0
    """Shorter than any upstream's keep-alive, so that a dead connection is rarely picked up."""

    token_bytes: int = 8 * 1024
    """An access token."""
    leeway_seconds: int = 30
    """By how much `exp`, `nbf` and `iat` may differ from our clock."""
    token_lifetime_seconds: int = 24 * 3600
    """The longest `exp - iat` accepted (R67)."""
    verdicts: int = 10_000
    """Checked tokens that are remembered, each until it expires or the keys change."""

    api_tokens: int = 10_000
    """API tokens whose short access token is kept in memory."""
    api_token_margin_seconds: float = 60.0
    """So long before it expires, the access token behind an API token is replaced."""
    api_token_rate: Rate = Rate(per_second=0.2, burst=10)
    """Exchanges of one API token at Supabase Auth; a good one costs one an hour."""

    jwks_ttl_seconds: float = 300.0
    """At most 600 (R76)."""
    jwks_refresh_seconds: float = 30.0
    """At most one fetch in this time for an unknown `kid` or after a failure."""
    jwks_first_seconds: float = 1.0
    """The same while there is no key at all, so that a start before Supabase Auth recovers quickly."""
    jwks_max_age_seconds: float = 1800.0
    """How long the last good set serves while the fetch fails; then 503 (R78)."""
    jwks_fetch_seconds: float = 5.0
    """For one fetch of the keys."""
    jwks_bytes: int = 64 * 1024
    """A key set."""
    jwks_keys: int = 32
    """Keys in it."""

    catalog_ttl_seconds: float = 60.0
    """How long the list of functions is believed."""
    catalog_refresh_seconds: float = 10.0
    """At most one fetch in this time for an unknown function name."""

    in_flight: int = 1000
    """Requests being served at once, streams included; /healthz and /readyz do not count."""
    organization_in_flight: int = 256
    """Of those, by the members of one organization; RINGFENCE_RATE_ORG_IN_FLIGHT."""
    user_in_flight: int = 32
    """Of those, by one person; RINGFENCE_RATE_USER_IN_FLIGHT. One more is 429."""
    address_in_flight: int = 128
    """Of those, from one address; RINGFENCE_RATE_ADDRESS_IN_FLIGHT."""
    user_database_calls: int = 4
    """Of one person's requests, in the database at once: PostgREST's pool has 10 connections for everybody.

    RINGFENCE_RATE_USER_DATABASE_CALLS. One more waits in line for `database_wait_seconds`; then it is 429.
    """
    database_wait_seconds: float = 2.0
    """In that line."""
    user_rate: Rate = Rate(per_second=50, burst=200)
    """RINGFENCE_RATE_USER, as PER_SECOND/BURST; every rate likewise."""
    token_rate: Rate = Rate(per_second=20, burst=100)
    """With one API token, beside the rate of its owner and below it: a script in a loop leaves its owner room; RINGFENCE_RATE_TOKEN."""
    user_chat_rate: Rate = Rate(per_second=2, burst=40)
    """Questions to a bot (POST /v1/chat/completions) by one person, beside the rate of all their requests; RINGFENCE_RATE_CHAT."""
    user_bytes: Rate = Rate(per_second=4 * 1024 * 1024, burst=256 * 1024 * 1024)
    """Sent and received by one person; RINGFENCE_RATE_USER_BYTES. Counted after a request, so the next one waits."""
    organization_rate: Rate = Rate(per_second=200, burst=1000)
    """By all members of one organization; RINGFENCE_RATE_ORG. Above a single person's, so that one cannot use it up alone."""
    organization_chat_rate: Rate = Rate(per_second=20, burst=200)
    """RINGFENCE_RATE_ORG_CHAT."""
    organization_bytes: Rate = Rate(per_second=32 * 1024 * 1024, burst=1024 * 1024 * 1024)
    """RINGFENCE_RATE_ORG_BYTES."""
    membership_seconds: float = 60.0
    """How long it is remembered which organizations a session's person belongs to: for counting, never for permission."""
    address_rate: Rate = Rate(per_second=200, burst=1000)
    """RINGFENCE_RATE_ADDRESS. An IPv6 address counts as its /64: that is what one customer has."""
    auth_rate: Rate = Rate(per_second=10, burst=60)
    """POST per address on /auth/v1: sign-in and sign-up; RINGFENCE_RATE_AUTH."""
    password_rate: Rate = Rate(per_second=1 / 6, burst=10)
    """Wrong passwords for one account, from all addresses together; RINGFENCE_RATE_PASSWORD.

    A right one costs nothing. While somebody guesses, the owner of the account waits too: the lesser harm.
    """
    buckets: int = 50_000
    """Of each kind, in memory."""
    redis_seconds: float = 1.0
    """For an answer of Redis, where the counters are kept there; then 503."""
    redis_connections: int = 16
    """Of one edge."""
    ready_cache_seconds: float = 5.0
    """How long the answer of /readyz is kept."""

    stream_check_seconds: float = 0.4
    """So often the database is asked whether the right behind a person's open answers still stands."""
    stream_unchecked_seconds: float = 5.0
    """So long an open answer goes on while that cannot be asked; then it ends."""
    drain_seconds: float = 8.0
    """After SIGTERM, for what is being served; RINGFENCE_DRAIN_SECONDS. What is still open then is told and ends."""
    metric_organizations: int = 200
    """Organizations with a label of their own in the metrics; the others are counted together."""
