"""Settings: a key that could step around a policy stops the start, and so does anything unclear."""

from __future__ import annotations

import json

import pytest

from edge_proxy.config import ConfigRefused, from_environment
from edge_proxy.limits import Limits, Rate
from tests.proxy.support import b64

GOOD = {"SUPABASE_URL": "https://project.example", "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_abc"}


def jwt(**claims: object) -> str:
    """Return something shaped like one of Supabase's legacy keys."""
    return f"{b64(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{b64(json.dumps(claims).encode())}.c2lnbmF0dXJl"


def test_everything_derives_from_the_project_url():
    config = from_environment(GOOD)
    assert (config.rest_url, config.auth_url) == ("https://project.example/rest/v1", "https://project.example/auth/v1")
    assert config.jwks_url == "https://project.example/auth/v1/.well-known/jwks.json"
    assert (config.issuer, config.audience, config.algorithms) == (
        "https://project.example/auth/v1",
        "authenticated",
        ("ES256",),
    )
    assert config.limits == Limits()
    assert (config.host, config.port, config.metrics_port) == ("127.0.0.1", 8787, 9787)
    assert (config.agent_app, config.cors_origins) == ("agent.app:create_app", frozenset())


def test_each_setting_can_be_given():
    config = from_environment({
        **GOOD,
        "RINGFENCE_REST_URL": "http://127.0.0.1:3000/",
        "RINGFENCE_AUTH_URL": "http://localhost:9999",
        "RINGFENCE_JWKS_URL": "http://[::1]:9999/.well-known/jwks.json",
        "RINGFENCE_ISSUER": "http://127.0.0.1:8787/auth/v1",
        "RINGFENCE_ALGORITHMS": "ES256, RS256",
        "RINGFENCE_PORT": "0",
        "RINGFENCE_AGENT_APP": "",
        "RINGFENCE_CORS_ORIGINS": "https://app.example,http://localhost:3000",
        "RINGFENCE_RATE_USER": "2.5/10",
        "RINGFENCE_RATE_PASSWORD": "0.5/3",
        "RINGFENCE_RATE_USER_IN_FLIGHT": "7",
        "RINGFENCE_RATE_USER_UPLOADS": "3",
        "RINGFENCE_RATE_ADDRESS_IN_FLIGHT": "8",
        "RINGFENCE_RATE_USER_DATABASE_CALLS": "9",
        "RINGFENCE_RATE_CHAT": "1/2",
        "RINGFENCE_RATE_TOKEN": "7/8",
        "RINGFENCE_RATE_ORG": "3/4",
        "RINGFENCE_RATE_ORG_CHAT": "5/6",
        "RINGFENCE_RATE_ORG_IN_FLIGHT": "11",
        "RINGFENCE_RATE_USER_BYTES": "1000/2000",
        "RINGFENCE_RATE_ORG_BYTES": "3000/4000",
        "RINGFENCE_DRAIN_SECONDS": "5",
        "RINGFENCE_REDIS_URL": "rediss://:secret@redis.example:6380/1",
        "RINGFENCE_OTLP_ENDPOINT": "http://127.0.0.1:4318/v1/traces",
        "RINGFENCE_TRACE_RATIO": "0.1",
    })  # fmt: skip
    assert (config.rest_url, config.auth_url) == ("http://127.0.0.1:3000", "http://localhost:9999")
    assert (config.algorithms, config.port, config.agent_app) == (("ES256", "RS256"), 0, "")
    assert config.cors_origins == {"https://app.example", "http://localhost:3000"}
    assert (config.limits.user_rate, config.limits.password_rate) == (Rate(2.5, 10), Rate(0.5, 3))
    limits = config.limits
    assert (limits.user_in_flight, limits.address_in_flight, limits.user_database_calls, limits.user_uploads) == (7, 8, 9, 3)
    assert (limits.user_chat_rate, limits.organization_rate, limits.organization_chat_rate, limits.token_rate) == (Rate(1, 2), Rate(3, 4), Rate(5, 6), Rate(7, 8))
    assert (limits.user_bytes, limits.organization_bytes) == (Rate(1000, 2000), Rate(3000, 4000))
    assert (limits.organization_in_flight, limits.drain_seconds) == (11, 5)
    assert (config.redis_url, config.otlp_endpoint, config.trace_ratio) == (
        "rediss://:secret@redis.example:6380/1", "http://127.0.0.1:4318/v1/traces", 0.1)
    assert "secret" not in repr(config)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "edge.example"])
