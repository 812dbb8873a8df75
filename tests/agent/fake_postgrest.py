"""A small PostgREST on loopback: its paths, headers and error bodies, over a made-up database in memory.

It keeps what the agent has to respect: a token is a person, a run belongs to its person, a tool must be bound to the bot,
and `finish_run` refuses citations that no step of the run returned.
"""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

Row = dict[str, Any]
Handler = Callable[[str, Row], list[Row]]
"""A tool: gets the person and the arguments, returns rows or raises Refusal."""


class Refusal(Exception):
    """A function raised; PostgREST answers `status` with {code, message, details, hint}."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


SEARCH = """\
Search the documents of the organization for passages that answer a question: how something works, what a text says.

@audience bot
@context org_id           the organization
@context query_embedding  the query as 384 numbers
@context run_id           narrows the search to what the run's bot is bound to
@param query              the question in plain words; 1..2000 characters
@param max_rows           number of passages; 1..50
@returns                  array of {document_id, chunk_id, title, content}; best first
@errors                   22004, 22023
@effect                   read"""
MY_ORDERS = """\
List my own orders: what I have ordered, with number, status, total and date.

@audience bot
@context org_id  the organization
@param max_rows  number of orders; 1..100
@returns         array of {order_number, status}; newest first
@effect          read"""
GET_ORDER = """\
Look up one order by its order number: its status, total, items and date.

@audience bot
@context org_id  the organization
@param number    the order number, like ORD-1042; 1..20 characters
@returns         array of {order_number, status}
@errors          PT404
@effect          read"""
CREATE_TICKET = """\
Open a support ticket: ask the staff for help, report a problem, request a refund or complain.

