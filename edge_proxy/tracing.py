"""Spans of OpenTelemetry: off, and free, until RINGFENCE_OTLP_ENDPOINT says where they go.

A trace is: the request at the edge, the agent's steps, each call of the database. Attributes are the facts of the access
log: no token, no content, no argument. What a client sends as its own trace is not continued: it would choose our ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from edge_proxy.config import Config, ConfigRefused


_NO_SPAN: AbstractContextManager[None] = nullcontext()


class Tracing:
    """Makes spans with a tracer, or does nothing without one."""

    def __init__(self, provider: Any = None) -> None:
        """`provider`: an OpenTelemetry TracerProvider, which `close` shuts down."""
        self._provider = provider
        self.tracer = provider.get_tracer("ringfence") if provider is not None else None

    def span(self, name: str, *, server: bool = False) -> AbstractContextManager[Any]:
        """Enter as the span, or as None. A failure marks it by the name of its class: the text of an exception may hold data."""
        return _NO_SPAN if self.tracer is None else self._span(self.tracer, name, server)

    @contextmanager
    def _span(self, tracer: Any, name: str, server: bool) -> Iterator[Any]:
        from opentelemetry.trace import SpanKind, Status, StatusCode

        kind = SpanKind.SERVER if server else SpanKind.CLIENT
        with tracer.start_as_current_span(name, kind=kind, record_exception=False, set_status_on_exception=False) as span:
            try:
                yield span
            except BaseException as err:
                span.set_status(Status(StatusCode.ERROR, type(err).__name__))
                raise

    def headers(self) -> dict[str, str]:
        """Return the header that continues the current trace upstream, none without tracing."""
        if self.tracer is None:
            return {}
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        return {"traceparent": carrier["traceparent"]} if "traceparent" in carrier else {}

    def close(self) -> None:
        """Send what is still here."""
        if self._provider is not None:
            self._provider.shutdown()


def configured(config: Config) -> Tracing:
    """Return tracing as the settings say. Raises: ConfigRefused without the packages."""
    if not config.otlp_endpoint:
        return Tracing()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as err:
        raise ConfigRefused("RINGFENCE_OTLP_ENDPOINT needs OpenTelemetry: pip install 'ringfence[otel]'") from err
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(config.trace_ratio)), resource=Resource({"service.name": "ringfence"})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=config.otlp_endpoint)))
    return Tracing(provider)
