"""The same database on a plain PostgreSQL of every supported major version, by testcontainers (F79). Needs a Docker engine."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_proxy.local import sql_source
from edge_proxy.local.ports import LOOPBACK
from edge_proxy.local.postgres import LOGIN_ROLES, SUPERUSER, Cluster
from tests.db import world as worlds

pytestmark = pytest.mark.docker


@pytest.fixture(params=["pg16", "pg17", "pg18"])
def plain_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A container of the pgvector project's image, made to look like a new Supabase project."""
    place = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    try:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(place)
    except OSError as err:
        pytest.skip(f"{request.param} is not tried: no Docker engine answers at {place} ({err.strerror})")
    from testcontainers.community.postgres import PostgresContainer

    passwords = {role: secrets.token_urlsafe(16) for role in (SUPERUSER, *LOGIN_ROLES)}
    image = PostgresContainer(
        f"pgvector/pgvector:{request.param}", username=SUPERUSER, password=passwords[SUPERUSER], dbname="postgres", driver=None)
    with image as running:
        assert running.get_container_host_ip() in (LOOPBACK, "localhost"), "tests talk to this machine only"
        cluster = Cluster(Path(), Path(), int(running.get_exposed_port(5432)), passwords)
        cluster.bootstrap()
        yield cluster


def test_isolation_holds_on_a_plain_postgres_of_every_supported_version_F79(plain_cluster: Cluster) -> None:
    plain_cluster.create_database("plain")
    sql_source.apply(plain_cluster.url("postgres", "plain"))
    world = worlds.build(plain_cluster.url(SUPERUSER, "plain"), plain_cluster.url("authenticator", "plain"))
    with world.as_(world.acme.people["member"]) as db:
        found = db.rpc("search_documents", org_id=world.acme.id, query="delivery")
        assert found and all(world.acme.canary in row["content"] for row in found)
        assert db.rpc("search_documents", org_id=world.globex.id, query="delivery") == []
    assert world.rows("chunk", f"org_id = '{world.globex.id}'") > 0
