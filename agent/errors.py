"""Every failure of the agent, grouped by who has to act next.

AgentError                          status  code                 next actor
 |- Misconfigured                    500    misconfigured        operator
 |- BadRequest                       400    invalid_request      app developer
 |   |- BadDocument                  400    invalid_document     person (another file)
 |   |   |- UnsupportedDocument      415    unsupported_document
 |   |   |- BrokenDocument           422    broken_document
 |   |   |- EncryptedDocument        422    encrypted_document
 |   |   |- EmptyDocument            422    empty_document
 |   |   |- DocumentTooLarge         413    document_too_large
 |   |   '- DocumentTooExpensive     422    document_too_expensive
 |   |- NoChart                      404    no_chart             app developer (nothing in this result can be drawn)
 |   |- BadTable                     422    bad_table            person (another file)
 |   '- TooLarge                     413    too_large            app developer
 |- Unauthenticated                  401    invalid_token        person (sign in again)
 |- DatabaseError                    (by SQLSTATE, see `DatabaseError.registry`)
 |   |- BadArguments  22023 22004 …  400    invalid_argument     model (retries)
 |   |- Denied        42501          403    denied               person (stop and say so)
 |   |- NotVisible    PT404          404    not_found            model (adapts)
 |   |- Conflict      23505 PT409 …  409    conflict             model (reads again)
 |   |   '- NotFinished              409    no_result            app developer (later, or never: the job says)
 |   |- StepUp        PT401          401    aal_required         person (stronger sign-in)
 |   |- Held          PT423          423    legal_hold           organization (releases the hold)
 |   |- QuotaExceeded PT429          429    quota                tenant (stop the run)
 |   |- TimedOut      57014          504    timeout              loop (one retry of a read)
 |   '- UpstreamFailed  anything     502    upstream_error       operator
 |- ChartNotDrawn                    422    chart_not_drawn      app developer (the rows are there without it)
 |- ProviderRefused                   403    provider_refused     tenant (its data policy) or operator (register the provider)
 |- BudgetSpent                       429    budget_spent         tenant (its budget)
 |- ModelError
 |   |- ModelUnavailable             502    model_unavailable    operator
 |   |- ModelBusy                    503    model_busy           app developer (later)
 |   |- ModelTimedOut                504    model_timeout        app developer (later)
 |   '- ModelMalformed               502    model_malformed      operator
 |- NotOpened                        500    secret_not_opened    operator (agent.sealing)
 '- LimitExceeded                    429    limit_exceeded       nobody: the run stops
     |- TooManyModelCalls                   limit_model_calls
     |- TooManyToolCalls                    limit_tool_calls
     |- RepeatedCall                        limit_repeated_call
     |- OutOfTokens                         limit_tokens
     '- OutOfTime                    504    limit_wall_time

The docstring of a class is its public message. The kinds of BadDocument are in `agent.documents.errors`, those of results in `agent.analytics.errors`.
"""

from typing import ClassVar


class AgentError(Exception):
    """The agent could not answer."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)

    @property
    def message(self) -> str:
        return str(self.args[0])


class Misconfigured(AgentError):
    """The agent is not configured correctly."""

    code = "misconfigured"


class BadRequest(AgentError):
    """The request is not a valid chat completion request."""

    status, code = 400, "invalid_request"


class BadDocument(BadRequest):
    """The document cannot be stored as text."""

    code = "invalid_document"


class TooLarge(BadRequest):
    """The request body is too large."""

    status, code = 413, "too_large"


class Unauthenticated(AgentError):
    """A valid access token is required."""

    status, code = 401, "invalid_token"


class DatabaseError(AgentError):
    """The database refused the call."""

    registry: ClassVar[dict[str, type["DatabaseError"]]] = {}

    def __init_subclass__(cls, *, sqlstates: tuple[str, ...] = ()) -> None:
        # The edge answers with its own word in `code`: a client behind it finds the same class.
        for key in (*sqlstates, cls.code):
            DatabaseError.registry[key] = cls


class BadArguments(DatabaseError, sqlstates=("22023", "22004", "22P02", "23514", "PGRST202", "PGRST102")):
    """An argument is missing, of the wrong type or out of range."""

    status, code = 400, "invalid_argument"


class Denied(DatabaseError, sqlstates=("42501",)):
    """The database refused this action for this user."""

    status, code = 403, "denied"


class NotVisible(DatabaseError, sqlstates=("PT404",)):
    """The record does not exist or is not visible to this user."""

    status, code = 404, "not_found"


class Conflict(DatabaseError, sqlstates=("PT409", "23505", "40001", "40P01")):
    """The record was changed or exists already."""

    status, code = 409, "conflict"


class StepUp(DatabaseError, sqlstates=("PT401",)):
    """A new or stronger sign-in is needed."""

    status, code = 401, "aal_required"


class Held(DatabaseError, sqlstates=("PT423",)):
    """A legal hold keeps this."""

    status, code = 423, "legal_hold"


class QuotaExceeded(DatabaseError, sqlstates=("PT429",)):
    """The organization's quota is used up."""

    status, code = 429, "quota"


class TimedOut(DatabaseError, sqlstates=("57014",)):
    """The database took too long."""

    status, code = 504, "timeout"


class UpstreamFailed(DatabaseError):
    """The database service failed."""

    status, code = 502, "upstream_error"


class ProviderRefused(AgentError):
    """The organization does not allow this provider of models."""

    status, code = 403, "provider_refused"


class BudgetSpent(AgentError):
    """The organization's budget for models is spent."""

    status, code = 429, "budget_spent"


class ModelError(AgentError):
    """The language model could not be used."""

    status, code = 502, "model_unavailable"


class ModelUnavailable(ModelError):
    """The language model refused the call or cannot be reached."""


class ModelBusy(ModelError):
    """The language model is busy. Try again later."""

    status, code = 503, "model_busy"


class ModelTimedOut(ModelError):
    """The language model took too long."""

    status, code = 504, "model_timeout"


class ModelMalformed(ModelError):
    """The language model sent an answer that is not in the expected format."""

    code = "model_malformed"


class LimitExceeded(AgentError):
    """The run reached a limit and was stopped."""

    status, code = 429, "limit_exceeded"


class TooManyModelCalls(LimitExceeded):
    """The run was stopped: too many model calls."""

    code = "limit_model_calls"


class TooManyToolCalls(LimitExceeded):
    """The run was stopped: too many tool calls."""

    code = "limit_tool_calls"


class RepeatedCall(LimitExceeded):
    """The run was stopped: the same tool call was repeated."""

    code = "limit_repeated_call"


class OutOfTokens(LimitExceeded):
    """The run was stopped: too many tokens."""

    code = "limit_tokens"


class OutOfTime(LimitExceeded):
    """The run was stopped: it took too long."""

    status, code = 504, "limit_wall_time"


# Raised by our functions with a fixed sentence; the sentences of other codes are PostgreSQL's and name schema objects.
_OUR_SENTENCES = ("22023", "22004", "42501", "PT4")


def database_error(sqlstate: str, message: str) -> DatabaseError:
    """Return the typed error for what PostgREST answered, with its message only where that is a sentence of ours."""
    known = DatabaseError.registry.get(sqlstate, UpstreamFailed)
    return known(message if sqlstate.startswith(_OUR_SENTENCES) else None)
