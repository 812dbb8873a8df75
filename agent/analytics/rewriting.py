"""From the text as it came to the text that runs, by sqlglot's tree."""

import functools
import re
from collections.abc import Mapping
from typing import Any, Final

import postgast
from postgast import pg_query_pb2 as pg
from sqlglot import ErrorLevel, exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from agent.analytics.functions import FUNCTIONS, SYNTAX
from agent.analytics.limits import Limits
from agent.analytics.nodes import NODES, PLAIN_WORDS, SPECIAL_FORMS
from agent.analytics.refusal import Refused

MARK: Final = "rf__"
"""Before a function's name while sqlglot reads it, so that sqlglot leaves the call as it is: it would write `mod(a, 2)` as `a % 2`, and what it
knows of forty dialects into the rest. Before the names that stand for targets, too. No statement may hold it."""

_DIALECT: Final = Postgres()
_MARKED: Final = (FUNCTIONS | SYNTAX) - PLAIN_WORDS
_OPENING: Final = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET})
_CLOSING: Final = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET})
_TEXTS: Final = frozenset({TokenType.STRING, TokenType.IDENTIFIER, TokenType.NUMBER})
_PLAIN: Final = re.compile("[a-z_][a-z0-9_]*")
_SIDES: Final = {"LEADING": "ltrim", "TRAILING": "rtrim"}
_UPPER_TO_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def folded(name: str) -> str:
    """Return an identifier that stood without quotes as PostgreSQL keeps it: ASCII letters alone become small."""
    return name.translate(_UPPER_TO_LOWER)


def without_comments(sql: str) -> str:
    """Return `sql`, one that PostgreSQL's grammar has read, with a space for each comment. sqlglot knows no `order /* x */ by`."""
    if "--" not in sql and "/*" not in sql:
        return sql
    text, kept, end = sql.encode(), [], 0
    for token in postgast.scan(sql).tokens:
        if token.token in (pg.SQL_COMMENT, pg.C_COMMENT):
            kept += [text[end:token.start], b" "]
            end = token.end
    return b"".join((*kept, text[end:])).decode()


def parse(sql: str, limits: Limits) -> exp.Query:
    """Return sqlglot's tree of one query. Raises: Refused."""
    sql = without_comments(sql)
    try:
        tokens = _DIALECT.tokenize(sql)
        _mark(tokens, limits)
        statements = _DIALECT.parser(error_level=ErrorLevel.IMMEDIATE).parse(tokens, sql)
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, IndexError, KeyError) as err:
        # sqlglot is no validator: on text that is not SQL it can also fall over its own feet.
        raise Refused("parsers_disagree", "PostgreSQL can read the statement, the guard cannot; write it more plainly.") from err
    if len(statements) != 1:
        raise Refused("several_statements", "Exactly one statement runs.")
    if not isinstance(statements[0], exp.Query):
        raise Refused("not_a_query", "Only a SELECT runs.")
    return statements[0]


def _mark(tokens: list[Token], limits: Limits) -> None:
    """Mark the allowed functions in place, and count how deep brackets are nested. Raises: Refused."""
    depth = brackets = 0
    for place, token in enumerate(tokens):
        kind = token.token_type
        if kind in _OPENING:
            depth += 1
            brackets += kind is TokenType.L_BRACKET
            if depth > limits.depth or brackets > limits.brackets:
                raise Refused("too_large", "The statement is nested too deeply.")
            if kind is TokenType.L_PAREN and place:
                before = tokens[place - 1]
                name = folded(before.text)
                if name in _MARKED and before.token_type not in _TEXTS:
                    tokens[place - 1] = Token(TokenType.VAR, MARK + name, before.line, before.col, before.start, before.end)
        elif kind in _CLOSING:
            depth -= 1
            brackets -= kind is TokenType.R_BRACKET


