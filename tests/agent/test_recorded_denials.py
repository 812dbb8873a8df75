"""A refusal that the agent gets from the database itself is recorded; one that came through an edge is already (F64)."""

from __future__ import annotations

from typing import Any

import pytest

from agent import errors
from agent.rpc import RpcPool, Token
from tests.agent.fake_postgrest import FakePostgrest, Refusal
from tests.agent.test_rpc import TOKEN

Row = dict[str, Any]


@pytest.mark.anyio
@pytest.mark.parametrize(("code", "recorded"), [("42501", True), ("PT401", True), ("PT404", False), ("22023", False)])
async def test_a_refusal_is_recorded_once_and_raised_F64(pool: RpcPool, database: FakePostgrest, code: str, recorded: bool) -> None:
    told: list[Row] = []

    async def before(name: str, arguments: Row) -> None:
        if name == "record_denial":
            told.append(arguments)
        raise Refusal(403, code, "you may not")
    database.before = before
    with pytest.raises(errors.DatabaseError):
        await pool.as_user(Token(TOKEN)).call("start_run", {"bot": "acme/helpdesk", "question": "canary?", "conversation_id": None})
    assert told == ([{"function_name": "start_run", "code": code, "message": "you may not", "bot": "acme/helpdesk"}] if recorded else [])
