"""Start and stop all parts of one local stack, as children of this process."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from edge_proxy import token_box
from edge_proxy.local import jobs, leftovers, migrate, model, postgrest, processes, tools
from edge_proxy.local.auth.keys import SigningKeys
from edge_proxy.local.ports import LOOPBACK, answers, free_ports, is_free
from edge_proxy.local.postgres import LOGIN_ROLES, SUPERUSER, Cluster
from edge_proxy.local.state import State, write_private
from edge_proxy.local.steps import Report, step

DEFAULT_PORT = 8787
PORT_NAMES = ("edge", "metrics", "rest", "rest_admin", "auth", "postgres")
# As in supabase/config.toml. It is called for the first token, when the migrations have made it.
ACCESS_TOKEN_HOOK = "pg-functions://postgres/authz/access_token_hook"
# What an operator may choose for the agent; everything else of our environment stays out of the children.
PASSED_ON = ("RINGFENCE_MODEL_", "RINGFENCE_NAMES_", "RINGFENCE_EMBEDDING_", "RINGFENCE_RATE_", "RINGFENCE_REDIS_", "RINGFENCE_OTLP_", "RINGFENCE_TRACE_",
             "RINGFENCE_DRAIN_", "RINGFENCE_WORKER_")


class AlreadyRunning(Exception):
    """Another process is running a stack in this state folder."""


class PortTaken(Exception):
    """The port is in use by another program; --port 0 (with make: PORT=0) picks a free one."""


class Stack:
    """The parts of one stack. Use as a context manager: leaving it ends every process it started."""

    def __init__(self, state: State, *, port: int | None = None, report: Report = print, local_model: model.LocalModel | None = None) -> None:
        """port: None takes the one of the last time, then 8787; 0 any free one. local_model: None starts none."""
        self.state, self.port, self.report, self.local_model = state, port, report, local_model
        self.children: list[processes.Child] = []
        self._records: list[processes.ProcessRecord] = []
        self._stopping = False
        self._lock = threading.Lock()
        self._exclusive = ExitStack()

    def __enter__(self) -> Stack:
        self.state.create()
        if not self._exclusive.enter_context(self.state.exclusive()):
            self._exclusive.close()
            raise AlreadyRunning(
                f"a stack is already running in {self.state.root}: `ringfence status` shows it, `ringfence down` ends it")
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self.stop()
        finally:
            self._exclusive.close()

    def start(self) -> dict[str, Any]:
        """Start everything and return what `up --json` prints, without the users.

        Raises: PortTaken, MigrationFailed, PartFailed.
        """
        leftovers.end(self.state)
        self._remember(processes.ProcessRecord.of(leftovers.SUPERVISOR, os.getpid()))
        self.ports = self._choose_ports()
        self.cluster = Cluster(
            self.state.data, self.state.log("postgres"), self.ports["postgres"],
            {role: self.state.secret(role) for role in (SUPERUSER, *LOGIN_ROLES)},
        )
        self._start_database()
        SigningKeys.load_or_create(self.state.signing_keys).publish_jwks(self.state.jwks)
        if not self.state.token_keys.exists():
            write_private(self.state.token_keys, token_box.new_key() + "\n")
        with ThreadPoolExecutor(max_workers=3) as pool:
            parts = [pool.submit(part) for part in (self._migrate_then_serve_rest, self._start_auth_then_edge, self._start_model)]
            try:
                for part in parts:
                    part.result()
            except BaseException:
                self.stop()  # lets the thread that still waits for a child end at once
                raise
        # Asked only now: the edge remembers for some seconds that a part was missing.
        edge = next(child for child in self.children if child.record.name == "edge")
        edge.wait_until(lambda: answers(f"http://{LOOPBACK}:{self.ports['edge']}/readyz"))
        return self.describe()

    def describe(self) -> dict[str, Any]:
        """Return addresses and credentials, in the order DESIGN.md section 10 gives them."""
        url = f"http://{LOOPBACK}:{self.ports['edge']}"
        auth_url = f"http://{LOOPBACK}:{self.ports['auth']}"
        worker, analyst = jobs.urls(self.cluster, self.state)
        return {
            "url": url,
            "publishable_key": self.publishable_key,
            "database_url": self.cluster.url("postgres"),
            "rest_url": f"http://{LOOPBACK}:{self.ports['rest']}",
            "auth_url": auth_url,
            "jwks_url": f"{auth_url}/.well-known/jwks.json",
            "metrics_url": f"http://{LOOPBACK}:{self.ports['metrics']}/metrics",
            "worker_database_url": worker,
            "analyst_database_url": analyst,
            "state_dir": str(self.state.root),
            **({"model": self._model_settings()} if self.local_model else {}),
        }

    def publish(self, description: Mapping[str, Any]) -> None:
        """Write stack.json: from now on `status` says the stack is ready."""
        self.state.write("stack.json", {**description, "processes": [record.to_json() for record in self._records]})

    def wait(self) -> None:
        """Block until a part ends by itself. Raises: PartFailed saying which, with the end of its log."""
        while True:
            for child in self.children:
                if child.ended():
                    raise processes.PartFailed(f"{child.record.name} ended by itself:\n{processes.tail(child.log)}")
            time.sleep(0.2)

    def stop(self) -> None:
        """End every child, last started first; the database goes when nothing uses it any more."""
        with self._lock:
            self._stopping = True
            children, self.children = self.children, []
        for child in reversed(children):
            child.stop()
        self.state.stack_file.unlink(missing_ok=True)

    @property
    def publishable_key(self) -> str:
        return self.state.secret("publishable_key", prefix="sb_publishable_")

    def _choose_ports(self) -> dict[str, int]:
        last = self.state.read("ports.json")
        wanted = {name: int(last.get(name, 0)) for name in (*PORT_NAMES, *(["model"] if self.local_model else []))}
        if self.port is not None:
            wanted["edge"] = self.port
        elif not wanted["edge"]:
            wanted["edge"] = DEFAULT_PORT
        if self.port != 0 and wanted["edge"] and not is_free(wanted["edge"]):
            raise PortTaken(f"port {wanted['edge']} is in use by another program; --port 0 (with make: PORT=0) picks a free one")
        ports = free_ports(wanted)
        self.state.write("ports.json", dict(ports))
        return ports

    def _start_database(self) -> None:
        if not self.cluster.initialised():
            with step("database folder (initdb)", self.report):
                self.cluster.initialise()
        with step(f"PostgreSQL on port {self.ports['postgres']}", self.report):
            self._track(self.cluster.launch())
            self.cluster.wait_until_ready()
        with step("a Supabase project's roles and schemas", self.report):
            self.cluster.bootstrap()

    def _migrate_then_serve_rest(self) -> None:
        with step("migrations (supabase db push)", self.report):
            migrate.push(self.cluster.url("postgres"), home=self.state.home)
            jobs.set_passwords(self.cluster, self.state)
        self._start_worker()
        with step(f"PostgREST on port {self.ports['rest']}", self.report):
            text = postgrest.configuration(
                database_url=self.cluster.url("authenticator"), port=self.ports["rest"],
                admin_port=self.ports["rest_admin"], jwks_file=self.state.jwks,
            )
            child = self._track(postgrest.launch(self.state, text))
            child.wait_until(lambda: answers(f"http://{LOOPBACK}:{self.ports['rest_admin']}/ready"))

    def _start_auth_then_edge(self) -> None:
        # The edge fetches the keys at once, and waits before it asks again.
        self._start_auth()
        self._start_edge()

    def _start_auth(self) -> None:
        with step(f"auth emulator on port {self.ports['auth']}", self.report):
            child = self._python("auth", "edge_proxy.local.auth", {
                "RINGFENCE_AUTH_DATABASE_URL": self.cluster.url("supabase_auth_admin"),
                "RINGFENCE_AUTH_PORT": str(self.ports["auth"]),
                "RINGFENCE_ISSUER": f"http://{LOOPBACK}:{self.ports['edge']}/auth/v1",
                "RINGFENCE_SIGNING_KEYS": str(self.state.signing_keys),
                "RINGFENCE_ACCESS_TOKEN_HOOK": ACCESS_TOKEN_HOOK,
            })
            child.wait_until(lambda: answers(f"http://{LOOPBACK}:{self.ports['auth']}/health"))

    def _start_edge(self) -> None:
        with step(f"edge with the agent on port {self.ports['edge']}", self.report):
            auth = f"http://{LOOPBACK}:{self.ports['auth']}"
            passed_on = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
            child = self._python("edge", "edge_proxy.serve", passed_on | self._model_settings() | {
                "SUPABASE_PUBLISHABLE_KEY": self.publishable_key,
                "RINGFENCE_REST_URL": f"http://{LOOPBACK}:{self.ports['rest']}",
                "RINGFENCE_AUTH_URL": auth,
                "RINGFENCE_JWKS_URL": f"{auth}/.well-known/jwks.json",
                "RINGFENCE_ISSUER": f"http://{LOOPBACK}:{self.ports['edge']}/auth/v1",
                "RINGFENCE_HOST": LOOPBACK,
                "RINGFENCE_PORT": str(self.ports["edge"]),
                "RINGFENCE_METRICS_PORT": str(self.ports["metrics"]),
                "RINGFENCE_TOKEN_KEYS_FILE": str(self.state.token_keys),
                "RINGFENCE_PSEUDONYM_KEY": self.state.secret("pseudonym_key"),
            })
            child.wait_until(lambda: answers(f"http://{LOOPBACK}:{self.ports['edge']}/healthz"))

    def _start_worker(self) -> None:
        with step("worker for jobs", self.report):
            passed_on = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
            self._python("worker", "agent.worker", passed_on | self._model_settings() | jobs.settings(self.cluster, self.state))

    def _start_model(self) -> None:
        if self.local_model is not None:
            with step(f"{self.local_model.name} on port {self.ports['model']}", self.report):
                model.wait_until_ready(self._track(model.launch(self.state, self.local_model, self.ports["model"])), self.ports["model"])

    def _model_settings(self) -> dict[str, str]:
        return model.settings(self.state, self.local_model, self.ports["model"]) if self.local_model else {}

    def _python(self, name: str, module: str, settings: Mapping[str, str]) -> processes.Child:
        environment = tools.environment(self.state.home) | {"PYTHONUNBUFFERED": "1"} | dict(settings)
        return self._track(processes.start(name, [sys.executable, "-m", module], log=self.state.log(name), env=environment))

    def _track(self, child: processes.Child) -> processes.Child:
        """Record a child at once, so that it can be ended even if we are killed before the stack is ready."""
        with self._lock:
            self.children.append(child)
            stopping = self._stopping
        if stopping:
            child.stop()
            raise processes.PartFailed("the stack is stopping")
        self._remember(child.record)
        return child

    def _remember(self, record: processes.ProcessRecord) -> None:
        with self._lock:
            self._records.append(record)
            self.state.write("stack.json", {"processes": [record.to_json() for record in self._records]})
