"""How a search and the helpers of the policies grow with the number of passages and of organizations."""

from __future__ import annotations

from tests.bench import by_owner, dataset, permissions, row_security
from tests.bench.dataset import Dataset
from tests.bench.report import Report
from tests.bench.server import Server


def load(report: Report, server: Server, organizations: int, chunks: int) -> tuple[str, Dataset]:
    """Return the name of a new database with that much in it, and what is in it."""
    name = f"bench_{organizations}_{chunks}"
    url = server.make(name)
    data = dataset.build(url, organizations, chunks)
    by_owner.make(url)
    report.more.setdefault("loading_s", {})[name] = round(data.seconds, 1)
    print(f"  loaded {organizations:,} organizations, {chunks:,} passages in {data.seconds:.0f} s", flush=True)
    return name, data


def measure(report: Report, server: Server, database: str, data: Dataset, searches: int) -> None:
    """Add the medians of one data set; read beside those of another they show the growth."""
    of = f"{data.organizations:,} organizations, {data.chunks:,} passages"
    for name, member in (("largest", data.largest), ("smallest", data.smallest)):
        secured, plain = row_security.in_turns(server, database, member, searches)
        report.add(f"search, {of}: {name} ({member.chunks:,})", secured, "s", note=f"{secured / plain:.2f} times the owner's")
    person = permissions.join(server.cluster.url("supabase_admin", database), 1)
    for name, (seconds, _) in permissions.times(server, database, person, 2 * searches, 1).items():
        report.add(f"{name}, {of}", seconds, "s")
