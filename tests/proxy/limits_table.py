"""The tables of limits in edge_proxy/README.md, made from the code: `python -m tests.proxy.limits_table` writes them anew."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from agent.documents.limits import DocumentLimits
from agent.limits import Limits as AnswerLimits
from edge_proxy.limits import Limits, Rate

ROOT = Path(__file__).resolve().parents[2]
EDGE = ROOT / "edge_proxy"
PAGE = EDGE / "README.md"
TABLES: dict[str, tuple[str, type]] = {
    "limits": ("edge_proxy/limits.py", Limits),
    "limits of an answer": ("agent/limits.py", AnswerLimits),
    "limits of a file": ("agent/documents/limits.py", DocumentLimits),
}
_VARIABLE = re.compile(r"RINGFENCE_[A-Z_]+")


def docs(file: str, kind: type) -> dict[str, str]:
    """Return the text below each field, in one line."""
    [limits] = [node for node in ast.parse((ROOT / file).read_text()).body if isinstance(node, ast.ClassDef) and node.name == kind.__name__]
    found = {}
    for field, below in zip(limits.body, [*limits.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            said = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
            found[field.target.id] = " ".join(str(said).split())
    return {name: said for name, said in found.items() if not name.startswith("_")}


def shown(name: str, value: object) -> str:
    if isinstance(value, Rate):
        return f"{quantity(name, value.per_second)}/s, {quantity(name, value.burst)} at once"
    assert isinstance(value, int | float)
    return quantity(name, value)


def quantity(name: str, value: float) -> str:
    if "bytes" in name:
        for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
            if value >= size:
                return f"{value / size:.4g} {unit}"
    if name.endswith(("_seconds", "_s")) and value >= 0:
        return f"{value:g} s"
    return f"{value:,.3g}" if value < 1 else f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"


def table(file: str, kind: type) -> str:
    lines = ["| limit | number | what it bounds |", "|---|---|---|"]
    for name, said in docs(file, kind).items():
        lines.append(f"| `{name}` | {shown(name, getattr(kind(), name))} | {_VARIABLE.sub(lambda m: f'`{m[0]}`', said)} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the page with each table as the code has it."""
    text = PAGE.read_text()
    for name, (file, kind) in TABLES.items():
        begin, end = f"<!-- {name}: made by tests/proxy/limits_table.py -->\n", f"<!-- end of {name} -->\n"
        before, rest = text.split(begin)
        text = before + begin + table(file, kind) + end + rest.split(end)[1]
    return text


if __name__ == "__main__":
    PAGE.write_text(page())
