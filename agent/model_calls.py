"""Ask the database before each call of a model, and tell it afterwards what the call took (F70, F71, F75).

The organization's data policy and budgets decide; nothing is sent before they have. Whoever is refused is told which rule did it.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from agent.embedding import Embedder, Vector
from agent.errors import BudgetSpent, ProviderRefused
from agent.redaction.pseudonyms import Pseudonyms
from agent.rpc import Rpc

REFUSALS = {
    "region": "The organization allows no provider of models outside its regions.",
    "retention": "The organization allows only providers of models that are attested to keep nothing.",
    "classification": "The organization lets no document of this classification leave for a provider of models, and such a one is in what would be sent.",
    "training": "The organization allows only providers of models that are attested not to train on what they are sent.",
}


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A call that was allowed and is not settled."""

    id: str
    key: str
    redact: bool
    """Whether personal data must be replaced before anything is sent."""
    began: float


async def begin(rpc: Rpc, org_id: str, provider: str, model: str, tokens: int, *, run_id: str | None = None,
                purpose: str = "answer", document_id: str | None = None) -> ModelCall:
    """Reserve `tokens`, sent and received; `document_id` where a document's own text is sent. Raises: ProviderRefused, BudgetSpent, DatabaseError."""
    began = time.monotonic()
    decided = await rpc.call("begin_model_call", {
        "org_id": org_id, "provider": provider, "model": model, "max_tokens": tokens, "run_id": run_id, "purpose": purpose,
        "document_id": document_id})
    rule = decided["refused_by"]
    if rule == "budget":
        raise BudgetSpent
    if rule is not None:
        raise ProviderRefused(REFUSALS.get(rule))
    return ModelCall(decided["call_id"], decided["key"], decided["redact"], began)


async def end(rpc: Rpc, call: ModelCall, input_tokens: int, output_tokens: int, outcome: str = "ok") -> None:
    """Settle the call, and record it in its run. Raises: DatabaseError."""
    await rpc.call("end_model_call", {
        "call_id": call.id, "key": call.key, "input_tokens": input_tokens, "output_tokens": output_tokens,
        "duration_ms": round((time.monotonic() - call.began) * 1000), "outcome": outcome})


class EmbedderFor:
    """Embeds for one organization, as one person: by its policy where the texts leave this machine."""

    def __init__(self, embedder: Embedder, rpc: Rpc, org_id: str, *, run_id: str | None = None, document_id: str | None = None) -> None:
        self._embedder, self._rpc, self._org_id = embedder, rpc, org_id
        self._run_id, self._document_id = run_id, document_id

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order. Raises: ProviderRefused, BudgetSpent, ModelError, DatabaseError."""
        remote = self._embedder.remote
        if remote is None or not texts:
            return await self._embedder.embed(texts)
        # A token has a byte at least.
        most = sum(len(text.encode(errors="replace")) for text in texts) + 1
        call = await begin(self._rpc, self._org_id, remote.provider, remote.model, most, run_id=self._run_id, purpose="embedding",
                           document_id=self._document_id)
        used: int | None = 0
        try:
            if call.redact:
                texts = await asyncio.to_thread(_hidden, Pseudonyms(remote.pseudonym_key, self._org_id), texts)
            vectors, used = await remote.embed_counted(texts)
            return vectors
        finally:
            # What an endpoint does not count is taken for what it may have been.
            await end(self._rpc, call, most if used is None else used, 0)


def _hidden(pseudonyms: Pseudonyms, texts: Sequence[str]) -> list[str]:
    return [pseudonyms.hide(text) for text in texts]
