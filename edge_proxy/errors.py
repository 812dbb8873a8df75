"""Every way the edge refuses, with the class docstring as the public message.

ProxyError                     status  code
 |- BadRequest                   400   bad_request
 |   |- BadBody                  400   bad_body
 |   '- QueryRefused             400   query_not_allowed
 |- Unauthenticated              401
 |   |- MissingToken             401   missing_token
 |   |- InvalidToken             401   invalid_token
 |   |- InvalidApiToken          401   invalid_api_token
 |   |- ExpiredToken             401   expired_token
 |   '- CodeNeeded               401   code_needed
 |- NotConfirmed                 403   not_confirmed
 |- OriginRefused                403   origin_not_allowed
 |- NotFound                     404   not_found
 |   '- UnknownRpc               404   unknown_rpc
 |- MethodNotAllowed             405   method_not_allowed
 |- BodyTimeout                  408   body_timeout
 |- TooLarge                     413   body_too_large
 |- UnsupportedMedia             415   unsupported_media_type
 |- TooMany                      429   rate_limited
 |- HeadersTooLarge              431   headers_too_large
 |- Internal                     500   internal_error
 |- UpstreamFailed               502   upstream_error
 |   '- ResponseTooLarge         502   response_too_large
 |- KeysUnavailable              503   keys_unavailable
 |- Overloaded                   503   overloaded
 |   |- LimiterUnavailable       503   limiter_unavailable
 |   '- Stopping                 503   stopping
 |- UpstreamTimeout              504   timeout
 '- DatabaseRefused             (400, 401, 403, 404, 406, 409, 423, 429, 504: see database_errors.py)
"""

from __future__ import annotations

from typing import Any

Header = tuple[bytes, bytes]


class ProxyError(Exception):
    """The request could not be served."""

    status: int = 500
    code: str = "internal_error"

    def __init__(self, reason: str = "") -> None:
        """Keep `reason`, one of our own fixed words, for the log only: it never reaches the client."""
        super().__init__(type(self).__doc__)
        self.reason = reason

    def headers(self) -> list[Header]:
        return []

    def body(self, request_id: str) -> dict[str, Any]:
        return {"code": self.code, "message": str(self), "request_id": request_id}


def challenge(error: ProxyError) -> Header:
    """Return the header of every 401; str(error) is the fixed text of its class (R91)."""
    return b"www-authenticate", f'Bearer error="invalid_token", error_description="{error}"'.encode("ascii")


class BadRequest(ProxyError):
    """The request is malformed."""

    status, code = 400, "bad_request"


class BadBody(BadRequest):
    """The body must be one JSON object without duplicate keys, not-a-number values or deep nesting."""

    code = "bad_body"


class QueryRefused(BadRequest):
    """This path takes no such query string."""

    code = "query_not_allowed"


class Unauthenticated(ProxyError):
    """Sign in first."""

    status = 401

    def headers(self) -> list[Header]:
        return [challenge(self)]


class MissingToken(Unauthenticated):
    """Send the access token of a signed-in user as a Bearer token."""

    code = "missing_token"


class InvalidToken(Unauthenticated):
    """The access token is not valid here."""

    code = "invalid_token"


class InvalidApiToken(Unauthenticated):
    """The API token is not valid here: revoked, expired, or ended with the sessions of its owner."""

    code = "invalid_api_token"


class CodeNeeded(Unauthenticated):
    """Send a code of your authenticator app too, as the member code."""

    code = "code_needed"


class NotConfirmed(ProxyError):
    """The password or the code is not right."""

    status, code = 403, "not_confirmed"


class ExpiredToken(Unauthenticated):
    """The access token has expired."""

    code = "expired_token"


class OriginRefused(ProxyError):
    """This origin may not call from a browser."""

    status, code = 403, "origin_not_allowed"


class NotFound(ProxyError):
    """There is nothing at this path."""

    status, code = 404, "not_found"


class UnknownRpc(NotFound):
    """There is no such function."""

    code = "unknown_rpc"


class MethodNotAllowed(ProxyError):
    """This path does not take that method."""

    status, code = 405, "method_not_allowed"

    def __init__(self, *allowed: str) -> None:
        super().__init__()
        self.allowed = allowed

    def headers(self) -> list[Header]:
        return [(b"allow", ", ".join(self.allowed).encode("ascii"))]


class BodyTimeout(ProxyError):
    """The request body did not arrive in time."""

    status, code = 408, "body_timeout"


class TooLarge(ProxyError):
    """The request body is too large."""

    status, code = 413, "body_too_large"


class UnsupportedMedia(ProxyError):
    """Send the body as application/json."""

    status, code = 415, "unsupported_media_type"


class TooMany(ProxyError):
    """Too many requests; wait and try again."""

    status, code = 429, "rate_limited"

    def __init__(self, retry_after_s: int, reason: str = "") -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s

    def headers(self) -> list[Header]:
        return [(b"retry-after", str(self.retry_after_s).encode("ascii"))]


class HeadersTooLarge(ProxyError):
    """The request headers are too large."""

    status, code = 431, "headers_too_large"


class Internal(ProxyError):
    """Something went wrong here; the request id helps to find it."""


class UpstreamFailed(ProxyError):
    """The service behind the edge gave no usable answer."""

    status, code = 502, "upstream_error"


class ResponseTooLarge(UpstreamFailed):
    """The answer is too large; ask for less."""

    code = "response_too_large"


class KeysUnavailable(ProxyError):
    """Access tokens cannot be checked at the moment."""

    status, code = 503, "keys_unavailable"


class Overloaded(ProxyError):
    """Too many requests are being served; try again in a moment."""

    status, code = 503, "overloaded"

    def headers(self) -> list[Header]:
        return [(b"retry-after", b"1")]


class LimiterUnavailable(Overloaded):
    """Requests cannot be counted at the moment; try again in a moment."""

    code = "limiter_unavailable"


class Stopping(Overloaded):
    """This server is stopping; try again."""

    code = "stopping"


class UpstreamTimeout(ProxyError):
    """The service behind the edge did not answer in time."""

    status, code = 504, "timeout"
