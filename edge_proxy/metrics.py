"""Counters and durations by route, status and code, and by organization and tool: never by person or argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

OTHERS = "other"


# How an answer that had begun, or an answer of MCP, ended: there the status says nothing.
_BY_CODE = {
    "client_gone": "gone", "invalid": "invalid", "invalid_argument": "invalid",
    **dict.fromkeys(("denied", "not_found", "invalid_token", "session_ended", "aal_required", "provider_refused"), "denied"),
    **dict.fromkeys(("rate_limited", "quota", "budget_spent", "limit_model_calls", "limit_tool_calls", "limit_repeated_call",
                     "limit_tokens", "limit_wall_time"), "limited"),
}  # fmt: skip


def outcome(status: int, code: str = "") -> str:
    """Return how a request ended, in one of a few words; status 0 is a client that went away before the answer."""
    if status == 0:
        return "gone"
    if status < 400:
        return _BY_CODE.get(code, "failed") if code else "ok"
    if status == 429:
        return "limited"
    if status in (401, 403, 404):
        return "denied"
    return "invalid" if status < 500 else "failed"


class Metrics:
    """The edge's own registry, so that two edges in one process do not share counts."""

    def __init__(self, in_flight: Callable[[], int], most_organizations: int) -> None:
        self.registry = CollectorRegistry()
        self._most, self._organizations = most_organizations, set[str]()
        self._children: dict[tuple[str, int, str], tuple[Counter, Histogram]] = {}
        self._org_children: dict[tuple[str, str], tuple[Counter, Counter, Counter]] = {}
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
        self._of_organizations = Counter(
            "ringfence_edge_organization_requests",
            "Requests of the members of an organization by outcome; those beyond the first so many organizations together.",
            ["org", "outcome"],
            registry=self.registry,
        )
        self._organization_seconds = Counter(
            "ringfence_edge_organization_seconds", "Time they took.", ["org"], registry=self.registry
        )
        self._organization_bytes = Counter(
            "ringfence_edge_organization_bytes", "Bytes in and out.", ["org"], registry=self.registry
        )
        self._tokens = Counter(
            "ringfence_edge_organization_tokens", "Tokens that models took for answers to its members.", ["org"], registry=self.registry
        )
        self._tools = Counter(
            "ringfence_edge_organization_tool_calls", "Calls of tools by bots and MCP clients.", ["org", "tool", "outcome"], registry=self.registry
        )
        self._strangers = Counter(
            "ringfence_edge_foreign_organization_named",
            "Requests that named an organization the person does not belong to.",
            registry=self.registry,
        )
        self._ended = Counter(
            "ringfence_edge_streams_ended", "Open answers cut off, by error code.", ["code"], registry=self.registry
        )
        self._unrecorded = Counter(
            "ringfence_edge_denials_unrecorded", "Refusals that could not be written into the audit trail.", registry=self.registry
        )
        gauge = Gauge("ringfence_edge_in_flight", "Requests being served.", registry=self.registry)
        gauge.set_function(in_flight)

    def answered(self, route: str, status: int, code: str, seconds: float) -> None:
        # labels() costs more than counting does.
        children = self._children.get((route, status, code))
        if children is None:
            children = self._requests.labels(route, str(status), code), self._seconds.labels(route)
            self._children[route, status, code] = children
        children[0].inc()
        children[1].observe(seconds)

    def answered_for(self, org: str, ended: str, seconds: float, size: int, facts: dict[str, Any]) -> None:
        """Count for an organization that was seen to be one of the caller's: a made-up id gets no label.

        `ended`: what `outcome` said; `facts`: `tokens` and `tools` of the agent, whose names are those of the catalog.
        """
        if org not in self._organizations:
            if len(self._organizations) >= self._most:
                org = OTHERS
            else:
                self._organizations.add(org)
        if tokens := facts.get("tokens"):
            self._tokens.labels(org).inc(tokens)
        for tool, came in facts.get("tools", ()):
            self._tools.labels(org, tool, came).inc()
        counters = self._org_children.get((org, ended))
        if counters is None:
            counters = (self._of_organizations.labels(org, ended), self._organization_seconds.labels(org),
                        self._organization_bytes.labels(org))  # fmt: skip
            self._org_children[org, ended] = counters
        for counter, amount in zip(counters, (1, seconds, size), strict=True):
            counter.inc(amount)

    def keys_fetched(self, outcome: str) -> None:
        self._fetches.labels(outcome).inc()

    def named_a_strangers_organization(self) -> None:
        self._strangers.inc()

    def denial_unrecorded(self) -> None:
        self._unrecorded.inc()

    def stream_ended(self, code: str) -> None:
        self._ended.labels(code).inc()
