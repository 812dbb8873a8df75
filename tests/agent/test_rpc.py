"""The door to data: what it sends, and how it fails."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientTimeout, web

from agent import errors, rpc, sealing
from agent.config import Config
from agent.errors import DatabaseError, Misconfigured, Unauthenticated, UpstreamFailed
from agent.rpc import RpcPool, Token
from tests.agent.conftest import TOKEN, serving
from tests.agent.fake_postgrest import FakePostgrest, Refusal, Row

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def call_of(handler: Handler) -> object:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with serving(app) as url, RpcPool(url, "key") as pool:
        return await pool.as_user(Token(TOKEN), "request-1").call("whoami", {"a": "ü"})


@pytest.mark.anyio
async def test_a_call_is_one_post_with_headers_made_from_nothing() -> None:
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        assert await request.read() == '{"a":"ü"}'.encode()
        return web.json_response({"ok": True})
    assert await call_of(handler) == {"ok": True}
    [request] = seen
    assert (request.method, request.raw_path) == ("POST", "/rpc/whoami")
    assert {name.lower(): value for name, value in request.headers.items()} == {
        "host": request.host, "apikey": "key", "authorization": f"Bearer {TOKEN}", "content-profile": "api",
        "content-type": "application/json", "accept": "application/json", "accept-encoding": "identity",
        "prefer": "handling=strict", "x-request-id": "request-1", "content-length": "10",
        "user-agent": request.headers["user-agent"]}


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "code", "error", "keeps_message"), [
    (400, "22023", errors.BadArguments, True), (400, "22004", errors.BadArguments, True),
    (400, "23514", errors.BadArguments, False), (404, "PGRST202", errors.BadArguments, False),
    (403, "42501", errors.Denied, True), (404, "PT404", errors.NotVisible, True), (409, "PT409", errors.Conflict, True),
    (409, "23505", errors.Conflict, False), (500, "40P01", errors.Conflict, False), (500, "40001", errors.Conflict, False), (401, "PT401", errors.StepUp, True), (429, "PT429", errors.QuotaExceeded, True),
    (423, "PT423", errors.Held, True),
    (500, "57014", errors.TimedOut, False), (401, "PGRST301", errors.Unauthenticated, False),
    (500, "XX000", errors.UpstreamFailed, False), (503, "PGRST001", errors.UpstreamFailed, False)])
async def test_each_sqlstate_has_its_error_and_only_our_sentences_are_passed_on(
        pool: RpcPool, database: FakePostgrest, status: int, code: str, error: type[errors.AgentError], keeps_message: bool) -> None:
    async def before(name: str, arguments: Row) -> None:
        raise Refusal(status, code, "sentence of the database")
    database.before = before
    with pytest.raises(error) as raised:
        await pool.as_user(Token(TOKEN)).call("whoami")
    assert type(raised.value) is error
    assert (raised.value.message == "sentence of the database") is keeps_message
    assert "canary" not in raised.value.message


@pytest.mark.anyio
async def test_behind_the_edge_the_same_errors_are_found() -> None:
    async def denied(request: web.Request) -> web.StreamResponse:
        return web.json_response({"code": "denied", "message": "no", "sqlstate": "42501", "request_id": "r"}, status=403)

    async def limited(request: web.Request) -> web.StreamResponse:
        return web.json_response({"code": "quota", "message": "slow down", "request_id": "r"}, status=429)
    with pytest.raises(errors.Denied, match="no"):
        await call_of(denied)
    with pytest.raises(errors.QuotaExceeded):
        await call_of(limited)


@pytest.mark.anyio
async def test_a_broken_answer_is_an_upstream_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "MAX_ANSWER_BYTES", 1000)

    async def not_json(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>")

    async def too_long(request: web.Request) -> web.StreamResponse:
        return web.json_response("x" * 2000)

    async def redirect(request: web.Request) -> web.StreamResponse:
        if request.path == "/rpc/elsewhere":
            return web.json_response("from somewhere else")
        return web.json_response({}, status=307, headers={"location": "/rpc/elsewhere"})

    async def gone(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
    for handler in (not_json, too_long, redirect, gone):
        with pytest.raises(UpstreamFailed):
            await call_of(handler)


@pytest.mark.anyio
async def test_a_hanging_database_is_given_up_R93(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rpc.TIMEOUT.total is not None and rpc.TIMEOUT.connect is not None
    monkeypatch.setattr(rpc, "TIMEOUT", ClientTimeout(total=0.2))

    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()
    with pytest.raises(errors.TimedOut):
        await call_of(hang)


@pytest.mark.anyio
async def test_no_answer_at_all_is_an_upstream_failure() -> None:
    async with RpcPool("http://127.0.0.1:1", "key") as pool:
        with pytest.raises(UpstreamFailed):
            await pool.as_user(Token(TOKEN)).call("whoami")


@pytest.mark.anyio
async def test_an_unknown_token_is_unauthenticated(pool: RpcPool) -> None:
    with pytest.raises(Unauthenticated):
        await pool.as_user(Token("someone")).call("whoami")


def test_every_error_has_a_public_message_a_status_and_a_code_of_its_own() -> None:
    def tree(kind: type[errors.AgentError]) -> list[type[errors.AgentError]]:
        return [kind, *(k for child in kind.__subclasses__() for k in tree(child))]
    kinds = tree(errors.AgentError)
    assert len(kinds) == 40 and sealing.NotOpened in kinds
    assert all(kind().message and 400 <= kind.status < 600 for kind in kinds)
    for kind in kinds:
        assert f" {kind.__name__} " in f"{errors.__doc__}".replace("\n", " ")
    leaves = [kind for kind in kinds if not kind.__subclasses__()]
    assert len({kind.code for kind in leaves}) == len(leaves)
    assert DatabaseError.registry["42501"] is errors.Denied


ENVIRONMENT = {"SUPABASE_URL": "https://x.test/", "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_x"}


def test_the_configuration_derives_what_is_not_set() -> None:
    config = Config.from_environment(ENVIRONMENT)
    assert (config.rest_url, config.model, config.embedding, config.embedding_threads) == (
        "https://x.test/rest/v1", None, None, 1)
    local = Config.from_environment({"RINGFENCE_REST_URL": "http://127.0.0.1:3000/", "SUPABASE_PUBLISHABLE_KEY": "k",
                                     "RINGFENCE_MODEL_BASE_URL": "http://m/v1", "RINGFENCE_MODEL_NAME": "m",
                                     "RINGFENCE_MODEL_API_KEY": "canary-key", "RINGFENCE_EMBEDDING_THREADS": "2"})
    assert (local.rest_url, local.embedding_threads) == ("http://127.0.0.1:3000", 2)
    assert local.model is not None and (local.model.model, local.model.api_key) == ("m", "canary-key")
    assert local.model.provider == "m" and "canary" not in repr(local) and local.pseudonym_key not in (config.pseudonym_key, b"")
    keyed = [Config.from_environment(ENVIRONMENT | {"RINGFENCE_PSEUDONYM_KEY": "k" * 32}) for _ in range(2)]
    assert keyed[0].pseudonym_key == keyed[1].pseudonym_key and "pseudonym" not in repr(local)


@pytest.mark.parametrize(("change", "names"), [
    ({"SUPABASE_URL": ""}, "SUPABASE_URL"), ({"SUPABASE_PUBLISHABLE_KEY": ""}, "SUPABASE_PUBLISHABLE_KEY"),
    ({"RINGFENCE_MODEL_BASE_URL": "http://m"}, "RINGFENCE_MODEL_NAME"),
    ({"RINGFENCE_MODEL_BASE_URL": "m:80", "RINGFENCE_MODEL_NAME": "m"}, "RINGFENCE_MODEL_BASE_URL"),
    ({"RINGFENCE_EMBEDDING_BASE_URL": "http://m"}, "RINGFENCE_EMBEDDING_MODEL"),
    ({"RINGFENCE_MODEL_BASE_URL": "http://m", "RINGFENCE_MODEL_NAME": "m", "RINGFENCE_MODEL_PROVIDER": "No Name"}, "RINGFENCE_MODEL_PROVIDER"),
    ({"RINGFENCE_PSEUDONYM_KEY": "short"}, "RINGFENCE_PSEUDONYM_KEY"),
    ({"RINGFENCE_EMBEDDING_THREADS": "0"}, "RINGFENCE_EMBEDDING_THREADS"),
    ({"RINGFENCE_EMBEDDING_THREADS": "x"}, "RINGFENCE_EMBEDDING_THREADS")])
def test_a_configuration_that_is_wrong_names_what_is(change: dict[str, str], names: str) -> None:
    with pytest.raises(Misconfigured, match=names):
        Config.from_environment(ENVIRONMENT | change)
