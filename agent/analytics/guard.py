"""The one way from SQL text that a person or a model wrote to SQL text that runs (F49).

    text -> PostgreSQL's grammar: one SELECT, only allowed constructs, functions, types, operators, relations, columns   (opinion)
         -> sqlglot's tree: only allowed nodes; names settled, relations replaced by their targets; written anew          (rewriting)
         -> PostgreSQL's grammar again, over the new text: the same rules, the same meaning                               (opinion)
         -> how long its values can get, and how many rows come together in one: what would fill memory is refused        (weighing)

Only the new text runs. What isolation rests on is the database (DESIGN.md section 6); the guard keeps out what is useless or harmful there.
"""

import functools
import hashlib
import re

import postgast

from agent.analytics import opinion, rewriting, weighing
from agent.analytics.limits import Limits
from agent.analytics.nodes import SPECIAL_FORMS
from agent.analytics.refusal import Refused
from agent.analytics.relations import Checked, Relation, Schema

__all__ = ["Checked", "Limits", "Refused", "Relation", "Schema", "check"]

_QUALIFIED = re.compile(r"([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)")
_STANDING_IN = re.compile(f'"({rewriting.MARK}[0-9]+)"')
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")
_DEFAULT = Limits()


def check(sql: str, schema: Schema, limits: Limits = _DEFAULT) -> Checked:
    """Return the statement as it may run. Pure: no clock, no network, no database. Raises: Refused."""
    if len(sql) > limits.characters:
        raise Refused("too_large", f"The statement is longer than {limits.characters} characters.")
    if _NO_TEXT.search(sql) or rewriting.MARK in sql.lower():
        raise Refused("not_parsed", f"A statement holds no control characters and no name with {rewriting.MARK}.")
    written, places, subqueries = _registered(schema)

    asked = opinion.Reading(written, limits)
    asked.select(opinion.parse(sql))

    tree = rewriting.Rewriting(places, limits)
    text = tree.run(rewriting.parse(sql, limits))

    standing = _standing(schema, places)
    runs, statement = opinion.Reading(standing, limits), opinion.parse(text)
    runs.select(statement)
    if asked.form != runs.form or not tree.relations == asked.relations == runs.relations or not _agree(tree, runs.functions):
        raise Refused("parsers_disagree", "Two parsers read the statement differently; write it more plainly.")
    weighing.Weighing(standing, schema, limits).query(statement)
    if subqueries:
        # In one pass: a target's own text, with the names of an uploaded file in it, is not looked at again.
        text = _STANDING_IN.sub(lambda found: f"({subqueries[found[1]]})", text)
    return Checked(text, tuple(sorted(runs.relations)), tuple(sorted(runs.functions)), hashlib.sha256(text.encode()).hexdigest())


def _agree(tree: rewriting.Rewriting, functions: set[str]) -> bool:
    """Whether each function that PostgreSQL reads stands in sqlglot's tree, and the other way round."""
    forms = [SPECIAL_FORMS[form] for form in tree.forms]
    return functions - tree.functions <= frozenset().union(*forms) and tree.functions <= functions and all(form & functions for form in forms)


def _registered(schema: Schema) -> tuple[dict[tuple[str, str], tuple[str, list[str]]], dict[tuple[str, str], tuple[str, str, str]], dict[str, str]]:
    """Return how relations may be written, with their columns; what is put in their place; and the subqueries among those, by a name that stands for each."""
    written: dict[tuple[str, str], tuple[str, list[str]]] = {}
    places: dict[tuple[str, str], tuple[str, str, str]] = {}
    subqueries: dict[str, str] = {}
    for number, (name, relation) in enumerate(schema.relations.items()):
        columns = list(relation.columns)
        written["", name] = name, columns
        if qualified := _QUALIFIED.fullmatch(relation.target):
            place = qualified[1], qualified[2]
            written.setdefault(place, (name, columns))
        else:
            _trusted(relation.target)
            place = "", f"{rewriting.MARK}{number}"
            subqueries[place[1]] = relation.target
        places["", name] = name, *place
        if place[0]:
            places.setdefault(place, (name, *place))
    return written, places, subqueries


def _standing(schema: Schema, places: dict[tuple[str, str], tuple[str, str, str]]) -> dict[tuple[str, str], tuple[str, list[str]]]:
    """Return what may stand in the text that runs: targets, and no registered name by itself."""
    return {(target_schema, target): (name, list(schema.relations[name].columns)) for name, target_schema, target in places.values()}


@functools.lru_cache(maxsize=256)
def _trusted(target: str) -> None:
    """Raises: ValueError, when a target of the worker's own making is not one SELECT that can stand in brackets."""
    tree = postgast.parse(f"select 1 from ({target}) t")
    if len(tree.stmts) != 1:
        raise ValueError("a relation's target is a qualified name or one SELECT")
