"""The embedder the operator chose, for commands that embed outside the agent's own process."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.config import Config
from agent.embedding import Embedder, create_embedder


@asynccontextmanager
async def configured_embedder() -> AsyncIterator[Embedder]:
    """Yield what RINGFENCE_EMBEDDING_* says, else the model on this machine, on up to four cores; closed afterwards."""
    chosen = {name: value for name, value in os.environ.items() if name.startswith("RINGFENCE_EMBEDDING_")}
    # A batch of documents may use the machine; the agent, which answers people meanwhile, keeps to one thread.
    chosen.setdefault("RINGFENCE_EMBEDDING_THREADS", str(min(4, os.cpu_count() or 1)))
    no_database = {"RINGFENCE_REST_URL": "http://127.0.0.1", "SUPABASE_PUBLISHABLE_KEY": "none"}
    embedder = create_embedder(Config.from_environment(no_database | chosen))
    try:
        yield embedder
    finally:
        await embedder.close()
