"""The edge as an app sees it: sign up, sign in, RPCs, chat; every call as one person."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from agent.cli.errors import CliError
from agent.rpc import Rpc, RpcPool, Token


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of the edge."""

    status: int
    body: Any


class EdgeClient:
    """One edge, no identity of its own. Use as an async context manager."""

    def __init__(self, url: str, publishable_key: str) -> None:
        self.url, self._key = url.rstrip("/"), publishable_key
        self._pool = RpcPool(f"{self.url}/rest/v1", publishable_key)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._pool.close()
        await self._session.close()

    async def sign_up(self, email: str, password: str) -> Answer:
        return await self.post("/auth/v1/signup", {"email": email, "password": password})

    async def sign_in(self, email: str, password: str) -> str:
        """Return an access token. Raises: CliError with what the auth server says."""
        answer = await self.post("/auth/v1/token?grant_type=password", {"email": email, "password": password})
        if answer.status != 200:
            raise CliError(f"{email} cannot sign in: {answer.body.get('msg') or answer.body}")
        return str(answer.body["access_token"])

    async def totp_factors(self, token: str) -> list[str]:
        """Return the ids of the person's verified authenticator apps."""
        user = await self.get("/auth/v1/user", token)
        return [str(one["id"]) for one in user.body.get("factors", ()) if (one["status"], one["factor_type"]) == ("verified", "totp")]

    async def confirm(self, token: str, code: str, factor: str | None = None) -> str:
        """Return an access token of the same session after a second factor: the one named, or whichever verified one the code is of.

        Raises: CliError with what the auth server says.
        """
        factors = [factor] if factor else await self.totp_factors(token)
        if not factors:
            raise CliError("this account has no authenticator app: sign in without --code")
        for one in factors:
            path = f"/auth/v1/factors/{one}"
            answer = await self.post(f"{path}/challenge", {}, token)
            if answer.status == 200:
                answer = await self.post(f"{path}/verify", {"challenge_id": answer.body["id"], "code": code}, token)
            if answer.status == 200:
                return str(answer.body["access_token"])
        raise CliError(f"the code is not accepted: {answer.body.get('msg') or answer.body}")

    def as_person(self, token: str) -> Rpc:
        """Return the door to the RPCs for one person."""
        return self._pool.as_user(Token(token))

    async def chat(self, token: str | None, bot: str, question: str) -> Answer:
        """Ask a bot and return the whole answer."""
        body = {"model": bot, "messages": [{"role": "user", "content": question}]}
        return await self.post("/v1/chat/completions", body, token)

    async def post(self, path: str, body: dict[str, Any], token: str | None = None) -> Answer:
        return await self._request("POST", path, token, body)

    async def get(self, path: str, token: str | None = None) -> Answer:
        return await self._request("GET", path, token)

    async def _request(self, method: str, path: str, token: str | None, body: dict[str, Any] | None = None) -> Answer:
        """Return the answer, whatever its status. Raises: CliError when there is none."""
        try:
            async with self._session.request(method, self.url + path, json=body, headers=self._headers(token)) as response:
                return Answer(response.status, await response.json(content_type=None))
        except (aiohttp.ClientError, TimeoutError) as err:
            raise CliError(f"{self.url} cannot be reached") from err

    def _headers(self, token: str | None) -> dict[str, str]:
        return {"apikey": self._key} | ({"authorization": f"Bearer {token}"} if token else {})