@audience bot
@context org_id           the organization
@context idempotency_key  the same key again is the same ticket
@param subject            one line; 1..200 characters
@param body               what is wrong and what is wanted; 1..8000 characters
@param order_number       the order it is about, like ORD-1042; 1..20 characters
@effect                   write"""


def function(name: str, comment: str, volatility: str, *arguments: str) -> Row:
    """Return a catalog row; an argument is "name type", with a trailing "?" when it has a default."""
    return {"name": name, "comment": comment, "volatility": volatility, "returns": "jsonb", "arguments": [
        {"name": a.split()[0], "type": a.rstrip("?").split(" ", 1)[1], "required": not a.endswith("?")} for a in arguments]}


CATALOG = [
    function("search_documents", SEARCH, "stable", "org_id uuid", "query text", "query_embedding extensions.vector?",
             "max_rows integer?", "run_id uuid?"),
    function("my_orders", MY_ORDERS, "stable", "org_id uuid", "max_rows integer?"),
    function("get_order", GET_ORDER, "stable", "org_id uuid", "number text"),
    function("create_ticket", CREATE_TICKET, "volatile", "org_id uuid", "subject text", "body text", "order_number text?",
             "idempotency_key uuid?"),
    function("place_order", "Place an order.\n\n@audience app\n@param items  array\n@effect write", "volatile",
             "items jsonb"),
]


@dataclass
class Call:
    """One request as it came in."""

    person: str
    name: str
    arguments: Row
    headers: CIMultiDict[str]


@dataclass
class FakePostgrest:
    """The state; `people` maps tokens to persons, `tools` what is bound to the one bot `acme/support`."""

    people: dict[str, str]
    tools: dict[str, Handler]
    catalog: list[Row] = field(default_factory=lambda: list(CATALOG))
    history: list[Row] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    runs: dict[str, Row] = field(default_factory=dict)
    open_calls: dict[str, Row] = field(default_factory=dict)
    refused_by: str | None = None
    """The rule of the organization that refuses every model call."""
    redact: bool = False
    approvals: dict[str, Row] = field(default_factory=dict)
    """What waits or was decided, by id; `state` is for a test to set."""
    guarded: set[str] = field(default_factory=set)
    """Tools whose calls need an approval."""
    documents: dict[str, Row] = field(default_factory=dict)
    jobs: Any = None
    """What answers about jobs: `told()`, and `cancelled`."""
    results: dict[str, Row] = field(default_factory=dict)
    """By job: {person, columns, rows, chart?}."""
    organizations: list[Row] = field(default_factory=lambda: [{"id": str(uuid.UUID(int=1)), "slug": "acme"}])
    before: Callable[[str, Row], Awaitable[None]] | None = None
    """Runs before each function: may wait, or raise Refusal."""

    def called(self, name: str) -> list[Call]:
        return [call for call in self.calls if call.name == name]

    @property
    def finished(self) -> list[Row]:
        return [call.arguments for call in self.called("finish_run")]

    def application(self) -> web.Application:
        app = web.Application(client_max_size=256 * 1024)
        app.router.add_post("/rpc/{name}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(await self._answer(request))
        except Refusal as refusal:
            return web.json_response({"code": refusal.code, "message": refusal.message, "details": "canary-details",
                                      "hint": "canary-hint"}, status=refusal.status)

    async def _answer(self, request: web.Request) -> Any:
        person = self.people.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if person is None:
            raise Refusal(401, "PGRST301", "JWSError JWSInvalidSignature")
        if request.headers.get("Content-Profile") != "api" or not request.headers.get("apikey"):
            raise Refusal(406, "PGRST106", "The schema must be one of the following: api")
        name, arguments = request.match_info["name"], await request.json()
        self.calls.append(Call(person, name, arguments, request.headers.copy()))
        if self.before is not None:
            await self.before(name, arguments)
        function_ = getattr(self, f"_{name}", None)
        if function_ is None:
            raise Refusal(404, "PGRST202", f"Could not find the function api.{name} in the schema cache")
        return function_(person, arguments)

    def _tool_catalog(self, person: str, arguments: Row) -> list[Row]:
        return self.catalog

    def _list_bots(self, person: str, arguments: Row) -> list[Row]:
        return [{"id": str(uuid.UUID(int=7)), "org_id": str(uuid.UUID(int=1)), "organization": "acme", "bot": "support",
                 "name": "Support", "version": 1}]

    def _start_run(self, person: str, arguments: Row) -> Row:
        if arguments["bot"] != "acme/support":
            raise Refusal(404, "PT404", "no such bot, or not yours to run")
        conversation = arguments.get("conversation_id") or str(uuid.uuid4())
        run_id = str(uuid.uuid4())
        self.runs[run_id] = {"person": person, "status": "running", "chunks": set(), "question": arguments["question"]}
        self.runs[run_id]["opened"] = opened = {"run_id": run_id, "org_id": str(uuid.UUID(int=1)), "conversation_id": conversation,
                "bot": {"id": str(uuid.UUID(int=7)), "slug": "support", "name": "Support", "version": 1,
                        "instructions": "Be brief."},
                "tools": sorted(self.tools), "history": self.history}
        return opened

    def _running(self, person: str, arguments: Row) -> Row:
        run = self.runs.get(arguments["run_id"])
        if run is None or run["person"] != person or run["status"] != "running":
            raise Refusal(404, "PT404", "no such running run of yours")
        return run

    def _call_tool(self, person: str, arguments: Row) -> Row:
        run, rows = self._running(person, arguments), []
        outcome, code, message = "ok", None, None
        if (waiting := self._waiting(arguments)) is not None:
            return {"step_id": str(uuid.uuid4()), "outcome": "needs_approval", "code": None, "message": "waits for an approval", "row_count": 0, "rows": [],
                    "approval": {"id": waiting["id"], "reason": "tainted", "expires_at": "2026-11-22T12:30:00+00:00"}}
        try:
            if arguments["tool"] not in self.tools:
                raise Refusal(403, "42501", "not allowed")
            rows = self.tools[arguments["tool"]](person, arguments["arguments"])
        except Refusal as refusal:
            code, message = refusal.code, refusal.message
            outcome = {"42501": "denied", "PT404": "not_found", "PT409": "conflict", "22023": "invalid"}.get(code, "failed")
        run["chunks"] |= {row["chunk_id"] for row in rows if "chunk_id" in row}
        return {"step_id": str(uuid.uuid4()), "outcome": outcome, "code": code, "message": message,
                "row_count": len(rows), "rows": rows}

    def _waiting(self, arguments: Row) -> Row | None:
        """What this call waits for; an approved one is used up."""
        if arguments["tool"] not in self.guarded:
            return None
        wanted = {name: arguments[name] for name in ("run_id", "tool", "arguments")}
        for one in self.approvals.values():
            if one.items() >= wanted.items() and one["state"] in ("pending", "approved"):
                if one["state"] == "pending":
                    return one
                one["state"] = "used"
                return None
        made = wanted | {"id": str(uuid.uuid4()), "state": "pending"}
        self.approvals[made["id"]] = made
        return made

    def _resume_run(self, person: str, arguments: Row) -> Row:
        one = self.approvals.get(arguments["approval_id"])
        if one is None or self.runs[one["run_id"]]["person"] != person:
            raise Refusal(404, "PT404", "no such request of yours")
        if one["state"] not in ("approved", "denied"):
            raise Refusal(409, "PT409", "it waits to be decided, was used before, or its time is over")
        self._running(person, one)
        return self.runs[one["run_id"]]["opened"] | {
            "history": [*self.history, {"role": "user", "content": self.runs[one["run_id"]]["question"]}],
            "call": {"tool": one["tool"], "arguments": one["arguments"] if one["state"] == "approved" else None, "state": one["state"]}}

    def _begin_model_call(self, person: str, arguments: Row) -> Row:
        if arguments["run_id"] is not None:
            self._running(person, arguments)
        call_id = str(uuid.uuid4())
        if self.refused_by is None:
            self.open_calls[call_id] = arguments
        return {"call_id": call_id, "key": None if self.refused_by else "key", "refused_by": self.refused_by, "redact": self.redact}

    def _end_model_call(self, person: str, arguments: Row) -> Row:
        if arguments["key"] != "key" or arguments["call_id"] not in self.open_calls:
            raise Refusal(404, "PT404", "no such open model call of yours")
        begun = self.open_calls.pop(arguments["call_id"])
        arguments |= {"provider": begun["provider"], "model": begun["model"]}
        if begun["run_id"] is not None:
            self._running(person, begun)
        if arguments["outcome"] not in ("ok", "denied", "not_found", "invalid", "conflict", "failed"):
            raise Refusal(400, "23514", 'new row for relation "run_step" violates check constraint')
        return {"step_id": str(uuid.uuid4())}

    def _finish_run(self, person: str, arguments: Row) -> Row:
        run = self._running(person, arguments)
        if not {citation["chunk_id"] for citation in arguments["citations"]} <= run["chunks"]:
            raise Refusal(400, "22023", "citations: one names a passage this run did not retrieve")
        run["status"] = arguments["outcome"]
        return {"message_id": str(uuid.uuid4())}

    def _whoami(self, person: str, arguments: Row) -> Row:
        return {"user_id": person, "organizations": self.organizations}

    def _list_knowledge_bases(self, person: str, arguments: Row) -> list[Row]:
        return [{"id": str(uuid.UUID(int=3)), "slug": "handbook"}]

    def _list_documents(self, person: str, arguments: Row) -> list[Row]:
        found = [one for one in self.documents.values() if one["uri"] > arguments["after_uri"] and (one["visibility"] != "private" or one["owner_id"] == person)]
        return [{name: value for name, value in one.items() if name != "bytes"} for one in sorted(found, key=lambda one: (one["uri"], one["id"]))][:arguments["max_rows"]]

    def _update_document(self, person: str, arguments: Row) -> Row:
        document = self._document(person, arguments)
        document |= {name: value for name, value in arguments.items() if name not in ("org_id", "document_id")}
        return document

    def _begin_document(self, person: str, arguments: Row) -> Row:
        for document in self.documents.values():
            if (document["state"], document["uri"], document["sha256"]) == ("ready", arguments["uri"], arguments["sha256"]):
                return {"document_id": document["id"], "state": "unchanged"}
        document_id = str(uuid.UUID(int=900 + len(self.documents)))
        self.documents[document_id] = {
            "visibility": "organization", "classification": 1, "media_type": "text/plain", "tags": [], **arguments, "id": document_id, "state": "loading",
            "owner_id": person, "created_at": "2026-11-21T12:00:00+00:00", "parts": 0, "chunks": 0, "bytes": []}
        return {"document_id": document_id, "state": "loading"}

    def _document(self, person: str, arguments: Row) -> Row:
        document = self.documents.get(arguments["document_id"])
        if document is None or (document["visibility"] == "private" or document["state"] == "loading") and document["owner_id"] != person:
            raise Refusal(404, "PT404", "no such document")
        return document

    def _add_chunks(self, person: str, arguments: Row) -> Row:
        document = self._document(person, arguments)
        document["chunks"] += len(arguments["chunks"])
        return {"chunks": document["chunks"]}

    def _add_file_part(self, person: str, arguments: Row) -> Row:
        document = self._document(person, arguments)
        assert arguments["position"] == document["parts"] and len(arguments["content"]) <= 240_000
        document["bytes"].append(arguments["content"])
        document["parts"] += 1
        return {"parts": document["parts"]}

    def _finish_document(self, person: str, arguments: Row) -> Row:
        document = self._document(person, arguments)
        before = [one["id"] for one in self.documents.values() if one["state"] == "ready" and one["uri"] == document["uri"]]
        for known in before:
            del self.documents[known]
        document["state"] = "ready"
        return {"document_id": document["id"], "chunks": document["chunks"], "replaced": before[0] if before else None}

    def _get_document(self, person: str, arguments: Row) -> Row:
        return {name: value for name, value in self._document(person, arguments).items() if name != "bytes"}

    def _read_file_part(self, person: str, arguments: Row) -> Row:
        return {"content": self._document(person, arguments)["bytes"][arguments["position"]]}

    def _get_analytics_job(self, person: str, arguments: Row) -> Row:
        return {"job_id": arguments["job_id"]} | self.jobs.told()

    def _cancel_analytics_job(self, person: str, arguments: Row) -> Row:
        self.jobs.cancelled.append(arguments["job_id"])
        return {"job_id": arguments["job_id"], "status": "cancelled"}

    def _read_analytics_result(self, person: str, arguments: Row) -> Row:
        found = self.results.get(arguments["job_id"])
        if found is None or found["person"] != person:
            raise Refusal(404, "PT404", "no such result, or not yours to read")
        after, rows = arguments["after"], found["rows"]
        end = after + arguments["max_rows"]
        return {"job_id": arguments["job_id"], "columns": found["columns"], "rows": rows[after:end], "row_count": len(rows), "truncated": False,
                "chart": found.get("chart"), "expires_at": None, "rows_to_model": found.get("rows_to_model", False), "next_after": end if end < len(rows) else None}

    def _create_uploaded_table(self, person: str, arguments: Row) -> Row:
        return {"table_id": str(uuid.UUID(int=60))}

    def _append_uploaded_rows(self, person: str, arguments: Row) -> Row:
        return {"rows": len(arguments["rows"])}

    def _commit_uploaded_table(self, person: str, arguments: Row) -> Row:
        return {"table_id": arguments["table_id"], "row_count": 0}

    def _delete_uploaded_table(self, person: str, arguments: Row) -> Row:
        return {"table_id": arguments["table_id"]}

    def _delete_document(self, person: str, arguments: Row) -> Row:
        document = self._document(person, arguments)
        del self.documents[document["id"]]
        return {"document_id": document["id"], "chunks": document["chunks"], "parts": document["parts"], "citations_redacted": 0}


def passage(n: int, content: str, similarity: float = 0.6, title: str = "Handbook") -> Row:
    """Return a row of search_documents."""
    return {"document_id": str(uuid.UUID(int=100 + n)), "chunk_id": str(uuid.UUID(int=200 + n)),
            "knowledge_base_id": str(uuid.UUID(int=3)), "title": title, "uri": f"file:///{n}.md", "content": content,
            "start_char": 0, "end_char": len(content), "chunk_sha256": "0" * 64, "score": 1 / (60 + n),
            "similarity": similarity, "retrieved_at": "2026-11-21T12:00:00+00:00", "trust": "untrusted"}
