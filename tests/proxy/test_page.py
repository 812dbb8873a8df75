"""The page for operators says what the code does: every limit with its number, every metric by its name, every variable that is read."""

from __future__ import annotations

import re

from prometheus_client import generate_latest

from edge_proxy.metrics import Metrics
from tests.proxy.limits_table import EDGE, PAGE, TABLES, docs, page


def test_the_tables_of_limits_are_those_of_the_code_R92() -> None:
    assert PAGE.read_text() == page(), "python -m tests.proxy.limits_table writes it anew"
    said = {f"{file} {name}": what for file, kind in TABLES.values() for name, what in docs(file, kind).items()}
    assert len(said) > 80 and [name for name, what in said.items() if not what] == []


def test_every_metric_that_the_page_names_exists_F77() -> None:
    text = generate_latest(Metrics(lambda: 0, 1).registry).decode()
    for name in re.findall(r"ringfence_edge_\w+", PAGE.read_text()):
        assert name.removesuffix("_total") in text, name


def test_every_variable_that_is_read_is_on_the_page_and_the_other_way_round() -> None:
    read = {name for file in ("config.py", "settings.py") for name in re.findall(r"(?:RINGFENCE|SUPABASE)_[A-Z_]+[A-Z]", (EDGE / file).read_text())}
    written = set(re.findall(r"(?:RINGFENCE|SUPABASE)_[A-Z_]+[A-Z]", PAGE.read_text()))
    assert written - read == {"RINGFENCE_RATE"} and read - written == set()
