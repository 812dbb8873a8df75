"""/auth/v1/*: the listed endpoints pass, with the user's token only where one belongs."""

from __future__ import annotations

import json

import pytest

from tests.proxy.doubles import Answer
from tests.proxy.support import PUBLISHABLE_KEY, USER, assert_error, call

pytestmark = pytest.mark.anyio

FACTOR = f"factors/{USER}"
PUBLIC = [
    ("GET", "health", ""),
    ("GET", "settings", ""),
    ("POST", "signup", "redirect_to=https%3A%2F%2Fapp.example"),
    ("POST", "token", "grant_type=password"),
    ("POST", "token", "grant_type=refresh_token"),
    ("POST", "token", "grant_type=pkce"),
    ("POST", "recover", ""),
    ("POST", "resend", ""),
    ("POST", "otp", "redirect_to=x"),
    ("POST", "magiclink", ""),
    ("POST", "verify", ""),
]
AS_USER = [
    ("GET", "user", ""),
    ("PUT", "user", ""),
    ("GET", "reauthenticate", ""),
    ("POST", "logout", "scope=global"),
    ("POST", "factors", ""),
    ("DELETE", FACTOR, ""),
    ("POST", f"{FACTOR}/challenge", ""),
    ("POST", f"{FACTOR}/verify", ""),
]
NEVER = [
    "", "/user", "user/x", "user;x", "token/", "factors/not-a-uuid", f"{FACTOR}/admin", f"{FACTOR}/challenge/",
    "admin/users", "admin/generate_link", "invite", "generate_link", "sso", "sso/saml/acs", "authorize", "callback",
    "oauth/token", "../rest/v1/rpc/whoami", "%2e%2e/admin", "user%2f..%2fadmin/users",
    ".well-known/openid-configuration", ".well-knownXjwks.json",
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "query"), PUBLIC)
@pytest.mark.parametrize("sent_token", [None, PUBLISHABLE_KEY, "garbage"])
async def test_signed_out_endpoints_pass_and_no_token_travels_R73_R83(edge, upstream, method, path, query, sent_token):
    body = b'{"email":"a@b.test"}' if method == "POST" else b""
    got = await call(edge, f"/auth/v1/{path}", method=method, query=query, body=body, token=sent_token)
    assert got.status == 200
    (sent,) = upstream.calls
    assert (sent.method, sent.path, sent.query, sent.body) == (method, f"/auth/v1/{path}", query, body)
    assert "authorization" not in sent.names and sent.names["apikey"] == PUBLISHABLE_KEY


@pytest.mark.parametrize(("method", "path", "query"), AS_USER)
async def test_a_users_own_endpoints_need_the_users_token_R73(edge, upstream, key, method, path, query):
    target = f"/auth/v1/{path}"
    given = {"method": method, "query": query, "body": b""}
    assert_error(await call(edge, target, **given), 401, "missing_token")
    for bad in (PUBLISHABLE_KEY, key.token(role="service_role")):
        assert_error(await call(edge, target, token=bad, **given), 401, "invalid_token")
    assert upstream.calls == []
    token = key.token()
    assert (await call(edge, target, token=token, **given)).status == 200
    (sent,) = upstream.calls
    assert (sent.method, sent.path, sent.query) == (method, target, query)
    assert sent.names["authorization"] == f"Bearer {token}" and sent.names["apikey"] == PUBLISHABLE_KEY


@pytest.mark.parametrize("path", NEVER)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_other_endpoint_is_reached_even_by_a_signed_in_user_R84(edge, upstream, key, path, method):
    got = await call(edge, f"/auth/v1/{path}", method=method, token=key.token())
    assert_error(got, 404, "not_found")
    assert upstream.calls == []


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "user"), ("GET", "token"), ("PATCH", "user"), ("PUT", FACTOR), ("HEAD", "user")]
)
async def test_a_listed_path_takes_only_its_methods_R84(edge, upstream, key, method, path):
    assert_error(await call(edge, f"/auth/v1/{path}", method=method, token=key.token()), 405, "method_not_allowed")
    assert upstream.calls == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("token", ""),
        ("token", "grant_type=id_token"),
        ("token", "grant_type=client_credentials"),
        ("token", "grant_type=password&grant_type=pkce"),
        ("token", "grant_type=password&access_token=x"),
        ("token", "grant_type"),
        ("signup", "apikey=x"),
        ("signup", "redirect_to=a&redirect_to=b"),
        ("signup", "redirect_to=%ff"),
        ("recover", "x=1"),
        ("verify", "token=x"),
    ],
)
async def test_an_unknown_or_doubled_query_parameter_is_refused_R75_R85(edge, upstream, path, query):
    assert_error(await call(edge, f"/auth/v1/{path}", query=query), 400, "query_not_allowed")
    assert upstream.calls == []


