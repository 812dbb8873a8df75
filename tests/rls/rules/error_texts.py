"""What a definer's errors tell: values of a row the caller may not see, or that it exists."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls.analysis import tree
from tests.rls.analysis.flow import Flow
from tests.rls.analysis.model import Model, act
from tests.rls.analysis.plpgsql import tokens
from tests.rls.analysis.reading import Line
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for function in context.catalog.own_functions():
        callers = model.callers(function)
        if not function.definer or function.language != "plpgsql" or not callers or function.is_trigger:
            continue
        for name, what in _told(model, Flow(model, function)):
            arguments = ", ".join(f"<an id of another tenant>::{a.type}" for a in function.arguments)
            yield Finding(name, function.label, "execute", "member of another organization", f"function {function.label}: {what}", " ".join(function.source.split())[:600],
                          act(callers[-1], f"select {function.sql}({arguments}); -- and once more with a random id: the errors differ or hold values"))


def _told(model: Model, flow: Flow) -> Iterator[tuple[str, str]]:
    rows = {name for name, setters in flow.setters.items() for s in setters
            if s.node is not None and s.step.kind == "sql" and "select_stmt" in s.node and not model.reading.identifies(s.node) and any(model.belongs(t) for t in model.reading.read_tables(s.node) if t.kind in "rp")}
    missing, refused = "", ""
    branch: Line | None = None
    for line in flow.body.lines:
        if line.step.kind in ("if", "else", "end if"):
            branch = line if line.step.kind == "if" else None
        if line.step.kind != "raise" or branch is None or branch.node is None:
            continue
        words = tokens(line.step.text)
        message = next((w.text for w in words if w.kind == "text"), "")
        knows = model.reading.identifies(branch.node) and bool(flow.names(branch.node) & rows)
        found = re.search(rf"\b({'|'.join(map(re.escape, sorted(rows)))})\.(?!id\b)(\w+)", line.step.text.replace(message, ""), re.I) if rows else None
        if knows and found:
            yield "error-carries-row", f"the error of a refused call holds {found.group()} of a row the caller may not see"
        if knows:
            refused = message
        elif [n for n in tree.columns(branch.node) if n == ("found",)] or any(k == "null_test" for k, _ in tree.walk({"top": branch.node})) and flow.names(branch.node) & rows:
            missing = message
    if rows and missing and refused and missing != refused:
        yield "error-tells-existence", f"another error for a row of another tenant ({refused}) than for one that does not exist ({missing}): ids can be probed"
