"""Statements as somebody else: each in a savepoint of the one transaction, undone at once, with everything that came back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus

from tests.rls.catalog import Catalog

LOCK_TIMEOUT_MS = 1000
UNDO = "rollback to savepoint cell;\nrelease savepoint cell;\n"


@dataclass(frozen=True)
class Outcome:
    """What one statement gave: rows as text, or an error."""

    rows: tuple[tuple[str | None, ...], ...] = ()
    columns: tuple[str, ...] = ()
    count: int = 0
    """Rows returned or touched."""
    sqlstate: str = ""
    """Empty on success."""
    message: str = ""
    detail: str = ""
    hint: str = ""
    constraint: str = ""
    column: str = ""
    notices: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.sqlstate

    @property
    def refused_by_grant(self) -> bool:
        """42501 has two meanings (trap 3): the privilege is missing, or a policy refused the row."""
        return self.sqlstate == "42501" and "row-level security" not in self.message

    def texts(self) -> Iterator[str]:
        """Yield every piece of text a caller would see."""
        for row in self.rows:
            yield from (value for value in row if value is not None)
        yield from (text for text in (self.message, self.detail, self.hint, *self.notices) if text)

    def said(self) -> str:
        """Return the outcome in a few words, for evidence."""
        if not self.ok:
            return f"{self.sqlstate}: {self.message}"
        return f"{self.count} rows" + (f", first {self.rows[0]}"[:200] if self.rows else "")


@dataclass(frozen=True)
class Persona:
    """Who is acting: a database role and what the token and the request say."""

    name: str
    role: str
    claims: Mapping[str, Any] | None = field(default=None, hash=False)
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    user: str | None = None
    """Key of `World.users`."""
    tenants: frozenset[str] = frozenset()
    """Tenants (`A`, `B`) whose rows this persona may see."""

    @property
    def user_id(self) -> str | None:
        return (self.claims or {}).get("sub")


class Acting:
    """The connection, seen as a place to try things on. Leaves no trace."""

    def __init__(self, connection: psycopg.Connection[Any], catalog: Catalog, timeout_ms: int) -> None:
        self.connection = connection
        self.timeout_ms = timeout_ms
        exposed = [s.name for s in catalog.schemas.values() if s.exposed] + ["public", "extensions"]
        self.search_path = ", ".join(f'"{name}"' for name in dict.fromkeys(exposed) if name in catalog.schemas)
        self.as_authenticator = catalog.is_superuser and "authenticator" in catalog.roles
        self.legacy_claims = False
        self.statements = 0
        self._pending = ""
        self.kept: list[str] = []
        """What `do` has kept in the transaction: the script that makes the two tenants again."""
        self._notices: list[str] = []
        connection.add_notice_handler(lambda diagnostic: self._notices.append(diagnostic.message_primary or ""))

    def prelude(self, persona: Persona) -> str:
        """Return the statements that make a session look like a request of this persona through PostgREST."""
        claims = "" if persona.claims is None else json.dumps(persona.claims)
        settings = {
            "search_path": self.search_path, "request.jwt.claims": claims, "request.method": "POST", "request.path": "/", "request.headers": json.dumps(dict(persona.headers)),
            "request.cookies": "{}",
        }
        if self.legacy_claims:
            settings |= {f"request.jwt.claim.{name}": str((persona.claims or {}).get(name, "")) for name in ("sub", "role", "email")}
        parts = [f"set_config({text(name)}, {text(value)}, true)" for name, value in settings.items()]
        first = "set local session authorization authenticator;\n" if self.as_authenticator else ""
        return f"{first}select {', '.join(parts)};\nset local role {persona.role};\n"

    def run(self, persona: Persona | None, statement: str, *, before: str = "", after: str = "") -> Outcome:
        """Execute one statement as a persona (as ourselves for None) and undo it; `before` and `after` run as ourselves. See `look` for what `after` gives."""
        return self.look(persona, statement, before=before, after=after)[0]

    def look(self, persona: Persona | None, statement: str, *, before: str = "", after: str = "") -> tuple[Outcome, Outcome | None]:
        """The same, with the outcome of `after`, which sees what the statement did; None where the statement failed."""
        self.statements += 1
        start = f"savepoint cell;\nset local statement_timeout = {self.timeout_ms};\nset local lock_timeout = {LOCK_TIMEOUT_MS};\n{_ended(before)}"
        marker = "select 'ringfence: act';\n"
        back = "reset session authorization;\n" if self.as_authenticator else ""
        rest = f"{marker}set local role none;\n{back}{_ended(after)}" if after else ""
        prelude = self.prelude(persona) if persona else ""
        outcomes = self._send(f"{start}{prelude}{marker}{_ended(statement)}{rest}")
        self._pending = UNDO  # with the next message: a round trip less
        acts = [place for place, one in enumerate(outcomes) if one.rows == (("ringfence: act",),)]
        if not acts:
            return outcomes[-1], None
        last = acts[1] if len(acts) > 1 else len(outcomes)
        mine = outcomes[acts[0] + 1:last] or outcomes[-1:]
        shown = next((one for one in reversed(mine) if not one.ok or one.columns), mine[-1])
        return shown, outcomes[-1] if after and len(acts) > 1 and outcomes[-1].ok else None

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo whatever happens inside, by savepoint. Not to be nested with itself."""
        self._send("savepoint attempt;\n")
        try:
            yield
        finally:
            self._send("rollback to savepoint attempt;\nrelease savepoint attempt;\n")

    @contextmanager
    def tried(self) -> Iterator[Callable[[], None]]:
        """Yield a function that takes back what `do` has kept inside. Not to be nested with itself."""
        self._send("savepoint tried;\n")
        count = len(self.kept)

        def take_back() -> None:
            self._send("rollback to savepoint tried;\n")
            del self.kept[count:]

        try:
            yield take_back
        finally:
            self._send("release savepoint tried;\n")

    def do(self, statement: str) -> Outcome:
        """Execute as ourselves and keep it in the transaction if it succeeds; undo it if it fails."""
        outcomes = self._send(f"savepoint kept;\nset local statement_timeout = {self.timeout_ms * 5};\nset local lock_timeout = {LOCK_TIMEOUT_MS};\n{_ended(statement)}")
        failed = next((one for one in outcomes if not one.ok), None)
        if failed is None and not re.match(r"\s*select \*", statement):
            self.kept.append(re.sub(r" returning \*$", "", statement.strip()))
        self._send("rollback to savepoint kept;\nrelease savepoint kept;\n" if failed else "release savepoint kept;\n")
        return failed or next((one for one in reversed(outcomes) if one.columns), outcomes[-1])

    def settle(self) -> None:
        """Undo the last statement now, so that others can use the connection."""
        if self._pending:
            self._send("")

    def _send(self, script: str) -> list[Outcome]:
        """Send statements as one message and return the outcome of each, after undoing what came before."""
        self._notices.clear()
        script, skipped, self._pending = self._pending + script, UNDO.count(";") if self._pending else 0, ""
        pgconn = self.connection.pgconn
        pgconn.send_query(script.encode())
        outcomes = []
        while (result := pgconn.get_result()) is not None:
            outcomes.append(_outcome(result, tuple(self._notices)))
        return outcomes[skipped:]


