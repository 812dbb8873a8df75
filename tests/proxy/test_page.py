"""The page for operators says what the code does: every limit with its number, every metric by its name, every variable that is read."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import generate_latest

from edge_proxy.metrics import Metrics
from tests.proxy.limits_table import EDGE, PAGE, docs, page_with, table


def test_the_table_of_limits_is_the_one_of_the_code_R92() -> None:
    assert PAGE.read_text() == page_with(table()), "python -m tests.proxy.limits_table writes it anew"
    assert len(docs()) > 50 and [name for name, said in docs().items() if not said] == []


def test_every_metric_that_the_page_names_exists_F77() -> None:
    text = generate_latest(Metrics(lambda: 0, 1).registry).decode()
    for name in re.findall(r"ringfence_edge_\w+", PAGE.read_text()):
        assert name.removesuffix("_total") in text, name


def test_every_variable_that_is_read_is_on_a_page_and_the_other_way_round() -> None:
    read = {name for file in ("config.py", "settings.py") for name in re.findall(r"RINGFENCE_[A-Z_]+[A-Z]", (EDGE / file).read_text())}
    pages = PAGE.read_text() + (Path(EDGE).parent / "README.md").read_text()
    written = set(re.findall(r"RINGFENCE_[A-Z_]+[A-Z]", PAGE.read_text()))
    assert written - read == set()
    missing = {name for name in read if name not in pages}
    assert missing == {"RINGFENCE_REST_URL", "RINGFENCE_AUTH_URL", "RINGFENCE_JWKS_URL", "RINGFENCE_ISSUER", "RINGFENCE_AUDIENCE", "RINGFENCE_ALGORITHMS",
                       "RINGFENCE_PORT", "RINGFENCE_AGENT_APP"}, "these are for stacks put together by hand"
