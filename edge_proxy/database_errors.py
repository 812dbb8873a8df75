"""What a PostgREST error becomes: by SQLSTATE, never by its text, and without `details` and `hint`.

A message is relayed only where our own SQL wrote it. PostgreSQL's own messages can name tables or repeat values, so
those become the fixed sentence of their row.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from edge_proxy.errors import Header, ProxyError, UpstreamFailed, UpstreamTimeout, challenge


class DatabaseRefused(ProxyError):
    """The database refused the call."""

    def __init__(self, status: int, code: str, message: str, sqlstate: str, said: str = "") -> None:
        """`said`: the database's own words, for the audit trail and nobody else."""
        super().__init__(sqlstate)
        self.status, self.code = status, code
        self.message, self.sqlstate, self.said = message, sqlstate, said

    def headers(self) -> list[Header]:
        if self.status != 401:
            return []
        # The message is the database's: only a fixed text may stand in a header (R91).
        return [challenge(self)]

    def body(self, request_id: str) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "sqlstate": self.sqlstate, "request_id": request_id}


class Mapping(NamedTuple):
    status: int
    code: str
    fixed: str
    relayed: bool = False


_ARGUMENT = Mapping(400, "invalid_argument", "An argument is missing, of the wrong type or out of range; tool_catalog and /v1/openapi.json say what each takes.")
_CONFLICT = Mapping(409, "conflict", "This conflicts with what is already there.")
# A deadlock, or a transaction that another one overtook: nothing is wrong with either.
_OVERTAKEN = _CONFLICT._replace(fixed="Somebody changed the same at the same moment, and nothing was done: try again.")
_DENIED = Mapping(403, "denied", "You may not do this.")
_TOKEN = Mapping(401, "invalid_token", "The access token is not valid here.")

_BY_STATE: dict[str, Mapping] = {
    "22004": _ARGUMENT._replace(relayed=True),
    "22023": _ARGUMENT._replace(relayed=True),
    "23505": _CONFLICT,
    "40001": _OVERTAKEN,
    "40P01": _OVERTAKEN,
    "28000": Mapping(401, "session_ended", "This session is no longer valid; sign in again.", relayed=True),
    "42501": _DENIED._replace(relayed=True),
    "PT401": Mapping(401, "aal_required", "This needs a stronger sign-in.", relayed=True),
    "PT404": Mapping(404, "not_found", "Not found.", relayed=True),
    "PT409": _CONFLICT._replace(relayed=True),
    "PT423": Mapping(423, "legal_hold", "A legal hold keeps this.", relayed=True),
    "PT429": Mapping(429, "quota", "The organization's quota is used up.", relayed=True),
    "PGRST102": _ARGUMENT,
    "PGRST116": Mapping(406, "not_single", "The result is not exactly one row."),
    "PGRST202": _ARGUMENT._replace(fixed="The function takes other arguments than these; tool_catalog and /v1/openapi.json list them."),
    "PGRST301": _TOKEN,
    "PGRST302": _TOKEN,
    "PGRST303": _TOKEN,
}
# A value that does not fit its type, and a constraint: the caller's arguments, but PostgreSQL's wording (R52, R57).
_BY_CLASS = {"22": _ARGUMENT, "23": _ARGUMENT}
_TIMEOUTS = frozenset({"57014", "PGRST003"})
# PostgreSQL's own words for 42501: they name tables and policies, so they are never relayed.
_NATIVE_DENIALS = ("permission denied for ", "must be ", "new row violates ", "query would be affected ")
_MESSAGE_LENGTH = 500


def database_error(body: bytes) -> ProxyError:
    """Return the error to raise for a PostgREST error body; anything unknown is UpstreamFailed."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return UpstreamFailed("not_json")
    if not isinstance(document, dict):
        return UpstreamFailed("not_an_error_object")
    state, message = document.get("code"), document.get("message")
    if not isinstance(state, str):
        return UpstreamFailed("no_sqlstate")
    if state in _TIMEOUTS:
        return UpstreamTimeout(state)
    mapping = _BY_STATE.get(state) or _BY_CLASS.get(state[:2] if len(state) == 5 else "")
    if mapping is None:
        # Only the shape of a code may reach the log.
        return UpstreamFailed(state if state.isalnum() and len(state) <= 8 else "unknown_code")
    text = mapping.fixed
    if mapping.relayed and isinstance(message, str) and not message.startswith(_NATIVE_DENIALS):
        text = message[:_MESSAGE_LENGTH]
    return DatabaseRefused(mapping.status, mapping.code, text, state, message if isinstance(message, str) else "")
