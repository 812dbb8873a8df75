"""Why a statement does not run: a closed list of codes that a person and a model can act on."""

from typing import Final

CODES: Final = frozenset({
    "not_parsed",
    "several_statements",
    "not_a_query",
    "too_large",
    "construct_not_allowed",
    "function_not_allowed",
    "type_not_allowed",
    "operator_not_allowed",
    "unknown_relation",
    "unknown_column",
    "parsers_disagree",
})
"""not_parsed: no SQL of PostgreSQL. several_statements, not_a_query: exactly one SELECT runs. too_large: a ceiling of
`Limits`. *_not_allowed: outside the allowlist. unknown_*: not in the source. parsers_disagree: the two parsers read it differently."""


class Refused(Exception):
    """The statement is refused. `message` is a sentence that quotes nothing but names of the statement itself."""

    def __init__(self, code: str, message: str) -> None:
        if code not in CODES:
            raise ValueError(f"unknown code {code}")
        # It is shown in terminals and pages, and quotes names as they came.
        message = "".join(one if one.isprintable() else "\ufffd" for one in message)
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type["Refused"], tuple[str, str]]:
        return Refused, (self.code, self.message)
