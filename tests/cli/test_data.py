"""`ringfence sql | ask | table load` against a running stack with its worker: rows, files, charts, and refusals people can read."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from agent.cli.login import call_as
from agent.cli.options import target
from agent.naming import organization_id
from tests.stack.support import ringfence

CSV = "Region,Sold (EUR),Day\nnorth,10.50,2026-01-31\nsouth,-3,2026-02-01\n=1+1,7,2026-02-02\n"


@pytest.fixture
def as_owner(stack: dict[str, Any]) -> list[str]:
    return ["--as", "owner@acme.test", "--state-dir", stack["state_dir"]]


def test_sql_gives_rows_as_csv_into_a_pipe_and_each_their_own_F50(stack: dict[str, Any], as_owner: list[str]) -> None:
    counted = {}
    for person in ("owner", "auditor"):
        done = ringfence("sql", "acme/shop", "select count(*) as n from orders", "--as", f"{person}@acme.test", "--state-dir", stack["state_dir"])
        counted[person] = (done.returncode, done.stdout)
    assert counted["owner"][0] == 0 and counted["owner"][1].startswith("n\n") and int(counted["owner"][1].split()[1]) >= 1
    assert counted["auditor"][0] == 1, "their role does not run jobs"


def test_refused_sql_says_why_and_has_an_exit_status_of_its_own_F49(as_owner: list[str]) -> None:
    done = ringfence("sql", "acme/shop", "select pg_sleep(1)", *as_owner)
    assert done.returncode == 3 and "refused: " in done.stderr and "job " in done.stderr and done.stdout == ""


def test_a_question_without_a_model_is_refused_and_says_that_sql_works_F48(as_owner: list[str]) -> None:
    done = ringfence("ask", "acme/shop", "How many orders are there?", *as_owner)
    assert done.returncode == 3 and "Ask in SQL instead" in done.stderr and "no_model" in done.stderr


@pytest.mark.parametrize("source", ["acme/no-such-source", "globex/shop", "shop"])
def test_a_source_that_is_not_there_or_not_yours_is_said_in_one_line(as_owner: list[str], source: str) -> None:
    done = ringfence("sql", source, "select 1 as one", *as_owner)
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr


def test_a_file_becomes_a_table_and_its_rows_come_back_as_files_and_a_picture_F48_F54(stack: dict[str, Any], as_owner: list[str], tmp_path: Path) -> None:
    name = f"sales_{secrets.token_hex(3)}"
    (tmp_path / "sales.csv").write_text(CSV)
    loaded = ringfence("table", "load", "acme/shop", name, str(tmp_path / "sales.csv"), "--meaning", "region=Where it was sold.", *as_owner)
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.strip() == f"{name}: 3 row(s); region text, sold_eur numeric, day date"
    files = {kind: tmp_path / f"out.{kind}" for kind in ("csv", "parquet", "svg")}
    done = ringfence("sql", "acme/shop", f"select region, sold_eur from {name} order by sold_eur", "--csv", str(files["csv"]), "--parquet", str(files["parquet"]),
                     "--chart", str(files["svg"]), *as_owner)
    assert done.returncode == 0 and done.stdout == "", done.stderr
    assert list(csv.reader(io.StringIO(files["csv"].read_text()))) == [["region", "sold_eur"], ["south", "-3"], ["'=1+1", "7"], ["north", "10.5"]]
    assert [row["region"] for row in parquet.read_table(files["parquet"], use_threads=False).to_pylist()] == ["south", "=1+1", "north"]
    assert files["svg"].read_text().startswith("<svg")
    ringfence("table", "load", "acme/shop", name, str(tmp_path / "sales.csv"), "--type", "sold_eur=text", *as_owner)
    again = ringfence("sql", "acme/shop", f"select count(*) as n from {name}", *as_owner)
    assert again.stdout.split() == ["n", "3"], "it has taken the place of the first"


def test_a_file_with_bad_rows_loads_nothing_and_names_their_lines(as_owner: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n3\n4,5,6\n")
    done = ringfence("table", "load", "acme/shop", "never_there", str(tmp_path / "bad.csv"), *as_owner)
    assert done.returncode == 1 and "line 3: 1 fields where there are 2 columns; line 4: 3 fields" in done.stderr
    assert ringfence("sql", "acme/shop", "select * from never_there", *as_owner).returncode == 3


def test_the_chart_may_be_taken_as_vega_lite_and_other_forms_are_refused(as_owner: list[str], tmp_path: Path) -> None:
    wrong = ringfence("sql", "acme/shop", "select 1 as one", "--chart", str(tmp_path / "a.html"), *as_owner)
    assert wrong.returncode == 1 and ".svg, .png, .json" in wrong.stderr
    nothing = ringfence("sql", "acme/shop", "select 1 as one", "--chart", str(tmp_path / "a.json"), *as_owner)
    assert nothing.returncode == 1 and "nothing in it to draw" in nothing.stderr
    drawn = ringfence("sql", "acme/shop", "select order_number, total_cents from orders", "--chart", str(tmp_path / "a.json"), *as_owner)
    if drawn.returncode == 0:
        assert json.loads((tmp_path / "a.json").read_text())["mark"] == {"type": "bar"}
    else:
        assert "nothing in it to draw" in drawn.stderr, "an example organization with one order has nothing to draw"


def test_in_a_terminal_the_rows_are_a_table_without_what_moves_the_cursor(as_owner: list[str]) -> None:
    """A row's text may hold anything: what a terminal would obey is not among what is shown."""
    seen, terminal = b"", pty.openpty()
    statement = "select 'Graz' || chr(27) || '[31m' as city, 7 as sold union all select 'Linz', 5 order by sold"
    with subprocess.Popen([sys.executable, "-m", "agent.cli", "sql", "acme/shop", statement, *as_owner], stdout=terminal[1], stderr=subprocess.PIPE,
                          env=os.environ | {"TERM": "dumb", "COLUMNS": "100", "NO_COLOR": "1"}) as child:
        os.close(terminal[1])
        # Linux says that the other end has gone by an error.
        with contextlib.suppress(OSError):
            while piece := os.read(terminal[0], 4096):
                seen += piece
        said = child.communicate(timeout=60)[1].decode()
    os.close(terminal[0])
    lines = seen.decode().splitlines()
    assert child.returncode == 0 and "2 row(s), job " in said, said
    assert [line.strip("│ ").split("│")[0].strip() for line in lines if "Linz" in line or "Graz" in line] == ["Linz", "Graz[31m"]
    assert any("city" in line and "sold" in line for line in lines) and b"\x1b[31m" not in seen


