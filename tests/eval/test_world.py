"""A person of the evaluation outlives their access token."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from tests.eval import world
from tests.eval.world import Staying


class FakeClient:
    """Tells which token a call came with."""

    def __init__(self) -> None:
        self.sign_ins = 0

    def as_person(self, token: str) -> Any:
        class Door:
            spans = None

            async def call(self, name: str, arguments: dict[str, Any] | None = None) -> Any:
                return name, arguments, token

        return Door()

    async def sign_in(self, email: str, password: str) -> str:
        assert (email, password) == ("a@example.test", "secret")
        self.sign_ins += 1
        return f"token {self.sign_ins}"


@pytest.mark.parametrize(("again_s", "tokens"), [(world.AGAIN_S, ["first", "first"]), (0.0, ["token 1", "token 2"])])
def test_whoever_asks_for_hours_signs_in_again_before_the_token_is_over(monkeypatch: pytest.MonkeyPatch, again_s: float, tokens: list[str]) -> None:
    monkeypatch.setattr(world, "AGAIN_S", again_s)
    person = Staying(cast(Any, FakeClient()), ("a@example.test", "secret"), "first")

    async def asked() -> list[Any]:
        return [await person.call("whoami", {"n": n}) for n in range(2)]

    assert asyncio.run(asked()) == [("whoami", {"n": n}, token) for n, token in enumerate(tokens)]
