"""Whether time tells another organization's id from one of nothing: probes of both in turn, their medians as one ratio (R58).

tests/db/test_same_work.py counts the work behind the two; here it is measured through the edge, other people's load and all.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

import psycopg

from tests.bench.report import Report, median
from tests.e2e.conftest import SignedIn, sign_in

APART_AT_MOST = 1.10
PROBES = {
    # Function: which table the id is of, and what else the call takes.
    "get_document": ("document_id", "document", {}), "preview_document": ("document_id", "document", {}), "delete_document": ("document_id", "document", {}),
    "get_bot": ("bot_id", "bot", {}), "list_bot_versions": ("bot_id", "bot", {}), "list_documents": ("knowledge_base_id", "knowledge_base", {}),
    "list_messages": ("conversation_id", "conversation", {}), "list_run_steps": ("run_id", "run", {}), "unbind_bot": ("binding_id", "bot_binding", {}),
    "call_tool": ("run_id", "run", {"tool": "my_orders", "arguments": {}}), "delete_role": ("role_id", "role", {}),
}


async def measure(report: Report, stack: dict[str, Any], probes: int) -> None:
    """Add one ratio for every kind of id, under one's own organization's name and under the other's."""
    await asyncio.to_thread(_measure, report, stack, probes)


def _measure(report: Report, stack: dict[str, Any], probes: int) -> None:
    intruder = sign_in(stack, "owner@globex.test")
    with psycopg.connect(stack["database_url"]) as db:
        ((acme,),) = db.execute("select id::text from app.organization where slug = 'acme'").fetchall()
        ids = {table: row[0] for _, table, _ in PROBES.values()
               if (row := db.execute(f"select id::text from app.{table} where org_id = %s limit 1".encode(), [acme]).fetchone())}
    for name, (argument, table, more) in PROBES.items():
        for whose in ("one's own", "its") if table in ids else ():
            foreign, absent = [], []
            for _ in range(probes):
                under = (intruder.orgs["globex"],) * 2 if whose == "one's own" else (acme, str(uuid4()))
                for org, id_, seconds in zip(under, (ids[table], str(uuid4())), (foreign, absent), strict=True):
                    seconds.append(_seconds(intruder, name, more | {argument: id_} | ({} if name == "call_tool" else {"org_id": org})))
            one, other = median(foreign), median(absent)
            report.add(f"{name}: {table} of another, under {whose} organization's name", max(one / other, other / one), "times", at_most=APART_AT_MOST,
                       note=f"{one * 1000:.2f} and {other * 1000:.2f} ms")


def _seconds(person: SignedIn, name: str, arguments: dict[str, Any]) -> float:
    began = time.perf_counter()
    answer = person.rpc(name, **arguments)
    took = time.perf_counter() - began
    assert answer.status in (200, 403, 404), (name, answer.body)
    return took
