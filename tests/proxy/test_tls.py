"""TLS: the edge with a certificate of its own, and behind a proxy that is named (R79, R83)."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import signal
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge_proxy.serve import connection_settings
from tests.proxy.support import Got, assert_error
from tests.proxy.test_sockets import answer, chunked, process, request

pytestmark = pytest.mark.anyio

HSTS = "max-age=63072000; includeSubDomains"


@dataclass(frozen=True)
class Certificate:
    cert: Path
    key: Path

    @classmethod
    def make(cls, folder: Path, name: str = "edge.test") -> Certificate:
        """Write a certificate for the loopback address that signs itself."""
        private, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(private.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
            .sign(private, hashes.SHA256())
        )  # fmt: skip
        here = cls(folder / f"{name}.crt", folder / f"{name}.key")
        here.cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        here.key.write_bytes(private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return here


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate.make(tmp_path)


@pytest.fixture
async def port(make_edge, serve, certificate) -> int:
    edge = await make_edge(tls_cert_file=str(certificate.cert), tls_key_file=str(certificate.key))
    url = await serve(edge, **connection_settings(edge.config))
    return int(url.rsplit(":", 1)[1])


def trusting(certificate: Certificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate.cert))


async def over_tls(port: int, context: ssl.SSLContext, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write(data)
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


async def test_a_request_over_tls_is_served_and_says_to_come_back_over_tls_R79(port, certificate, upstream, key):
    got = answer(await over_tls(port, trusting(certificate), request(key.token(), "content-length: 2")))
    assert (got.status, got.header("strict-transport-security")) == (200, HSTS)
    assert len(upstream.function_calls) == 1


async def test_an_answer_before_the_end_of_the_body_ends_a_tls_connection_too_R87(port, certificate):
    got = answer(await over_tls(port, trusting(certificate), chunked()))
    assert_error(Got(got.status, [(n, v) for n, v in got.headers if n != "connection"], got.body), 401, "missing_token")


async def test_old_versions_of_tls_and_no_tls_get_nothing_R79(port, certificate, key, upstream):
    old = trusting(certificate)
    with pytest.warns(DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await over_tls(port, old, request(key.token(), "content-length: 2"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(key.token(), "content-length: 2"))
    plain = b""
    try:
        plain = await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        pass
    finally:
        writer.close()
    assert not plain.startswith(b"HTTP/") and upstream.calls == []


def served(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=5)


def test_a_new_certificate_is_read_without_a_restart_and_a_broken_one_is_not_taken_R79(certificate: Certificate, tmp_path: Path) -> None:
    def lines_until(event: str) -> dict[str, Any]:
        while (line := json.loads(running.stderr.readline()))["event"] != event:
            pass
        return dict(line)

    def soon(expected: str) -> bool:
        # The signal is handled by the event loop, a moment later.
        deadline = time.monotonic() + 60
        while served(port) != expected and time.monotonic() < deadline:
            time.sleep(0.02)
        return served(port) == expected

    other = Certificate.make(tmp_path, "newer.test")
    settings = {"RINGFENCE_TLS_CERT_FILE": str(certificate.cert), "RINGFENCE_TLS_KEY_FILE": str(certificate.key)}
    with process(RINGFENCE_PORT="0", RINGFENCE_METRICS_PORT="0", **settings) as running:
        port = lines_until("listening")["port"]
        assert served(port) == certificate.cert.read_text()
        certificate.cert.write_bytes(other.cert.read_bytes())
        certificate.key.write_bytes(other.key.read_bytes())
        assert served(port) != other.cert.read_text(), "not before it is told"
        running.send_signal(signal.SIGHUP)
        assert soon(other.cert.read_text())
        certificate.cert.write_text("no certificate")
        running.send_signal(signal.SIGHUP)
        assert lines_until("certificate_kept")["raised"] == "SSLError"
        assert served(port) == other.cert.read_text()


@pytest.mark.parametrize(("trusted", "proto", "expected"), [
    (("127.0.0.1",), "https", HSTS),
    (("127.0.0.1",), "http", None),
    ((), "https", None),
    (("10.0.0.0/8",), "https", None),
])  # fmt: skip
async def test_only_a_named_proxy_may_say_that_the_client_came_over_tls_R83(make_edge, serve, key, trusted, proto, expected):
    edge = await make_edge(trusted_proxies=trusted)
    url = await serve(edge, **connection_settings(edge.config))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(request(key.token(), "content-length: 2", f"x-forwarded-proto: {proto}"))
    got = answer(await asyncio.wait_for(reader.read(), 5))
    writer.close()
    assert (got.status, got.header("strict-transport-security")) == (200, expected)


async def test_every_answer_forbids_a_browser_to_make_a_page_of_it_R88(edge, key):
    from tests.proxy.support import call

    for got in (await call(edge, token=key.token()), await call(edge), await call(edge, "/nothing", method="GET", headers=[], body=b"")):
        assert got.header("content-security-policy") == "default-src 'none'; frame-ancestors 'none'; sandbox"
        assert (got.header("referrer-policy"), got.header("cross-origin-resource-policy")) == ("no-referrer", "same-site")
        assert got.header("strict-transport-security") is None, "browsers ignore it in the clear"


async def test_an_answers_own_page_policy_stands_instead_of_the_edges_R88(edge, agent, key):
    from tests.proxy.support import call

    async def page(receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-security-policy", b"sandbox; default-src 'none'")]})
        await send({"type": "http.response.body", "body": b""})

    agent.reply = page
    got = await call(edge, "/v1/models", method="GET", token=key.token(), headers=[], body=b"")
    assert got.header("content-security-policy") == "sandbox; default-src 'none'"
