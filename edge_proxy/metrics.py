"""Counters and durations by route, status and code: never by user, organization or function arguments."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The edge's own registry, so that two edges in one process do not share counts."""

    def __init__(self, in_flight: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "ringfence_edge_requests",
            "Answers by route, status and error code.",
            ["route", "status", "code"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "ringfence_edge_request_seconds", "Time to the end of the answer.", ["route"], registry=self.registry
        )
        self._fetches = Counter(
            "ringfence_edge_jwks_fetches", "Key set fetches by outcome.", ["outcome"], registry=self.registry
        )
        gauge = Gauge("ringfence_edge_in_flight", "Requests being served.", registry=self.registry)
        gauge.set_function(in_flight)

    def answered(self, route: str, status: int, code: str, seconds: float) -> None:
        self._requests.labels(route, str(status), code).inc()
        self._seconds.labels(route).observe(seconds)

    def keys_fetched(self, outcome: str) -> None:
        self._fetches.labels(outcome).inc()