class Rewriting:
    """One walk over sqlglot's tree: everything in it is allowed, names are settled, relations replaced."""

    def __init__(self, places: Mapping[tuple[str, str], tuple[str, str, str]], limits: Limits) -> None:
        """`places`: (schema or nothing, name) as it may be written, to the registered name and to (schema or nothing, name) of what runs."""
        self.places = places
        self.limits = limits
        self.relations: set[str] = set()
        self.functions: set[str] = set()
        self.forms: set[type[exp.Expr]] = set()
        self._nodes = 0

    def run(self, tree: exp.Expr) -> str:
        """Change `tree` in place and return its text. Raises: Refused."""
        stack: list[Any] = [tree]
        while stack:
            node = stack.pop()
            kind = type(node)
            allowed = NODES.get(kind)
            if allowed is None:
                raise Refused("construct_not_allowed", f"{kind.__name__} is not allowed.")
            self._nodes += 1
            if self._nodes > 2 * self.limits.nodes:
                raise Refused("too_large", f"The statement has more than {self.limits.nodes} parts.")
            for name, value in node.args.items():
                if value is None or value is False:
                    continue
                if name not in allowed:
                    if value != []:
                        raise Refused("construct_not_allowed", f"{kind.__name__} with {name.rstrip('_')} is not allowed.")
                elif type(value) is exp.Identifier:
                    # The most frequent node, and always a leaf.
                    _settle(value)
                elif type(value) is list:
                    stack += [one for one in value if isinstance(one, exp.Expr)]
                elif isinstance(value, exp.Expr):
                    stack.append(value)
            if kind is exp.Pow:
                self._call(node, "power", [node.args["this"], node.args["expression"]])
            elif kind is exp.Trim and node.args.get("expression") is None and node.args.get("position") in _SIDES:
                self._call(node, _SIDES[node.args["position"]], [node.args["this"]])
            elif kind in SPECIAL_FORMS:
                self.forms.add(kind)
            elif kind is exp.Identifier:
                _settle(node)
            elif kind is exp.Table:
                self._table(node)
            elif kind is exp.Anonymous:
                self._function(node)
        try:
            return _DIALECT.generate(tree, copy=False, comments=False, normalize_functions=False, unsupported_level=ErrorLevel.RAISE)
        except (SqlglotError, RecursionError, ValueError, TypeError) as err:
            raise Refused("parsers_disagree", "The guard cannot write the statement anew; write it more plainly.") from err

    def _call(self, node: exp.Expr, name: str, arguments: list[exp.Expr]) -> None:
        """Put a plain call in the place of a form that sqlglot writes as one."""
        self.functions.add(name)
        node.replace(exp.Anonymous(this=name, expressions=arguments))

    def _function(self, node: exp.Expr) -> None:
        name = node.args["this"]
        if isinstance(name, str) and folded(name) == "all":
            # `<> all (…)`: a reserved word, so it cannot be a function.
            return
        if not isinstance(name, str) or not name.startswith(MARK):
            raise Refused("function_not_allowed", f"The function {str(name)[:63]} is not allowed.")
        self.functions.add(name.removeprefix(MARK))
        node.args["this"] = name.removeprefix(MARK)

    def _table(self, node: exp.Expr) -> None:
        identifier = node.args["this"]
        if node.args.get("rows_from") or not isinstance(identifier, exp.Identifier):
            return
        schema = node.args.get("db")
        written = _name(identifier)
        place = self.places.get((_name(schema) if schema is not None else "", written))
        if place is None:
            if schema is not None:
                raise Refused("unknown_relation", f"The source has no relation {_name(schema)}.{written}.")
            return
        registered, target_schema, target = place
        self.relations.add(registered)
        if node.args.get("alias") is None:
            node.set("alias", exp.TableAlias(this=exp.Identifier(this=written, quoted=not _is_plain(written))))
        elif node.args["alias"].args.get("this") is None:
            raise Refused("construct_not_allowed", "An alias has a name.")
        # What the walk settled before is gone with this.
        node.set("this", exp.Identifier(this=target, quoted=not (target_schema and _is_plain(target))))
        node.set("db", exp.Identifier(this=target_schema, quoted=not _is_plain(target_schema)) if target_schema else None)


def _name(identifier: exp.Expr) -> str:
    text = str(identifier.args["this"])
    return text if identifier.args.get("quoted") else folded(text)


def _settle(identifier: exp.Expr) -> None:
    """Write one identifier as PostgreSQL keeps it, in quotes unless it can be nothing but a name. Raises: Refused."""
    args = identifier.args
    args["this"], args["quoted"] = _settled(str(args["this"]), bool(args.get("quoted")))


@functools.lru_cache(maxsize=4096)
def _settled(text: str, quoted: bool) -> tuple[str, bool]:
    name = (text if quoted else folded(text)).removeprefix(MARK)
    if not name or len(name.encode()) > 63 or not name.isprintable():
        raise Refused("construct_not_allowed", "A name has 1 to 63 bytes, all of them printable.")
    return name, not _is_plain(name)


@functools.lru_cache(maxsize=4096)
def _is_plain(name: str) -> bool:
    """Whether neither parser could take the word for anything but a name."""
    if not _PLAIN.fullmatch(name) or name in FUNCTIONS or name in SYNTAX:
        return False
    tokens = _DIALECT.tokenize(name)
    return len(tokens) == 1 and tokens[0].token_type is TokenType.VAR and postgast.scan(name).tokens[0].keyword_kind == pg.NO_KEYWORD
