"""The routes of the edge that are no functions of the database, as parts of an OpenAPI document."""

from typing import Any

from agent.chat_request import MAX_QUESTION_CHARACTERS

Part = dict[str, Any]
_REFUSED: Part = {"$ref": "#/components/responses/Refused"}
_ANYONE: list[Part] = []
_ERRORS = ("400", "401", "403", "404", "405", "408", "409", "413", "415", "422", "423", "429", "431", "500", "502", "503", "504")

TAGS: list[Part] = [
    {"name": "functions", "description": "Functions of schema api: what apps call."},
    {"name": "agent", "description": "Bots, in OpenAI's wire format."},
    {"name": "files", "description": "Documents as files, in OpenAI's wire format."},
    {"name": "analytics", "description": "Results of data jobs as files and pictures, tables of your own."},
    {"name": "mcp", "description": "Tools for MCP clients."},
    {"name": "auth", "description": "Supabase Auth, passed through: bodies and errors are its own."},
    {"name": "operations", "description": "For whoever runs the edge."},
]

COMPONENTS: Part = {
    "securitySchemes": {
        "access_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "The person's access token of Supabase Auth, or an API token."}},
    "schemas": {
        "Error": {
            "type": "object", "required": ["code", "message", "request_id"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "request_id": {"type": "string"}, "sqlstate": {"type": "string"},
                           "error": {"type": "object", "description": "the same in OpenAI's shape, under /v1"}}}},
    "responses": {
        "Refused": {"description": "refused; `code` says why and who has to act",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}},
}


def _operation(name: str, tag: str, summary: str, *, answer: Part | None = None, body: Part | None = None, media: str = "application/json",
               parameters: list[Part] | None = None, public: bool = False, errors: tuple[str, ...] = _ERRORS) -> Part:
    content = answer if answer is not None else {"application/json": {"schema": {}}}
    made: Part = {
        "operationId": name, "tags": [tag], "summary": summary,
        "responses": {"200": {"description": "done", "content": content}} | {status: _REFUSED for status in errors}}
    if body is not None:
        made["requestBody"] = {"required": True, "content": {media: {"schema": body}}}
    if parameters:
        made["parameters"] = parameters
    if public:
        made["security"] = _ANYONE
    return made


def _in_path(name: str, said: str) -> Part:
    return {"name": name, "in": "path", "required": True, "description": said, "schema": {"type": "string", "minLength": 1}}


def _object(required: list[str], **properties: Part) -> Part:
    return {"type": "object", "required": required, "properties": properties} if required else {"type": "object", "properties": properties}


def _auth(name: str, summary: str, *, body: bool = True, public: bool = False, parameters: list[Part] | None = None) -> Part:
    """An endpoint of Supabase Auth: its answers are documented there."""
    made = _operation(name, "auth", summary, body={"type": "object"} if body else None, public=public, parameters=parameters, errors=())
    made["responses"] = {"default": {"description": "as Supabase Auth answers"}}
    return made


_TEXT: Part = {"type": "string"}
_UUID: Part = {"type": "string", "format": "uuid"}
_FACTOR = _in_path("factor_id", "the factor") | {"schema": _UUID}
_GRANT: Part = {"name": "grant_type", "in": "query", "required": True, "schema": {"enum": ["password", "refresh_token", "pkce"]}}
_FILE = [_in_path("org_id", "the organization") | {"schema": _UUID}, _in_path("document_id", "the document") | {"schema": _UUID}]
_JOB = [_in_path("org_id", "the organization") | {"schema": _UUID}, _in_path("job_id", "the job") | {"schema": _UUID}]
_CHAT = _object(
    ["model", "messages"],
    model=_TEXT | {"description": "organization/bot, by slug or by id"},
    messages={"type": "array", "minItems": 1, "items": _object(
        ["role", "content"], role={"enum": ["system", "developer", "user", "assistant", "tool"]},
        content={"anyOf": [_TEXT | {"maxLength": MAX_QUESTION_CHARACTERS}, {"type": "array", "items": {"type": "object"}}, {"type": "null"}]}),
        "description": "the last one is the question; earlier ones are ignored"},
    stream={"type": "boolean"}, stream_options=_object([], include_usage={"type": "boolean"}),
    ringfence=_object([], conversation_id=_UUID | {"description": "a conversation of yours with this bot, to go on with"},
                      approval_id=_UUID | {"description": "a decided approval of yours: its run goes on, no new question is asked"},
                      tool_calls={"type": "boolean", "description": "show the tools that the bot calls, as tool_calls"}))
_LISTING: list[Part] = [
    {"name": "knowledge_base", "in": "query", "required": True, "description": "organization/base", "schema": _TEXT},
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 999}},
    {"name": "after", "in": "query", "description": "the last id of the page before", "schema": _TEXT}]
