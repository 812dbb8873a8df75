"""A pytest plugin: one test for each finding, each thing not covered and each kind of check of a database.

    pytest -p tests.rls.plugin --rls-database-url postgresql://... [--rls-config FILE] rls_cells.toml

The run is made once, when tests are collected. The file `rls_cells.toml` may be empty or hold the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rls import config, engine
from tests.rls.finding import Finding, NotCovered

CELLS = "rls_cells.toml"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ringfence rls")
    group.addoption("--rls-database-url", help="database to check; nothing is committed")
    group.addoption("--rls-config", type=Path, help="TOML file as of `ringfence rls test --config`; default: the rls_cells.toml found")


def pytest_collect_file(parent: pytest.Collector, file_path: Path) -> pytest.Collector | None:
    if file_path.name == CELLS and parent.config.getoption("--rls-database-url"):
        return Cells.from_parent(parent, path=file_path)
    return None


class Cells(pytest.File):
    """One database."""

    def collect(self) -> Iterator[pytest.Item]:
        url = self.config.getoption("--rls-database-url")
        told = self.config.getoption("--rls-config") or self.path
        result = engine.run(url, config.load(told))
        for number, finding in enumerate(result.findings):
            yield Cell.from_parent(self, name=f"{finding.object} {finding.command} as {finding.persona}: {finding.id} [{number}]", said=finding)
        for one in result.not_covered:
            yield Cell.from_parent(self, name=f"{one.object} {one.command}: covered", said=one)
        for kind, number in sorted(result.checked.items()):
            yield Cell.from_parent(self, name=f"{number} {kind}", said=None)


class Cell(pytest.Item):
    """Fails with the finding; passes for what was checked."""

    def __init__(self, *, said: Finding | NotCovered | None, **rest: Any) -> None:
        super().__init__(**rest)
        self.said = said

    def runtest(self) -> None:
        if self.said is not None:
            raise Leak(self.said)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, Leak):
            said = excinfo.value.said
            return f"{said.finding}\nseen: {said.evidence}\n\n{said.reproduce}" if isinstance(said, Finding) else f"not covered: {said.reason}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


class Leak(Exception):
    """A finding, or something not covered."""

    def __init__(self, said: Finding | NotCovered) -> None:
        super().__init__(said)
        self.said = said
