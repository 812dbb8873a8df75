"""sql/PRIVACY.md promises nothing without a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "sql" / "PRIVACY.md").read_text()
NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_\w+)`")


def missing(text: str) -> list[str]:
    """The tests that a page names and that there are not."""
    def there(file: str, name: str) -> bool:
        return (ROOT / file).is_file() and re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE) is not None

    return [f"{file}::{name}" for file, name in NAMED.findall(text) if not there(file, name)]


def test_every_test_that_the_page_names_exists_F67_F68() -> None:
    assert len(NAMED.findall(PAGE)) > 30
    assert missing(PAGE) == []


def test_every_promise_names_a_test() -> None:
    promises = [line for line in PAGE.partition("\n## GDPR\n")[2].splitlines() if line.startswith("| ") and not line.startswith(("| article", "| section", "| risk"))]
    assert len(promises) > 25
    assert [line for line in promises if not NAMED.search(line)] == []
    for wanted in ("15, 20", "17(1)", "32(1)(b)", "1798.105", *(f"LLM{n:02}" for n in range(1, 11))):
        assert wanted in PAGE


@pytest.mark.parametrize("line", ["`tests/db/test_erasure.py::test_nothing_of_the_sort`", "`tests/db/test_gone.py::test_anything`"])
def test_a_test_that_is_gone_is_missed(line: str) -> None:
    assert missing(line) == [line.strip("`")]


def test_every_test_that_the_readme_names_exists() -> None:
    named = re.findall(r"`(?:tests/(?:\w+/)*)?test_\w+\.py`", (ROOT / "README.md").read_text())
    assert len(named) > 10
    # In a list the folder stands before the first alone.
    assert [name for name in named if not (ROOT / name.strip("`")).is_file() and not (ROOT / "tests" / "db" / name.strip("`")).is_file()] == []