async def test_an_error_keeps_supabase_auths_own_body_and_status(edge, upstream):
    body = b'{"code":400,"error_code":"invalid_credentials","msg":"Invalid login credentials"}'
    headers = {"content-type": "application/json", "x-supabase-api-version": "2024-01-01", "retry-after": "7"}
    upstream.answers["/auth/v1/token"] = Answer(
        400, body, {**headers, "set-cookie": "a=b", "server": "x", "x-sb-error-code": "y"}
    )
    got = await call(edge, "/auth/v1/token", query="grant_type=password", body=b'{"email":"a","password":"b"}')
    assert (got.status, got.body) == (400, body)
    assert (got.header("x-supabase-api-version"), got.header("retry-after")) == ("2024-01-01", "7")
    assert got.header("set-cookie") is None and got.header("server") is None and got.header("x-sb-error-code") is None
    assert got.header("cache-control") == "no-store"


async def test_only_a_dated_api_version_is_passed_on_R83(edge, upstream):
    json_type = ("content-type", "application/json")
    for value in ("2024-01-01", "latest", "2024-01-01\t"):
        await call(
            edge, "/auth/v1/signup", headers=[json_type, ("x-supabase-api-version", value), ("x-client-info", "js")]
        )
    assert [sent.names.get("x-supabase-api-version") for sent in upstream.calls] == ["2024-01-01", None, None]
    assert all("x-client-info" not in sent.names for sent in upstream.calls)


async def test_the_body_of_a_sign_in_is_read_strictly_R86(edge, upstream):
    for body, status in ((b'{"email":"a","email":"b"}', 400), (b"[]", 400), (b" " * 300_000, 413)):
        got = await call(edge, "/auth/v1/token", query="grant_type=password", body=body)
        assert got.status == status
    assert_error(await call(edge, "/auth/v1/signup", headers=[], body=b"a=b"), 415, "unsupported_media_type")
    assert upstream.calls == []


async def test_signing_out_needs_no_body_and_its_204_passes(edge, upstream, key):
    upstream.answers["/auth/v1/logout"] = Answer(204, b"", {})
    got = await call(edge, "/auth/v1/logout", headers=[], body=b"", token=key.token())
    assert (got.status, got.body) == (204, b"")


async def test_the_link_in_an_e_mail_redirects_the_browser_and_nothing_else_does_R88_R89(edge, upstream):
    target = "https://app.example/#access_token=x"
    upstream.answers["/auth/v1/verify"] = Answer(303, b"", {"location": target})
    got = await call(
        edge, "/auth/v1/verify", method="GET", query="token=t&type=signup&redirect_to=x", headers=[], body=b""
    )
    assert (got.status, got.header("location")) == (303, target)
    assert len(upstream.calls) == 1, "the edge itself does not follow"
    assert_error(await call(edge, "/auth/v1/verify", body=b"{}"), 502, "upstream_error")
    for status in (301, 307, 308):
        upstream.answers["/auth/v1/verify"] = Answer(status, b"", {"location": target})
        got = await call(edge, "/auth/v1/verify", method="GET", query="token=t", headers=[], body=b"")
        assert_error(got, 502, "upstream_error")


@pytest.mark.parametrize("kind", ["text/html", ""])
async def test_an_answer_that_is_not_json_is_not_relayed_R88(edge, upstream, kind):
    upstream.answers["/auth/v1/health"] = Answer(200, b"<html>", {"content-type": kind})
    assert_error(await call(edge, "/auth/v1/health", method="GET", body=b""), 502, "upstream_error")


async def test_the_public_keys_are_served_under_the_projects_path(edge, key):
    got = await call(edge, "/auth/v1/.well-known/jwks.json", method="GET", headers=[], body=b"")
    assert got.status == 200 and json.loads(got.body)["keys"][0]["kid"] == key.kid
