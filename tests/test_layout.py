"""The shape of the repository: which room may import which, how long a module may be, what no file may hold."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted([*(ROOT / "edge_proxy").rglob("*.py"), *(ROOT / "agent").rglob("*.py")])
LONGEST_MODULE = 250


def imports(file: Path) -> Iterator[str]:
    """Yield the top-level package of every import, also those inside functions."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def forbidden(file: Path) -> set[str]:
    room, *inner = file.relative_to(ROOT).parts
    if room == "edge_proxy":
        return {"agent", "tests"}
    return {"tests"} if inner[0] == "cli" else {"edge_proxy", "tests"}


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_run_one_way_and_modules_stay_short(file: Path) -> None:
    assert set(imports(file)) & forbidden(file) == set()
    assert len(file.read_text().splitlines()) <= LONGEST_MODULE


def test_an_import_inside_a_function_is_seen(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("def f():\n    from agent.cli import main\n    import tests.support\n")
    assert set(imports(planted)) == {"agent", "tests"}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-names.lock"])
def test_every_locked_python_package_has_a_hash_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links", text)
    requirements = re.split(r"\n(?=[a-z0-9])", re.sub(r"^(#.*\n)+", "", text))
    assert len(requirements) > 30
    assert [one.split(" ")[0] for one in requirements if "--hash=sha256:" not in one] == []


def test_the_locked_node_packages_name_no_address() -> None:
    packages = json.loads((ROOT / "supabase" / "package-lock.json").read_text())["packages"]
    assert len(packages) > 10
    assert [name for name, package in packages.items() if "resolved" in package] == []
    wanted = json.loads((ROOT / "supabase" / "package.json").read_text())
    assert all(re.fullmatch(r"[0-9][0-9a-z.-]*", version) for version in (wanted["dependencies"] | wanted["devDependencies"]).values()), "pinned"


def test_the_exposed_schema_is_api_alone_R3() -> None:
    import tomllib

    config = tomllib.loads((ROOT / "supabase" / "config.toml").read_text())
    assert config["api"]["schemas"] == ["api"]
    assert config["api"]["auto_expose_new_tables"] is False
    assert config["db"]["seed"]["enabled"] is False


def test_no_file_of_the_repository_holds_a_secret_or_a_path_of_one_machine() -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    pattern = re.compile(r"sb_secret_[A-Za-z0-9]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY-----|/home/[a-z]+/|/root/|/w[o]rk/main")
    found = []
    for name in filter(None, files):
        path = ROOT / name
        if path.suffix in {".lock", ".json"} or path == Path(__file__) or not path.is_file():
            continue
        if match := pattern.search(path.read_text(errors="ignore")):
            found.append(f"{name}: {match[0]}")
    assert found == []


CLOCKS = {"second_factor", "now", "utcnow", "today", "time", "time_ns", "monotonic"}


def read_at_import(tree: ast.Module) -> Iterator[str]:
    """Yield each call by which a module asks for the time when it is loaded; what stands in a function is asked later."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in CLOCKS:
                yield f"line {node.lineno}: {ast.unparse(node)}"


def test_no_test_takes_the_time_when_it_is_collected() -> None:
    """A slow machine comes to it half an hour later: what was now is long ago, and what is refused for that proves nothing."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    assert len(files) > 300
    assert [f"{file.relative_to(ROOT)}, {said}" for file in files for said in read_at_import(ast.parse(file.read_text()))] == []


def test_the_time_in_a_parameter_or_a_table_of_cases_is_seen() -> None:
    planted = ("import time\nAAL2 = second_factor()\nLATER = lambda: time.time()\n"
               "@pytest.mark.parametrize('at', [time.time()])\ndef test(at, also=datetime.now()):\n    time.time()\n")
    assert sorted(read_at_import(ast.parse(planted))) == ["line 2: second_factor()", "line 4: time.time()", "line 5: datetime.now()"]
