"""How many acts an organization's audit chain takes: each a transaction of its own, on a server whose commits wait for the disk."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from edge_proxy.local.postgres import BINARIES
from tests.bench import server
from tests.bench.report import Report
from tests.bench.server import Server
from tests.db.session import Person, request
from tests.db.world import make_person

CLIENTS = 16
SECONDS = 6
ORGANIZATIONS = 4

# One event and nothing else: what the trail itself takes.
BARE = "insert into app.audit_event (org_id, actor_kind, action) values (cast(:org as uuid), 'operator', 'bot.update');\n"
# A person's act, as it comes from PostgREST: policies, the row, its event, its link.
ACT = """begin;
select set_config('role', 'authenticated', true), set_config('request.jwt.claims', :claims, true), set_config('request.headers', '{}', true);
select api.create_ticket(cast(:org as uuid), 'Late', 'Where is it?');
commit;
"""


def measure(report: Report) -> None:
    """Measure events a second in one organization and in several side by side."""
    report.begin(f"the audit chain, {CLIENTS} connections, commits on disk")
    with server.running(durable=True) as running:
        url = running.make("audit")
        found = [_found(running, url, n) for n in range(ORGANIZATIONS)]
        alone = _acts(url, BARE, found[:1])
        report.add("events a second in one organization, one a transaction", alone, "", at_least=500)
        together = _acts(url, BARE, found)
        report.add(f"events a second in {ORGANIZATIONS} organizations side by side", together, "", note=f"{together / alone:.2f} times one's")
        report.add("tickets opened a second in one organization, each an event", _acts(url, ACT, found[:1]), "")
        with psycopg.connect(url) as db:
            db.execute("alter table app.audit_event disable trigger _900_link")
        report.add("the same without the chain: events a second", _acts(url, BARE, found[:1]), "")
        running.drop("audit")


def _found(running: Server, url: str, number: int) -> tuple[UUID, Person]:
    """Make an organization; return it and its owner."""
    person = make_person(url, f"owner-{number}@example.test")
    with request(running.cluster.url("authenticator", "audit"), person.claims(), keep=True) as db:
        return UUID(db.rpc("create_organization", slug=f"org-{number}-{uuid4().hex[:8]}", name="Org")["id"]), person


def _acts(url: str, script: str, organizations: list[tuple[UUID, Person]]) -> float:
    """Return transactions a second over all organizations together. Raises: RuntimeError when one failed."""
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        path = Path(folder) / "act.sql"
        path.write_text(script)
        running = [
            subprocess.Popen(
                [BINARIES / "pgbench", "--no-vacuum", "--client", str(CLIENTS // len(organizations)), "--time", str(SECONDS), "--protocol", "prepared",
                 "--file", path, "-D", f"org={org}", "-D", f"claims={json.dumps(person.claims())}", url],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for org, person in organizations
        ]
        total = 0.0
        for child in running:
            out, err = child.communicate()
            rate = re.search(r"tps = ([0-9.]+)", out)
            if child.returncode or rate is None or "number of failed transactions: 0 " not in out:
                raise RuntimeError(f"{out}\n{err}")
            total += float(rate[1])
        return total
