"""What policies and functions ask about a membership: whose it is, in which role, whether it is in force."""

from __future__ import annotations

import re

from tests.rls.analysis import tree
from tests.rls.analysis.model import Model
from tests.rls.analysis.predicate import Alternative
from tests.rls.catalog import Policy


EXPIRES = re.compile(r"expire|valid_(to|until)|(^|_)(until|ends_at|ends_on|end_date)$", re.I)


def asks_role(model: Model, condition: tree.Node | str | None) -> bool:
    """Return whether a condition looks at the role of a member, itself or in a helper; also where roles cannot be known."""
    known = model.tenancy.membership
    node = tree.expression(condition) if condition is None or isinstance(condition, str) else condition
    if node is None:
        return False
    functions = model.reading.closure(model.reading.called(node))
    if known is None or (known.role_column is None and known.role_table is None):
        return bool(functions)
    if "role" in tree.constants(node):
        return True
    texts = [node, *(one for f in functions for one in model.reading.body(f).nodes)]
    tables = {relation.oid for text in texts for relation in model.reading.read_tables(text)}
    if known.role_table is not None and known.role_table in tables:
        return True
    inner = [one for key, one in tree.walk(node) if key == "sub_link"]
    columns = {name[-1] for text in [*inner, *texts[1:]] for name in tree.columns(text)}
    return known.role_column in columns


def asks_status(model: Model, node: object) -> bool:
    """Return whether a tree looks at what says that a membership is in force."""
    known = model.tenancy.membership
    if known is None:
        return True
    table = model.catalog.tables[known.table]
    wanted = {known.status_column, *(name for name, _ in known.flags), *known.ends, *known.starts} - {None}
    wanted |= {c.name for c in table.columns if c.base_type in ("daterange", "tstzrange", "tsrange") or EXPIRES.search(c.name)}
    return not wanted or bool(wanted & {name[-1] for name in tree.columns(node)})


def plain_member(model: Model, policy: Policy, alternative: Alternative) -> bool:
    """Return whether all an alternative asks is to be a member of the row's tenant: no role, no user column, no condition on the row."""
    table = next(t for t in model.tables if t.label == policy.table)
    users = {*model.tenancy.of(table).user_columns}
    bound = [fact for fact in alternative if fact.kind == "bound"]
    return bool(bound) and len(bound) == len(alternative) and not any(fact.columns & users for fact in bound)
