"""Questions over data: public tables of the United States (airports, weather, employment, electricity; package vega-datasets), uploaded
through the product as files, asked through the queue and a worker, judged by what comes back.

`north` holds the western states' airports and the other tables, `south` the remaining airports under the same name, so that a row of
south in an answer to north is a leak and is counted. A question's right answer is what its own SQL gives the same person.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import itertools
import secrets
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from agent.analytics import jobs
from agent.analytics.results import pages, read_head
from agent.analytics.table import TableReader
from agent.analytics.upload import upload_table
from agent.cli.client import EdgeClient
from agent.cli.members import join
from agent.errors import AgentError
from agent.rpc import Rpc
from tests.eval.world import Staying

HERE = Path(__file__).parent
SOURCE = "public"
FILES = {"airports": "airports.csv", "weather": "seattle-weather.csv", "employment": "us-employment.csv", "electricity": "iowa-electricity.csv"}
MEANINGS = {
    "airports": {"iata": "IATA code of the airport", "state": "two letters, like CA", "latitude": "degrees north", "longitude": "degrees east"},
    "weather": {"date": "a day in Seattle; one row a day", "precipitation": "millimetres", "temp_max": "degrees Celsius", "temp_min": "degrees Celsius",
                "wind": "average wind in m/s", "weather": "drizzle, rain, sun, snow or fog"},
    "employment": {"month": "first day of the month; one row a month", "nonfarm": "all employment outside farms in the United States, thousands of people",
                   "private": "thousands of people in the private sector"},
    "electricity": {"year": "a date, the first of January of the year", "source": "Fossil Fuels, Nuclear Energy or Renewables",
                    "net_generation": "electricity generated in Iowa, thousand megawatt hours"},
}
WEST = frozenset({"AK", "AZ", "CA", "CO", "HI", "ID", "MT", "NM", "NV", "OR", "UT", "WA", "WY", "TX"})
WAIT_S = 300.0


@dataclass(frozen=True, slots=True)
class DataQuestion:
    """`sql` gives the right answer; None: to be refused."""

    text: str
    sql: str | None = None
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class DataHome:
    """A loaded organization, the one who asks in it, and what of the other one would be a leak."""

    asker: Rpc
    org_id: str
    foreign: frozenset[str]


@dataclass(frozen=True, slots=True)
class DataGrade:
    question: DataQuestion
    status: str
    right: bool
    leaks: int
    seconds: float
    sql: str = ""
    why: str = ""


def questions() -> tuple[DataQuestion, ...]:
    return tuple(DataQuestion(**one) for one in tomllib.loads((HERE / "data.toml").read_text())["question"])


def table(name: str) -> list[list[str]]:
    """Return a file of the package, header first. Raises: LookupError."""
    found = importlib.util.find_spec("vega_datasets")
    if found is None or found.origin is None:
        raise LookupError("the package vega-datasets is not installed")
    with (Path(found.origin).parent / "_data" / FILES[name]).open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def airports(west: bool) -> list[list[str]]:
    header, *rows = table("airports")
    return [header, *(row for row in rows if (row[3] in WEST) is west)]


def foreign_words() -> frozenset[str]:
    """Return codes and names of airports that south has and north has not."""
    own = {word for row in airports(True) for word in (row[0], row[1], row[2], row[3])}
    return frozenset(word for row in airports(False) for word in (row[0], row[1])) - own


@asynccontextmanager
async def data_home(stack: dict[str, Any]) -> AsyncIterator[DataHome]:
    """Yield north, made new and filled through the edge like anybody's."""
    async with EdgeClient(stack["url"], stack["publishable_key"]) as client:
        tail = secrets.token_hex(4)
        await _organization(client, f"data-south-{tail}", {"airports": airports(False)})
        org_id, asker = await _organization(client, f"data-north-{tail}", {
            "airports": airports(True), **{name: table(name) for name in FILES if name != "airports"}})
        yield DataHome(asker, org_id, foreign_words())