def test_tokens_never_travel_in_the_clear_beyond_this_machine_R79(host, tmp_path):
    with pytest.raises(ConfigRefused, match="RINGFENCE_HOST"):
        from_environment({**GOOD, "RINGFENCE_HOST": host})
    assert from_environment({**GOOD, "RINGFENCE_HOST": host, "RINGFENCE_TRUSTED_PROXIES": "10.0.0.1"}).host == host
    files = {"RINGFENCE_TLS_CERT_FILE": tmp_path / "c.pem", "RINGFENCE_TLS_KEY_FILE": tmp_path / "k.pem"}
    with pytest.raises(ConfigRefused, match="RINGFENCE_TLS_CERT_FILE"):
        from_environment({**GOOD, "RINGFENCE_HOST": host, **{name: str(path) for name, path in files.items()}})
    for path in files.values():
        path.write_text("")
    assert from_environment({**GOOD, "RINGFENCE_HOST": host, **{name: str(path) for name, path in files.items()}}).tls_cert_file
    with pytest.raises(ConfigRefused, match="belong together"):
        from_environment({**GOOD, "RINGFENCE_TLS_CERT_FILE": str(files["RINGFENCE_TLS_CERT_FILE"])})


SECRETS = {
    "secret publishable": {"SUPABASE_PUBLISHABLE_KEY": "sb_secret_abc"},
    "secret elsewhere": {"ANYTHING": "prefix sb_secret_abc"},
    "legacy service key": {"SUPABASE_PUBLISHABLE_KEY": jwt(role="service_role")},
    "legacy service key elsewhere": {"PGRST_THING": jwt(role="service_role", iss="supabase")},
    "service key inside a list": {"KEYS": f"a,{jwt(role='anon')},{jwt(role='service_role')}"},
    "name of the service role": {"SUPABASE_SERVICE_ROLE_KEY": "x"},
    "name in lower case": {"my_service_role": "x"},
    "name of a secret key": {"SUPABASE_SECRET_KEY": "x"},
    "name without a value": {"SUPABASE_SECRET_KEYS": ""},
}


@pytest.mark.parametrize("kind", sorted(SECRETS))
def test_a_secret_key_in_the_environment_stops_the_start_and_is_not_repeated_R82(kind):
    with pytest.raises(ConfigRefused) as refused:
        from_environment({**GOOD, **SECRETS[kind]})
    ((name, value),) = SECRETS[kind].items()
    assert name in str(refused.value)
    assert len(value) < 2 or value not in str(refused.value)


def test_a_legacy_anon_key_is_a_publishable_key_R82():
    assert from_environment({**GOOD, "SUPABASE_PUBLISHABLE_KEY": jwt(role="anon")}).publishable_key == jwt(role="anon")


UNCLEAR = {
    "SUPABASE_URL": ["", "project.example", "http://project.example", "ftp://project.example", "https://u:p@project.example",
                     "https://project.example?x=1", "https://project.example#x", "http://127.0.0.1.evil.example",
                     "https://x:notaport"],
    "RINGFENCE_JWKS_URL": ["http://project.example/jwks", "file:///etc/passwd", "http://10.0.0.1/jwks"],
    "RINGFENCE_REST_URL": ["postgres://127.0.0.1/x", "http://192.168.1.1"],
    "SUPABASE_PUBLISHABLE_KEY": ["", "abc", "sb_publishable_", "sb_publishable_a b", jwt(role="authenticated"),
                                 jwt(), "eyJ.x.y"],
    "RINGFENCE_ALGORITHMS": ["HS256", "none", "ES256,HS256", ","],
    "RINGFENCE_PORT": ["x", "-1", "70000"],
    "RINGFENCE_CORS_ORIGINS": ["*", "https://*.example", "https://app.example/", "null", "app.example",
                              "https://a.example\nx"],
    "RINGFENCE_TRUSTED_PROXIES": ["*", "proxy.example", "10.0.0.0/99"],
    "RINGFENCE_RATE_PASSWORD": ["10", "0/1"],
    "RINGFENCE_REDIS_URL": ["redis://redis.example:6379", "http://127.0.0.1", "redis://", "rediss://", "redis://10.0.0.1",
                            "rediss://redis.example:port"],
    "RINGFENCE_OTLP_ENDPOINT": ["http://traces.example/v1", "grpc://127.0.0.1"],
    "RINGFENCE_TRACE_RATIO": ["2", "-1", "x", "1.5"],
    "RINGFENCE_DRAIN_SECONDS": ["0", "x"],
    "RINGFENCE_RATE_USER_IN_FLIGHT": ["0", "-1", "x", "1.5", "٣"],
    "RINGFENCE_RATE_ADDRESS_IN_FLIGHT": ["0", "1/2"],
    "RINGFENCE_RATE_USER_DATABASE_CALLS": ["0", "many"],
    "RINGFENCE_RATE_USER_UPLOADS": ["0", "many"],
    "RINGFENCE_RATE_USER": ["0/1", "1/0", "1", "x/y", "-1/5"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in UNCLEAR.items() for value in values])
def test_an_unsafe_or_unclear_setting_stops_the_start_R79_R82_R94(name, value):
    with pytest.raises(ConfigRefused, match=name):
        from_environment({**GOOD, name: value})
