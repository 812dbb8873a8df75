"""Spans of the agent's steps, under the request's own: made with the tracer that whoever mounts the app hands over, if one does.

A span has a name and whether it failed: no argument, no text, no token.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

TRACER = "ringfence.tracer"
"""Where the tracer stands in the state of the ASGI lifespan: one of OpenTelemetry's."""


class Spans:
    """Makes spans, or does nothing without a tracer."""

    def __init__(self, tracer: Any = None) -> None:
        self._tracer = tracer

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block. A failure is marked by the name of its class: the text of an exception may hold data."""
        if self._tracer is None:
            yield
            return
        from opentelemetry.trace import SpanKind, Status, StatusCode

        with self._tracer.start_as_current_span(
                name, kind=SpanKind.CLIENT, record_exception=False, set_status_on_exception=False) as span:
            try:
                yield
            except BaseException as err:
                span.set_status(Status(StatusCode.ERROR, type(err).__name__))
                raise

    def headers(self) -> dict[str, str]:
        """Return the header that continues the trace where a request goes to; none without a tracer."""
        if self._tracer is None:
            return {}
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        return {"traceparent": carrier["traceparent"]} if "traceparent" in carrier else {}