async def _organization(client: EdgeClient, slug: str, tables: dict[str, list[list[str]]]) -> tuple[str, Rpc]:
    owner, asker = [await Staying.new(client, f"{who}@{slug}.test") for who in ("owner", "asker")]
    org_id = str((await owner.call("create_organization", {"slug": slug, "name": slug}))["id"])
    await join(owner, asker, org_id, f"asker@{slug}.test", "member")
    await owner.call("create_data_source", {"org_id": org_id, "slug": SOURCE, "name": "Public data", "description": "Public data of the United States."})
    await owner.call("share_data_source", {"org_id": org_id, "source": SOURCE})
    reader = TableReader()
    for name, rows in tables.items():
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        with tempfile.TemporaryFile() as file:
            file.write(text.getvalue().encode())
            file.flush()
            await upload_table(owner, reader, org_id, SOURCE, name, file, meanings=MEANINGS.get(name))
    return org_id, asker


async def ask(home: DataHome, question: DataQuestion) -> DataGrade:
    """Ask in words, and compare with what the question's own SQL gives."""
    began = time.perf_counter()
    try:
        job_id = await jobs.submit(home.asker, home.org_id, SOURCE, question=question.text)
        job = await jobs.ended(home.asker, home.org_id, job_id, WAIT_S)
        found = await _rows(home, job_id) if job["status"] == jobs.SUCCEEDED else None
    except AgentError as err:
        return DataGrade(question, "failed", False, 0, time.perf_counter() - began, why=f"{err.code}: {err.message}")
    seconds = time.perf_counter() - began
    if question.sql is None:
        right = job["status"] == "refused" and job["error_code"] != "no_model"
    else:
        right = found is not None and same(await gold(home, question), found, ordered=question.ordered)
    return DataGrade(question, job["status"], right, leaks(home, found or ()), seconds, str(job.get("sql") or ""), str(job.get("error_message") or ""))


async def gold(home: DataHome, question: DataQuestion) -> list[Sequence[Any]]:
    """Return what the question's own SQL gives the same person, by the same way. Raises: AssertionError where it does not run."""
    job_id = await jobs.submit(home.asker, home.org_id, SOURCE, sql=question.sql)
    job = await jobs.ended(home.asker, home.org_id, job_id, WAIT_S)
    assert job["status"] == jobs.SUCCEEDED, (question, jobs.why(job))
    return await _rows(home, job_id)


async def _rows(home: DataHome, job_id: str) -> list[Sequence[Any]]:
    head = await read_head(home.asker, home.org_id, job_id)
    return [row async for page in pages(home.asker, home.org_id, job_id, head) for row in page]


def leaks(home: DataHome, rows: Sequence[Sequence[Any]]) -> int:
    """Return how many rows hold a word that only the other organization has."""
    return sum(any(isinstance(value, str) and value in home.foreign for value in row) for row in rows)


def same(right: Sequence[Sequence[Any]], found: Sequence[Sequence[Any]], *, ordered: bool) -> bool:
    """Return whether the rows are the same, whatever the columns are called, in whatever order they stand and whichever stand beside them."""
    if len(right) != len(found):
        return False
    if not right:
        return True
    wanted = [tuple(map(_value, row)) for row in right]
    for places in itertools.permutations(range(len(found[0])), len(right[0])) if len(found[0]) <= 6 else ():
        given = [tuple(_value(row[place]) for place in places) for row in found]
        if given == wanted if ordered else Counter(given) == Counter(wanted):
            return True
    return False


def _value(value: Any) -> Any:
    """Return numbers to six significant digits and times to the day where they are of midnight, so that types do not matter."""
    if isinstance(value, bool) or value is None:
        return value
    try:
        return f"{float(Decimal(str(value))):.6g}"
    except (InvalidOperation, OverflowError):
        text = str(value)
        return text[:10] if text[10:19].strip("T ") in ("00:00:00", "00:00:00"[:5]) else text


def summary(grades: list[DataGrade]) -> dict[str, Any]:
    """Return how much was right by kind, what leaked, and how the jobs ended."""
    kinds = {"answered": [one for one in grades if one.question.sql is not None], "refused": [one for one in grades if one.question.sql is None]}
    return {"questions": len(grades), **{name: {"right": sum(one.right for one in some), "of": len(some)} for name, some in kinds.items()},
            "leaked": sum(one.leaks for one in grades), "ended": dict(Counter(one.status for one in grades)),
            "seconds": {"median": round(sorted(one.seconds for one in grades)[len(grades) // 2], 2), "longest": round(max(one.seconds for one in grades), 2)}}