_UPLOAD = _object(
    ["file", "knowledge_base"], file=_TEXT | {"contentMediaType": "application/octet-stream"}, knowledge_base=_TEXT | {"description": "organization/base"},
    title=_TEXT | {"maxLength": 300}, visibility={"enum": ["organization", "knowledge_base", "private"]}, tags={"type": "array", "items": _TEXT},
    classification=_TEXT | {"description": "0 public, 1 internal, 2 confidential, 3 secret"})
_TABLE = _object(
    ["file", "source", "name"], file=_TEXT | {"contentMediaType": "application/octet-stream"}, source=_TEXT | {"description": "organization/source"},
    name=_TEXT | {"description": "what SQL calls it; a-z, 0-9 and _"}, types=_TEXT | {"description": "JSON: types by column, not guessed"},
    meanings=_TEXT | {"description": "JSON: what columns mean"})
_RPC = _object(["jsonrpc", "method"], jsonrpc={"const": "2.0"}, method=_TEXT, id={"type": ["string", "integer"]}, params={"type": "object"})
_BYTES: Part = {"application/octet-stream": {"schema": {}}}
_SSE: Part = {"application/json": {"schema": {}}, "text/event-stream": {"schema": {"type": "string"}}}

ROUTES: dict[str, Part] = {
    "/v1/chat/completions": {"post": _operation("chat", "agent", "Ask a bot.", body=_CHAT, answer=_SSE)},
    "/v1/models": {"get": _operation("models", "agent", "List the bots you may run.")},
    "/v1/models/{org}/{bot}": {"get": _operation("model", "agent", "One of them.", parameters=[_in_path("org", "the organization"), _in_path("bot", "the bot")])},
    "/v1/openapi.json": {"get": _operation("openapi", "operations", "This document.")},
    "/v1/files": {
        "get": _operation("files", "files", "The documents of a knowledge base, as files.", parameters=_LISTING),
        "post": _operation("upload", "files", "Add or replace a document, up to 50 MB.", body=_UPLOAD, media="multipart/form-data")},
    "/v1/files/{org_id}/{document_id}": {
        "get": _operation("file", "files", "What is known about a file.", parameters=_FILE),
        "delete": _operation("delete_file", "files", "Delete a file; answers with the receipt.", parameters=_FILE)},
    "/v1/files/{org_id}/{document_id}/content": {"get": _operation("file_content", "files", "Its bytes as they were uploaded.", parameters=_FILE, answer=_BYTES)},
    "/v1/analytics/tables": {"post": _operation(
        "upload_table", "analytics", "A CSV or Parquet file becomes a table of a data source, up to 50 MB, all of it or nothing.", body=_TABLE, media="multipart/form-data")},
    "/v1/analytics/jobs/{org_id}/{job_id}/result.csv": {"get": _operation(
        "result_csv", "analytics", "The rows of a result as CSV.", parameters=_JOB, answer={"text/csv": {"schema": {}}})},
    "/v1/analytics/jobs/{org_id}/{job_id}/result.parquet": {"get": _operation(
        "result_parquet", "analytics", "The rows of a result as Parquet.", parameters=_JOB, answer={"application/vnd.apache.parquet": {"schema": {}}})},
    "/v1/analytics/jobs/{org_id}/{job_id}/chart.json": {"get": _operation("chart_json", "analytics", "The chart of a result as Vega-Lite, data inline.", parameters=_JOB)},
    "/v1/analytics/jobs/{org_id}/{job_id}/chart.svg": {"get": _operation(
        "chart_svg", "analytics", "The chart of a result, drawn.", parameters=_JOB, answer={"image/svg+xml": {"schema": {}}})},
    "/v1/analytics/jobs/{org_id}/{job_id}/chart.png": {"get": _operation(
        "chart_png", "analytics", "The chart of a result, drawn.", parameters=_JOB, answer={"image/png": {"schema": {}}})},
    "/v1/tokens": {"post": _operation("issue_api_token", "auth", "Make an API token; it is shown this once.", body=_object(
        ["org_id", "name", "permissions", "expires_in", "password"], org_id=_UUID, name=_TEXT, permissions={"type": "array", "items": _TEXT},
        expires_in={"type": "integer", "description": "seconds"}, password=_TEXT, code=_TEXT))},
    "/mcp": {"post": _operation("mcp", "mcp", "MCP over streamable HTTP: the tools of all your bots.", body=_RPC, answer=_SSE)},
    "/mcp/{org}/{bot}": {"post": _operation("mcp_bot", "mcp", "The tools of one bot.", body=_RPC, answer=_SSE, parameters=[
        _in_path("org", "the organization"), _in_path("bot", "the bot")])},
    "/.well-known/oauth-protected-resource/mcp": {"get": _operation("mcp_metadata", "mcp", "Who signs people in (RFC 9728).", public=True, errors=("404", "429"))},
    "/auth/v1/health": {"get": _auth("auth_health", "Whether Supabase Auth is there.", body=False, public=True)},
    "/auth/v1/settings": {"get": _auth("auth_settings", "Which ways to sign in there are.", body=False, public=True)},
    "/auth/v1/.well-known/jwks.json": {"get": _auth("auth_keys", "The public signing keys.", body=False, public=True)},
    "/auth/v1/signup": {"post": _auth("sign_up", "Sign up.", public=True)},
    "/auth/v1/token": {"post": _auth("token", "Sign in, or refresh.", public=True, parameters=[_GRANT])},
    "/auth/v1/recover": {"post": _auth("recover", "Ask for a link to set a new password.", public=True)},
    "/auth/v1/resend": {"post": _auth("resend", "Ask for a confirmation again.", public=True)},
    "/auth/v1/otp": {"post": _auth("otp", "Ask for a one-time password.", public=True)},
    "/auth/v1/magiclink": {"post": _auth("magiclink", "Ask for a link to sign in.", public=True)},
    "/auth/v1/verify": {"post": _auth("verify", "Confirm with a token from an e-mail.", public=True),
                        "get": _auth("verify_link", "The link in an e-mail.", body=False, public=True)},
    "/auth/v1/user": {"get": _auth("user", "Who is signed in.", body=False), "put": _auth("update_user", "Change e-mail, password or data.")},
    "/auth/v1/reauthenticate": {"get": _auth("reauthenticate", "Ask for a code to confirm a change.", body=False)},
    "/auth/v1/logout": {"post": _auth("sign_out", "Sign out.", body=False)},
    "/auth/v1/factors": {"post": _auth("enrol_factor", "Enrol a second factor.")},
    "/auth/v1/factors/{factor_id}": {"delete": _auth("remove_factor", "Remove a second factor.", body=False, parameters=[_FACTOR])},
    "/auth/v1/factors/{factor_id}/challenge": {"post": _auth("challenge_factor", "Begin a challenge.", parameters=[_FACTOR])},
    "/auth/v1/factors/{factor_id}/verify": {"post": _auth("verify_factor", "Answer a challenge with a code.", parameters=[_FACTOR])},
    "/healthz": {"get": _operation("alive", "operations", "Whether the process lives.", public=True, errors=())},
    "/readyz": {"get": _operation("ready", "operations", "Whether it can serve: database and keys.", public=True, errors=("503",))},
}
