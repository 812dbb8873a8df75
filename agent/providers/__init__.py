"""Who writes the answer: a language model, or the offline responder when none is configured."""

from agent.config import Config
from agent.embedding import Embedder, LocalEmbedder
from agent.providers.base import Provider


def create_provider(config: Config, embedder: Embedder) -> Provider:
    """Return the provider the configuration asks for; nothing is connected or loaded yet."""
    if config.model is not None and config.model_style == "schema":
        from agent.providers.schema_constrained import SchemaConstrained

        return SchemaConstrained(config.model)
    if config.model is not None:
        from agent.providers.openai_compatible import OpenAICompatible

        return OpenAICompatible(config.model)
    from agent.providers.offline import OfflineResponder

    # It asks no data policy, so what it compares stays on this machine.
    return OfflineResponder(embedder if embedder.remote is None else LocalEmbedder(config.embedding_threads))
