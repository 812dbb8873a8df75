"""The one HTTP client of the edge: no redirects, no proxies, no cookies, no retries, bounded in time and size.

pyreqwest, because httpx costs five times the latency of the whole edge (FACTS.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError, RequestTimeoutError

from edge_proxy.config import Config
from edge_proxy.errors import ResponseTooLarge, UpstreamFailed, UpstreamTimeout
from edge_proxy.limits import Limits


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL as it is written: up to the third slash."""
    return "/".join(url.split("/", 3)[:3])


@dataclass(frozen=True)
class UpstreamReply:
    """One whole answer; header names are lower case, the first value of each."""

    status: int
    headers: dict[str, str]
    body: bytes


def _build(limits: Limits) -> Client:
    return (
        ClientBuilder()
        .http1_only()
        .http1_lower_case_headers()
        .follow_redirects(False)
        .no_proxy()
        .referer(False)
        .default_cookie_store(False)
        # A compressed answer could pass the size limit small and arrive large.
        .gzip(False)
        .brotli(False)
        .zstd(False)
        .deflate(False)
        .user_agent("ringfence-edge")
        .connect_timeout(timedelta(seconds=limits.connect_seconds))
        .read_timeout(timedelta(seconds=limits.read_seconds))
        .pool_timeout(timedelta(seconds=limits.pool_seconds))
        .pool_idle_timeout(timedelta(seconds=limits.idle_seconds))
        .max_connections(limits.connections)
        .build()
    )


class Upstream:
    """Connections to PostgREST, Supabase Auth and the JWKS. Never retries: a write may have happened (R93)."""

    def __init__(self, config: Config) -> None:
        self._limits = config.limits
        self._client = _build(config.limits)
        self._origins = {origin_of(url) for url in (config.rest_url, config.auth_url, config.jwks_url)}

    async def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None = None,
        *,
        total_seconds: float | None = None,
        max_bytes: int | None = None,
    ) -> UpstreamReply:
        """Send exactly these headers once and return the answer, whatever its status.

        Raises: UpstreamTimeout, UpstreamFailed, ResponseTooLarge.
        """
        if origin_of(url) not in self._origins:
            # Nothing a request says is ever part of the host; this is the second lock (R96).
            raise UpstreamFailed("origin")
        cap = max_bytes or self._limits.response_bytes
        builder = self._client.request(method, url).headers(headers)
        builder = builder.timeout(timedelta(seconds=total_seconds or self._limits.total_seconds))
        if body is not None:
            builder = builder.body_bytes(body)
        try:
            async with builder.build_streamed() as response:
                headers = {name: response.headers[name] for name in response.headers}
                if headers.get("content-encoding", "identity") != "identity":
                    raise UpstreamFailed("encoded")
                chunks: list[bytes] = []
                size = 0
                while (chunk := await response.body_reader.read_chunk()) is not None:
                    size += len(chunk)
                    if size > cap:
                        raise ResponseTooLarge("response_bytes")
                    chunks.append(bytes(chunk))
                return UpstreamReply(response.status, headers, b"".join(chunks))
        except RequestTimeoutError as err:
            raise UpstreamTimeout("upstream_timeout") from err
        except PyreqwestError as err:
            raise UpstreamFailed("connection") from err

    async def close(self) -> None:
        await self._client.close()
