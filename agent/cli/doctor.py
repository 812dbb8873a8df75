"""`ringfence doctor`: what is wrong with this deployment, before somebody else finds out."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from agent.cli import doctor_database, doctor_service
from agent.cli.errors import CliError
from agent.cli.findings import Finding
from agent.cli.options import DEFAULT_STATE_DIR, AsJson, StateDir, target


def doctor(
    database_url: Annotated[str | None, typer.Option("--database-url", help="Also check this database's version and catalogs. Default: the local stack's.")] = None,
    accept: Annotated[list[str] | None, typer.Option("--accept", metavar="CHECK", help="A failing check you know of, by name: it warns. Repeatable.")] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Check keys in the environment, the edge, signing keys, clocks, versions, exposure, and the database's posture and drift.

    Looks at the edge of RINGFENCE_URL, else at the Supabase project of SUPABASE_URL, else at the running local stack. Exit
    status 1 if a check fails, also when there is nothing to check.
    """
    findings = [*_environment(), *_programs()]
    try:
        where = target(state_dir)
        findings += asyncio.run(doctor_service.check(where))
        database_url = database_url or where.database_url
    except CliError as err:
        meant = [name for name in ("RINGFENCE_URL", "SUPABASE_URL") if os.environ.get(name)]
        nothing = database_url is None
        advice = "" if meant else "; or set SUPABASE_URL or RINGFENCE_URL, with SUPABASE_PUBLISHABLE_KEY"
        findings.append(Finding("service", "fail" if meant or nothing else "warn", f"not checked: {err}{advice}"))
    if database_url is not None:
        findings += doctor_database.check(database_url)
    elif not any(finding.check == "service" for finding in findings):
        findings.append(Finding("database", "warn", "not checked: give --database-url"))
    findings = [replace(one, status="warn") if one.status == "fail" and one.check in (accept or ()) else one for one in findings]
    failed = [finding for finding in findings if finding.status == "fail"]
    if as_json:
        print(json.dumps({"ok": not failed, "checks": [asdict(finding) | {"advice": finding.advice} for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(f"{finding.status:<5} {finding.check}: {finding.detail}" + (f"\n      {finding.advice}" if finding.advice else ""))
    if failed:
        raise typer.Exit(1)


def _environment() -> Iterable[Finding]:
    from edge_proxy.config import ConfigRefused, refuse_secrets

    try:
        refuse_secrets(os.environ)
    except ConfigRefused as err:
        yield Finding("keys in the environment", "fail", str(err))
    else:
        yield Finding("keys in the environment", "ok", "no secret or service-role key")


def _programs() -> Iterable[Finding]:
    from edge_proxy.local import tools

    yield Finding("python", "ok", platform.python_version())
    for name, find in (("supabase cli", tools.supabase_cli), ("postgrest", tools.postgrest)):
        yield _program(name, find)


def _program(name: str, find: Callable[[], Path]) -> Finding:
    from edge_proxy.local import tools

    try:
        done = subprocess.run([find(), "--version"], env=tools.environment(Path("/nonexistent")), capture_output=True, text=True, timeout=20)
    except (FileNotFoundError, subprocess.TimeoutExpired) as err:
        return Finding(name, "warn", f"{err} (only the local stack and migrations need it)")
    return Finding(name, "ok" if done.returncode == 0 else "warn", (done.stdout or done.stderr).strip().splitlines()[0])
