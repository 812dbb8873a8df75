"""HTTP as Supabase Auth speaks it: bodies in, errors out in the shape the client's API version asks for."""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edge_proxy.local.auth.errors import (
    AuthError,
    BadJson,
    BodyTooLarge,
    NoAuthorization,
    UnexpectedFailure,
    ValidationFailed,
    WeakPassword,
)

HERE = Path(__file__).parent
MAX_BODY_BYTES = 64 * 1024
API_VERSION_HEADER = "x-supabase-api-version"
NAMED_CODES_SINCE = "2024-01-01"
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

log = logging.getLogger("ringfence.auth")

Body = dict[str, Any]
Endpoint = Callable[[Request], Awaitable[Response]]


async def read_json(request: Request) -> Body:
    """Return the JSON object of a request. Raises: BodyTooLarge, BadJson."""
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > MAX_BODY_BYTES:
            raise BodyTooLarge
    try:
        body = json.loads(data, parse_constant=_refuse_constant)
        # An escaped half of a surrogate pair is valid JSON and no text: nothing behind us could store it.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadJson from error
    if not isinstance(body, dict):
        raise BadJson("Could not parse request body as JSON: an object is required")
    return body


def text(body: Body, name: str) -> str:
    """Return a text field; absent and null are empty, as in Go. Raises: BadJson."""
    value = body.get(name)
    if not isinstance(value, str | None):
        raise BadJson(f"Could not parse request body as JSON: {name} must be a string")
    return value or ""


def mapping(body: Body, name: str) -> Body:
    """Return an object field; absent and null are empty. Raises: BadJson."""
    value = body.get(name)
    if not isinstance(value, dict | None):
        raise BadJson(f"Could not parse request body as JSON: {name} must be an object")
    return value or {}


def bearer(request: Request) -> str:
    """Return the token of the Authorization header. Raises: NoAuthorization."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NoAuthorization
    return token.strip()


def answering(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with its failures turned into answers and one log line; no message of a driver leaves it."""

    async def answer(request: Request) -> Response:
        started = time.perf_counter()
        try:
            response = await endpoint(request)
        except AuthError as error:
            response = error_response(request, error)
        except psycopg.DataError:
            # What JSON may hold and PostgreSQL may not, such as the character NUL.
            response = error_response(request, ValidationFailed())
        except Exception as error:
            log.error("%s", _where(error))
            response = error_response(request, UnexpectedFailure())
        _log_request(request, response, started)
        return response

    return answer


def error_response(request: Request, error: AuthError) -> Response:
    """Return an error: {code, message} to clients of 2024 and later, {code: status, error_code, msg} to older ones."""
    headers: dict[str, str] = {}
    body: Body
    if _knows_named_codes(request.headers.get(API_VERSION_HEADER, "")):
        headers[API_VERSION_HEADER] = NAMED_CODES_SINCE
        body = {"code": error.code, "message": error.message}
    else:
        body = {"code": error.status, "error_code": error.code, "msg": error.message}
    if isinstance(error, WeakPassword):
        body["weak_password"] = {"reasons": error.reasons}
    return JSONResponse(body, error.status, headers)


def _knows_named_codes(version: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", version) is not None and version >= NAMED_CODES_SINCE


def _log_request(request: Request, response: Response, started: float) -> None:
    """Write who asked what: never a query string, a body or a header of the caller's choosing."""
    sent_id = request.headers.get("x-request-id", "")
    request_id = sent_id if REQUEST_ID.fullmatch(sent_id) else "-"
    milliseconds = (time.perf_counter() - started) * 1000
    route = request.scope["route"].path if "route" in request.scope else "-"
    log.info("%s %s %d %.1f ms request_id=%s", request.method, route, response.status_code, milliseconds, request_id)


def _where(error: Exception) -> str:
    """Name a failure without its message: a driver's may quote values."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == HERE]
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return f"{type(error).__name__} sqlstate={state or '-'} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
