"""A file becomes a table of a data source, over HTTP.

    POST /v1/analytics/tables   multipart: file (CSV in UTF-8, or Parquet), source ("org/source", each by slug or id), name,
                                types? and meanings? (JSON objects by column: what is not to be guessed, and what a column means)

Every step is an RPC as the signed-in person; see `upload` about all or nothing and `table` about who reads the file.
"""

import json
from typing import Any

from agent.analytics.table import TableReader
from agent.analytics.upload import upload_table
from agent.errors import BadRequest
from agent.naming import organization_id
from agent.rpc import Json, Rpc
from agent.upload import Upload

_NEEDED = ("source", "name")
_BY_COLUMN = ("types", "meanings")


async def add_table(rpc: Rpc, user_id: str, reader: TableReader, upload: Upload) -> Json:
    """Return {object, org_id, table_id, name, rows, columns: [{name, type}]}. Raises: BadRequest, BadTable naming bad lines, NotVisible, DatabaseError."""
    if unknown := sorted(upload.fields.keys() - {*_NEEDED, *_BY_COLUMN}):
        raise BadRequest(f"{unknown[0][:60]}: no such field. The fields are file, source, name and, if you like, types and meanings.")
    source, name = [upload.one(one) or "" for one in _NEEDED]
    org, slash, of_org = source.partition("/")
    if not (slash and name):
        raise BadRequest('source and name must be given: where the table goes, as "organization/source", and what SQL calls it.')
    types, meanings = [_by_column(one, upload.one(one)) for one in _BY_COLUMN]
    org_id = await organization_id(rpc, org)
    made = await upload_table(rpc, reader, org_id, of_org, name, upload.file, types=types, meanings=meanings, person=user_id)
    return {"object": "analytics.table", "org_id": org_id, **made}


def _by_column(field: str, given: str | None) -> dict[str, str]:
    """Return a field that is a JSON object of texts; none is an empty one. Raises: BadRequest."""
    try:
        value: Any = json.loads(given or "{}")
    except (ValueError, RecursionError) as err:
        raise BadRequest(f"{field}: must be a JSON object, a text for each column.") from err
    if not (isinstance(value, dict) and all(isinstance(one, str) for one in value.values())):
        raise BadRequest(f"{field}: must be a JSON object, a text for each column.")
    return value
