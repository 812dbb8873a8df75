"""Put a CSV or Parquet file into a data source as a table: all of it or nothing.

The table is invisible until its last row is there and it is committed; then it takes the place of one of the same name. What
goes wrong before that, on this side or in the database, leaves nothing behind.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from agent.analytics.errors import BadTable
from agent.analytics.table import Table, TableReader
from agent.errors import AgentError
from agent.rpc import Rpc

# The edge takes request bodies of up to 256 kB; the rest is room for the envelope.
_BATCH_BYTES = 200_000
_BATCH_ROWS = 1000
_STORED_AS = {"timestamp with time zone": "timestamptz"}


async def upload_table(rpc: Rpc, reader: TableReader, org_id: str, source: str, name: str, file: BinaryIO, *,
                       types: Mapping[str, str] | None = None, meanings: Mapping[str, str] | None = None, person: str = "") -> dict[str, Any]:
    """Return {table_id, name, rows, columns: [{name, type}]}. `types` and `meanings`: by column, what is not to be guessed, and what people and
    models are told; without, its header. `person`: whose files wait for each other.

    Raises: BadTable naming the bad lines, and the other kinds of BadDocument; DatabaseError.
    """
    with await reader.read(file, types, person) as table:
        known = {one.name for one in table.columns}
        if unknown := [one for one in meanings or () if one not in known]:
            raise BadTable(f"There is no column {unknown[0][:40]}; the columns are {', '.join(sorted(known))[:400]}.")
        columns = [{"name": one.name, "type": _STORED_AS.get(one.type, one.type), "meaning": (meanings or {}).get(one.name) or one.header} for one in table.columns]
        made = await rpc.call("create_uploaded_table", {"org_id": org_id, "source": source, "name": name, "columns": columns})
        loading = {"org_id": org_id, "table_id": str(made["table_id"])}
        try:
            for rows in _batches(table):
                await rpc.call("append_uploaded_rows", loading | {"rows": rows})
            await rpc.call("commit_uploaded_table", loading)
        except BaseException:
            # What is half loaded nobody sees, but it takes room.
            with contextlib.suppress(AgentError):
                await rpc.call("delete_uploaded_table", loading)
            raise
        return {"table_id": loading["table_id"], "name": name, "rows": table.row_count, "columns": [{"name": c.name, "type": c.type} for c in table.columns]}


def _batches(table: Table) -> Iterator[list[list[str | None]]]:
    """Yield the rows in order, as many at once as fit one request."""
    batch: list[list[str | None]] = []
    size = 0
    for row in table.rows():
        row_size = len(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()) + 1
        if batch and (size + row_size > _BATCH_BYTES or len(batch) == _BATCH_ROWS):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += row_size
    if batch:
        yield batch
