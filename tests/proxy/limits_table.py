"""The table of limits in edge_proxy/README.md, made from edge_proxy/limits.py: `python -m tests.proxy.limits_table` writes it anew."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from edge_proxy.limits import Limits, Rate

EDGE = Path(__file__).resolve().parents[2] / "edge_proxy"
PAGE = EDGE / "README.md"
BEGIN, END = "<!-- limits: made by tests/proxy/limits_table.py -->\n", "<!-- end of limits -->\n"
_VARIABLE = re.compile(r"RINGFENCE_[A-Z_]+")


def docs() -> dict[str, str]:
    """Return the text below each field, in one line."""
    [limits] = [node for node in ast.parse((EDGE / "limits.py").read_text()).body if isinstance(node, ast.ClassDef) and node.name == "Limits"]
    found = {}
    for field, below in zip(limits.body, [*limits.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            said = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
            found[field.target.id] = " ".join(str(said).split())
    return found


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
    if name.endswith("_seconds") and value >= 0:
        return f"{value:g} s"
    return f"{value:,.3g}" if value < 1 else f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"


def table() -> str:
    lines = ["| limit | number | what it bounds |", "|---|---|---|"]
    for name, said in docs().items():
        lines.append(f"| `{name}` | {shown(name, getattr(Limits(), name))} | {_VARIABLE.sub(lambda m: f'`{m[0]}`', said)} |")
    return "\n".join(lines) + "\n"


def page_with(text: str) -> str:
    before, rest = PAGE.read_text().split(BEGIN)
    return before + BEGIN + text + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page_with(table()))
