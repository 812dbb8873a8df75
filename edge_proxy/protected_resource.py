"""Where an MCP client learns who signs people in: OAuth protected resource metadata (RFC 9728), pointing to Supabase Auth."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from edge_proxy.agent_mount import MCP
from edge_proxy.asgi import Reply, Request, Send
from edge_proxy.config import Config
from edge_proxy.errors import Header, MethodNotAllowed, NotFound, OriginRefused

PREFIX = "/.well-known/oauth-protected-resource"


def is_mcp(path: str) -> bool:
    return path == MCP or path.startswith(f"{MCP}/")


def check_origin(request: Request, config: Config) -> None:
    """The MCP specification asks for it: a page of another site must not reach a server on this machine. Raises: OriginRefused."""
    if any(origin.decode("latin-1") not in config.cors_origins for origin in request.values(b"origin")):
        raise OriginRefused


def metadata(config: Config) -> Callable[[Request, Send], Awaitable[Reply]]:
    """Return the handler of the metadata of /mcp or of one bot below it; public, as it says nothing about who may."""

    async def answer(request: Request, _: Send) -> Reply:
        if request.method != "GET":
            raise MethodNotAllowed("GET")
        resource = request.path.removeprefix(PREFIX) or MCP
        if not is_mcp(resource):
            raise NotFound
        body = {
            "resource": config.public_url + resource,
            "resource_name": "Ringfence",
            "authorization_servers": [config.issuer],
            "bearer_methods_supported": ["header"],
        }
        return Reply(200, json.dumps(body).encode())

    return answer


def pointing(headers: list[Header], config: Config) -> list[Header]:
    """Return the headers of a 401 with the place of the metadata in the challenge, as the MCP specification asks."""
    place = f', resource_metadata="{config.public_url}{PREFIX}{MCP}"'.encode("ascii")
    return [(name, value + place if name == b"www-authenticate" else value) for name, value in headers]