def _ended(script: str) -> str:
    script = script.strip()
    return "" if not script else script + ("\n" if script.endswith(";") else ";\n")


def _outcome(result: Any, notices: tuple[str, ...]) -> Outcome:
    if result.status == ExecStatus.FATAL_ERROR:
        def field_(name: DiagnosticField) -> str:
            return (result.error_field(name) or b"").decode(errors="replace")
        return Outcome(
            sqlstate=field_(DiagnosticField.SQLSTATE) or "08000", message=field_(DiagnosticField.MESSAGE_PRIMARY), detail=field_(DiagnosticField.MESSAGE_DETAIL),
            hint=field_(DiagnosticField.MESSAGE_HINT), constraint=field_(DiagnosticField.CONSTRAINT_NAME), column=field_(DiagnosticField.COLUMN_NAME), notices=notices)
    columns = tuple((result.fname(i) or b"").decode() for i in range(result.nfields))
    rows = tuple(tuple(_text(result.get_value(r, c)) for c in range(result.nfields)) for r in range(result.ntuples))
    return Outcome(rows, columns, result.ntuples if columns else int(result.command_tuples or 0), notices=notices)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


def text(value: str | None) -> str:
    """Return a literal."""
    if value is None:
        return "null"
    quoted = value.replace("'", "''")
    return f"'{quoted}'" if "\\" not in value else "E'" + quoted.replace("\\", "\\\\") + "'"