def test_the_tests_of_metrics_are_asked_as_the_person_and_one_that_gives_a_row_fails_F55(stack: dict[str, Any], as_owner: list[str]) -> None:
    source = f"metrics-{secrets.token_hex(3)}"
    where = target(Path(stack["state_dir"]))

    def as_owner_call(name: str, /, **arguments: Any) -> Any:
        async def call(rpc: Any) -> Any:
            return await rpc.call(name, {"org_id": await organization_id(rpc, "acme"), **arguments})

        return call_as(where, "owner@acme.test", call)

    as_owner_call("create_data_source", slug=source, name="Metrics", relations=["orders"])
    nothing = ringfence("metric", "test", f"acme/{source}", *as_owner)
    assert nothing.returncode == 1 and f"no metric of acme/{source} has a test" in nothing.stderr and nothing.stdout == ""
    holds = "select order_number from orders where total_cents < 0"
    as_owner_call("create_metric", source=source, name="revenue", description="In cents.", sql="sum(total_cents)", tests=[holds, "select nowhere from orders"])
    as_owner_call("create_metric", source=source, name="orders_placed", description="All.", sql="count(*)", tests=["select order_number from orders"])
    listed = ringfence("metric", "list", f"acme/{source}", *as_owner)
    assert listed.stdout.splitlines() == ["orders_placed 1  count(*)  (1 test(s)): All.", "revenue 1  sum(total_cents)  (2 test(s)): In cents."]
    done = ringfence("metric", "test", f"acme/{source}", *as_owner)
    first, second, third = done.stdout.splitlines()
    assert done.returncode == 1 and "3 test(s), 2 failed" in done.stderr
    assert first.startswith("FAIL  orders_placed 1, test 1: select order_number from orders: gives ") and " row(s), job " in first
    assert second == f"ok    revenue 1, test 1: {holds}"
    assert third.startswith("FAIL  revenue 1, test 2: select nowhere from orders: ") and "nowhere" in third.partition("orders: ")[2]
    as_owner_call("create_metric", source=source, name="revenue", description="In cents.", sql="sum(total_cents)", tests=[holds])
    assert ringfence("metric", "test", f"acme/{source}", "revenue", *as_owner).returncode == 0
    absent = ringfence("metric", "test", f"acme/{source}", "profit", *as_owner)
    assert absent.returncode == 1 and absent.stderr.strip() == f"ringfence: acme/{source} has no metric profit"
