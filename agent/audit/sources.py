"""Where the rows of a chain come from: the API, as somebody who may read the trail, or the database itself, as its operator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.audit import chain
from agent.audit.chain import Anchor, Finding, Link

if TYPE_CHECKING:
    import psycopg

    from agent.rpc import Rpc

LANES = range(16)
_PAGE = 500
_LINKS = Path(__file__).with_name("links.sql").read_bytes()


async def audited(rpc: Rpc) -> list[str]:
    """Return the ids of the organizations whose whole trail the person may read."""
    told = await rpc.call("whoami")
    return [str(org["id"]) for org in told["organizations"] if "audit.read" in org["permissions"]]


async def check(rpc: Rpc, org_id: str, anchors: Sequence[Anchor]) -> tuple[int, list[Finding]]:
    """Return how many links there are, and what is wrong. Raises: AgentError."""
    count, found = 0, []
    for lane in LANES:
        links: list[Link] = []
        while page := await rpc.call("list_audit_links", {
                "org_id": org_id, "chain": lane, "after_sequence": links[-1].sequence if links else 0, "max_rows": _PAGE}):
            links += [Link(**row) for row in page]
            if len(page) < _PAGE:
                break
        count += len(links)
        found += chain.verify(org_id, lane, links, anchors)
    gaps = await rpc.call("check_audit", {"org_id": org_id})
    return count, found + [Finding(org_id, gap["kind"], gap["object_id"], gap["detail"]) for gap in gaps["findings"]]


async def anchor(rpc: Rpc, org_id: str) -> str:
    """Return where the chains end now, as one line of JSON. Raises: AgentError."""
    return json.dumps(await rpc.call("audit_anchor", {"org_id": org_id}))


class Database:
    """The rows as an operator reads them, in one snapshot."""

    def __init__(self, url: str) -> None:
        """Raises: psycopg.Error."""
        import psycopg

        self._connection: psycopg.Connection[Any] = psycopg.connect(url, connect_timeout=10)
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._connection.read_only = True

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def organizations(self) -> list[tuple[str, str]]:
        """Return (id, slug) of every organization that is there or has links."""
        return self._connection.execute(
            "select o.org_id::text, coalesce(g.slug, '') from (select id as org_id from app.organization union select org_id from app.audit_link) o"
            " left join app.organization g on g.id = o.org_id order by 1").fetchall()

    def check(self, org_id: str, anchors: Sequence[Anchor]) -> tuple[int, list[Finding]]:
        """Return how many links there are, and what is wrong."""
        count, found = 0, []
        for lane in LANES:
            with self._connection.cursor(name="links") as cursor:
                cursor.itersize = 2000
                cursor.execute(_LINKS, [org_id, lane])
                seen = _Counted(Link(*row) for row in cursor)
                found += chain.verify(org_id, lane, seen, anchors)
                count += seen.count
        gaps = self._connection.execute("select kind, object_id, detail from authz.audit_gaps(%s)", [org_id])
        return count, found + [Finding(org_id, *gap) for gap in gaps]

    def anchor(self, org_id: str) -> str:
        """Return what `api.audit_anchor` answers."""
        heads = self._connection.execute(
            "select distinct on (lane) lane, sequence, hash from app.audit_link where org_id = %s order by lane, sequence desc", [org_id]).fetchall()
        ((taken_at,),) = self._connection.execute("select to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')").fetchall()
        return json.dumps({"org_id": org_id, "taken_at": taken_at,
                           "heads": [{"lane": lane, "sequence": sequence, "hash": value} for lane, sequence, value in heads]})


class _Counted:
    """An iterator that knows how many it gave."""

    def __init__(self, links: Any) -> None:
        self._links, self.count = links, 0

    def __iter__(self) -> Any:
        for link in self._links:
            self.count += 1
            yield link
