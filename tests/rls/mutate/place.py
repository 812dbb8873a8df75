"""Where mutants live: a copy of the filled world of the database tests, one for each process."""

from __future__ import annotations

import json
import pickle
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rls.mutate.cells import Stage
from tests.rls.mutate.line import Trunk

TEMPLATE = "mutate_template"


@dataclass(frozen=True)
class Place:
    """A cluster and the world template in it; can be sent to another process."""

    folder: str
    port: int
    passwords: dict[str, str]
    template: str
    described: bytes
    """The world that the template holds, pickled."""

    def cluster(self) -> Any:
        from edge_proxy.local.postgres import Cluster

        return Cluster(Path(self.folder) / "postgres", Path(self.folder) / "postgres.log", self.port, self.passwords, throwaway=True)

    @contextmanager
    def stage(self, keep: bool = False) -> Iterator[Stage]:
        """A copy of the world on one connection; dropped at the end unless `keep`, for a process that ends with its cluster."""
        cluster, name = self.cluster(), f"mutate_{secrets.token_hex(6)}"
        cluster.create_database(name, self.template)
        try:
            trunk = Trunk(cluster.url("supabase_admin", name))
            with closing(trunk.real):
                yield Stage(trunk, self.described, name)
        finally:
            if not keep:
                cluster.drop_database(name)


@contextmanager
def throwaway() -> Iterator[Place]:
    """A cluster of its own for one run, from sql/ and filled; gone afterwards."""
    from edge_proxy.local import processes, sql_source
    from edge_proxy.local.ports import free_ports
    from edge_proxy.local.postgres import LOGIN_ROLES, SUPERUSER, Cluster
    from edge_proxy.local.jobs import ROLES as JOB_ROLES
    from tests.db import world

    folder = Path(tempfile.mkdtemp(prefix="ringfence-mutate-"))
    folder.chmod(0o711)  # PostgreSQL's own user must pass through
    passwords = {role: secrets.token_urlsafe(16) for role in (SUPERUSER, *LOGIN_ROLES, *JOB_ROLES)}
    cluster = Cluster(folder / "postgres", folder / "postgres.log", free_ports({"postgres": 0})["postgres"], passwords, throwaway=True)
    cluster.initialise()
    child = cluster.launch()
    try:
        cluster.wait_until_ready()
        cluster.bootstrap()
        cluster.create_database(TEMPLATE)
        sql_source.apply(cluster.url("postgres", TEMPLATE))
        made = world.build(cluster.url(SUPERUSER, TEMPLATE), cluster.url("authenticator", TEMPLATE))
        yield Place(str(folder), cluster.port, passwords, TEMPLATE, pickle.dumps(made))
    finally:
        processes.stop(processes.ProcessRecord.from_json(json.loads(json.dumps(child.record.to_json()))))
        child.popen.wait()
        shutil.rmtree(folder, ignore_errors=True)
