"""Secrets of connectors and providers as the person they are read for: sealed and opened here, kept by the database (F73, F37)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from agent.sealing import Keyring, Sealed

if TYPE_CHECKING:
    from agent.rpc import Rpc


async def put_secret(rpc: Rpc, ring: Keyring, org_id: str, purpose: str, name: str, secret: bytes, *, own: bool = False) -> str:
    """Seal and keep a secret, the person's own or the organization's, and return its id. Raises: AgentError, ValueError."""
    row = uuid4()
    sealed = ring.seal(UUID(org_id), row, secret)
    await rpc.call("put_secret", {
        "org_id": org_id, "secret_id": str(row), "purpose": purpose, "name": name, "own": own, "key_id": sealed.key_id,
        "ciphertext": base64.b64encode(sealed.ciphertext).decode(), "wrapped_key": base64.b64encode(sealed.wrapped_key).decode()})
    return str(row)


async def read_secret(rpc: Rpc, ring: Keyring, org_id: str, purpose: str, name: str) -> bytes:
    """Return the person's own secret of that name, or else the organization's. Raises: NotVisible, NotOpened, AgentError."""
    kept = await rpc.call("read_sealed_secret", {"org_id": org_id, "purpose": purpose, "name": name})
    sealed = Sealed(base64.b64decode(kept["ciphertext"]), base64.b64decode(kept["wrapped_key"]), kept["key_id"])
    return ring.open(UUID(org_id), UUID(kept["secret_id"]), sealed)
