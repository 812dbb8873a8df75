"""The one way from SQL text that a person or a model wrote to SQL text that runs (F49).

What isolation rests on is the database (DESIGN.md section 6); the guard keeps out what is useless or harmful there.
"""

import hashlib
import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from agent.analytics.limits import Limits
from agent.analytics.refusal import Refused
from agent.analytics.relations import Checked, Relation, Schema

__all__ = ["Checked", "Limits", "Refused", "Relation", "Schema", "check"]

_NODES = frozenset({
    exp.Select, exp.From, exp.Table, exp.TableAlias, exp.Column, exp.Identifier, exp.Literal, exp.Star, exp.Alias, exp.Where, exp.And,
    exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Group, exp.Order, exp.Ordered, exp.Limit, exp.Count, exp.Sum,
    exp.Min, exp.Max, exp.Avg,
})


def check(sql: str, schema: Schema, limits: Limits = Limits()) -> Checked:
    """Return the statement as it may run. Pure: no clock, no network, no database. Raises: Refused."""
    if len(sql) > limits.characters:
        raise Refused("too_large", f"The statement is longer than {limits.characters} characters.")
    try:
        statements = sqlglot.parse(sql, dialect="postgres")
    except (SqlglotError, RecursionError, ValueError) as err:
        raise Refused("not_parsed", "The statement is not SQL that can be read.") from err
    if len(statements) != 1:
        raise Refused("several_statements", "Exactly one statement runs.")
    tree = statements[0]
    if not isinstance(tree, exp.Query) or not tree.selects:
        raise Refused("not_a_query", "Only a SELECT runs.")
    names = set()
    for node in tree.walk():
        if type(node) not in _NODES:
            raise Refused("construct_not_allowed", "The statement holds a construct that is not allowed.")
        if isinstance(node, exp.Identifier) and not re.fullmatch("[a-z_][a-z0-9_]{0,62}", str(node.this)):
            raise Refused("construct_not_allowed", "The statement holds a name that is not allowed.")
    for table in list(tree.find_all(exp.Table)):
        relation = schema.relations.get(table.name)
        if relation is None or table.db or not re.fullmatch(r"[a-z_]+\.[a-z_]+", relation.target):
            raise Refused("unknown_relation", "The source has no relation of that name.")
        names.add(table.name)
        place = exp.to_table(relation.target, dialect="postgres", alias=table.alias or table.name)
        table.replace(place)
    columns = set().union(*(schema.relations[name].columns for name in names))
    for column in tree.find_all(exp.Column):
        if column.name not in columns and not isinstance(column.this, exp.Star):
            raise Refused("unknown_column", "The source has no column of that name.")
    text = tree.sql(dialect="postgres", comments=False)
    functions = sorted({node.sql_name().lower() for node in tree.find_all(exp.Func) if node.sql_name() not in {"AND", "OR"}})
    return Checked(text, tuple(sorted(names)), tuple(functions), hashlib.sha256(text.encode()).hexdigest())
