"""Traces: edge, agent and database calls in one, with the facts of the access log and nothing else; off unless configured (R59)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from agent.app import App
from agent.config import Config as AgentConfig
from agent.rpc import RpcPool
from edge_proxy.app import Edge, create_app
from edge_proxy.config import ConfigRefused
from edge_proxy.tracing import Tracing, configured
from tests.proxy.doubles import Answer, error
from tests.proxy.support import ORG, SESSION, USER, call

pytestmark = pytest.mark.anyio

CANARY = "canary-41c9"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def traced(config, clock, agent, spans) -> Any:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    edge = create_app(config, clock=clock, monotonic=clock, agent=agent, traces=Tracing(provider))
    await edge.start()
    yield edge
    await edge.stop()


def one(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    [found] = [span for span in spans.get_finished_spans() if span.name == name]
    return found


async def test_a_call_is_one_trace_of_the_request_and_the_function(traced, upstream, key, spans):
    got = await call(traced, "/rest/v1/rpc/search_documents", token=key.token(), body=json.dumps({"org_id": ORG}).encode())
    request, function = one(spans, "edge rpc"), one(spans, "rpc search_documents")
    assert function.parent is not None and request.context is not None and function.context is not None
    assert function.parent.span_id == request.context.span_id and request.parent is None
    sent = next(sent for sent in upstream.function_calls if sent.path.endswith("search_documents")).names["traceparent"]
    assert sent.startswith(f"00-{function.context.trace_id:032x}-{function.context.span_id:016x}-")
    attributes = dict(request.attributes or {})
    assert attributes["ringfence.request_id"] == got.header("x-request-id")
    assert (attributes["ringfence.route"], attributes["ringfence.status"], attributes["ringfence.org"]) == ("rpc", 200, ORG)


async def test_no_token_no_content_and_no_person_is_in_a_span_R59(traced, upstream, key, spans):
    token = key.token(email=f"{CANARY}@acme.test")
    upstream.answers["/rest/v1/rpc/create_ticket"] = error(409, "23505", CANARY, details=CANARY)
    await call(traced, "/rest/v1/rpc/create_ticket", token=token, body=json.dumps({"subject": CANARY}).encode())
    await call(traced, "/v1/chat/completions", token=token, body=json.dumps({"model": "acme/x", "q": CANARY}).encode())
    everything = "".join(span.to_json() for span in spans.get_finished_spans())
    for private in (CANARY, token, USER, SESSION, "192.0.2.1"):
        assert private not in everything
    failed = one(spans, "rpc create_ticket")
    assert (failed.status.status_code, failed.status.description) == (StatusCode.ERROR, "DatabaseRefused")
    assert failed.events == ()


async def test_a_trace_that_the_client_sends_is_not_continued(traced, upstream, key, spans):
    theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await call(traced, token=key.token(), headers=[("content-type", "application/json"), ("traceparent", theirs)])
    assert "0af7651916cd43dd8448eb211c80319c" not in "".join(span.to_json() for span in spans.get_finished_spans())
    assert "0af7651916cd43dd8448eb211c80319c" not in upstream.function_calls[0].names["traceparent"]


async def test_the_agents_steps_are_in_the_same_trace(config, clock, key, upstream, spans):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))

    class Asking:
        limits = type("L", (), {"answers_at_once": 1})()
        embedder = None

        async def close(self) -> None:
            pass

    app = App(Asking(), RpcPool(config.rest_url, config.publishable_key))  # type: ignore[arg-type]
    upstream.answers["/rest/v1/rpc/list_bots"] = Answer(body=b"[]")
    edge: Edge = create_app(config, clock=clock, monotonic=clock, agent=app, traces=Tracing(provider))
    await edge.start()
    try:
        assert (await call(edge, "/v1/models", method="GET", token=key.token(), headers=[], body=b"")).status == 200
    finally:
        await edge.stop()
    request, step = one(spans, "edge agent"), one(spans, "rpc list_bots")
    assert step.parent is not None and request.context is not None and step.context is not None
    assert step.parent.span_id == request.context.span_id
    assert upstream.calls[-1].names["traceparent"].split("-")[2] == f"{step.context.span_id:016x}"


async def test_without_an_endpoint_nothing_is_traced_and_no_header_leaves(edge, upstream, key, config):
    assert configured(config).tracer is None
    await call(edge, token=key.token())
    assert "traceparent" not in upstream.function_calls[0].names


async def test_spans_go_to_the_configured_endpoint_and_the_last_ones_at_the_end(config, clock, upstream, key):
    edge = create_app(replace(config, otlp_endpoint=f"{upstream.url}/v1/traces"), clock=clock, monotonic=clock, agent=None)
    await edge.start()
    await call(edge, token=key.token())
    await asyncio.to_thread(edge._traces.close)
    [sent] = [sent for sent in upstream.calls if sent.path == "/v1/traces"]
    assert sent.names["content-type"] == "application/x-protobuf" and b"edge rpc" in sent.body and USER.encode() not in sent.body
    await edge.stop()


async def test_without_the_packages_the_start_is_refused_in_words(config, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigRefused, match=r"ringfence\[otel\]"):
        configured(replace(config, otlp_endpoint="http://127.0.0.1:1"))


async def test_the_agents_settings_know_nothing_of_traces():
    assert not [name for name in AgentConfig.__slots__ if "trace" in name or "otlp" in name]
