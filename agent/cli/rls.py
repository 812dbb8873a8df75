"""`ringfence rls`: what leaks in a Supabase or PostgREST database, this one or anybody's."""

from __future__ import annotations

import importlib
import json
import re
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from agent.cli.options import AsJson

app = typer.Typer(help="Prove isolation between tenants and between users.", no_args_is_help=True)
USAGE = 2
DatabaseUrl = Annotated[
    str, typer.Option("--database-url", envvar="RINGFENCE_RLS_DATABASE_URL", help="A database URL, of Supabase's `postgres` role or a superuser.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", dir_okay=False, help="TOML file that corrects what was guessed and lists what was reviewed.")]


@app.command()
def test(
    database_url: DatabaseUrl,
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list on standard output and nothing else: what leaks, and as not_covered what could not be tried.")] = False,
) -> None:
    """Act as strangers, members and former members, and report what they get that they should not.

    Everything happens in one transaction that is rolled back. Exit status: 0 nothing leaks, 1 something does, 2 wrong use or no connection,
    3 nothing was seen to leak but not everything could be checked.
    """
    result = _run(database_url, config)
    if as_json:
        print(json.dumps(result.listed(), indent=2))
    else:
        _printed(result)
    raise typer.Exit(result.exit_code)


@app.command()
def report(
    database_url: DatabaseUrl,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Folder for report.html, junit.xml, report.sarif and report.json.")],
    config: ConfigFile = None,
    sources: Annotated[Path | None, typer.Option("--sources", exists=True, file_okay=False, help="Folder of the SQL that makes the database: where findings are placed in the SARIF file. Default: supabase/migrations.")] = None,
) -> None:
    """The same as `test`, written as a page to look at, and as files for a CI and for code scanning. The same exit status."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise _refused(f"--out: {err.strerror}: {err.filename}") from err
    result = _run(database_url, config)
    # Never the password; not even the user and the host of somebody's production.
    title = f"database {urlsplit(database_url).path.lstrip('/') or 'postgres'}"
    for file in suite("report").write(result.to_json(), out, title, sources or Path("supabase/migrations")):
        print(file)
    _summed_up(result)
    raise typer.Exit(result.exit_code)


@app.command()
def mutate(
    only: Annotated[str, typer.Option("--only", help="Of the mutants only those in whose name this regular expression is found.")] = "",
    processes: Annotated[int, typer.Option("--processes", min=1, max=16, help="How many share the work, each with a database of its own.")] = 2,
    remember: Annotated[bool, typer.Option("--remember", help="Write down which test killed what: the order in which tests are tried the next time.")] = False,
    as_json: AsJson = False,
) -> None:
    """Break every protection of this schema, one at a time, and see that a test notices.

    Builds a database from sql/ in a throwaway PostgreSQL, makes each mutant in a transaction, runs the tests that may kill it, and takes it
    back. Exit status: 0 every mutant was killed, 1 one survived, or a reason for leaving one alive holds no longer; survivors are printed with the
    SQL that makes them.
    """
    try:
        re.compile(only)
    except re.error as err:
        raise _refused(f"--only is no regular expression: {err}") from err
    # Ended from outside it ends as by Ctrl-C: its database and its processes with it.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    began = time.monotonic()
    score = suite("mutate.run").run(processes, only, told=lambda line: print(line, file=sys.stderr))
    if not score.verdicts:
        raise _refused(f"--only: no mutant has {only!r} in its name; names begin with the kind and the object, as in policy-drop app.bot.bot_floor")
    if remember:
        suite("mutate.remembered").save(score.verdicts)
    if as_json:
        print(json.dumps(score.to_json(), indent=2))
    else:
        for text in (score.by_kind(), score.said_of_equivalents(), score.said_of_survivors() or "no survivor"):
            if text:
                print(text)
        print(score)
        print(f"{time.monotonic() - began:.0f} s, {processes} at once")
    for pattern in score.needless:
        print(f"ringfence: every mutant is killed that this excuses, so its reason must go: {pattern}", file=sys.stderr)
    raise typer.Exit(1 if score.survivors or score.needless else 0)


def suite(name: str) -> Any:
    """Return a module of tests/rls. The suite is part of the checkout, not of the installed package. Raises: typer.Exit where it is missing."""
    root = Path(__file__).resolve().parents[2]
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        return importlib.import_module(f"tests.rls.{name}")
    except ModuleNotFoundError as err:
        raise _refused(f"the suite is not here: {err}; run from a checkout of the repository") from err


def _refused(message: str) -> typer.Exit:
    print(f"ringfence: {message}", file=sys.stderr)
    return typer.Exit(USAGE)


def _run(database_url: str, config: Path | None) -> Any:
    """Return the result of one run. Raises: typer.Exit with what is wrong with the configuration or the connection."""
    import psycopg

    try:
        return suite("engine").run(database_url, suite("config").load(config))
    except suite("config").ConfigError as err:
        raise _refused(str(err)) from err
    except (psycopg.OperationalError, psycopg.ProgrammingError) as err:
        raise _refused(f"the database cannot be checked: {str(err).strip().splitlines()[0]}") from err


def _printed(result: Any) -> None:
    for guess in result.guesses:
        print(f"guessed  {guess}")
    for finding in result.findings:
        print(f"\nLEAK  {finding.id}  {finding.object}  {finding.command}  as {finding.persona}\n  {finding.finding}\n  seen: {finding.evidence}")
        # The statements that make the two tenants are long: --json has them.
        shown = finding.reproduce.rpartition("-- act\n")[2].strip()
        print("  reproduce (whole script in --json):\n    " + shown.replace("\n", "\n    "))
    for one in result.not_covered:
        print(f"\nNOT COVERED  {one.object}  {one.command}: {one.reason}")
    for one, reason in result.allowed:
        print(f"allowed  {getattr(one, 'id', 'not covered')}  {one.object}: {reason}")
    for entry in result.needless:
        print(f"needless  {entry.id}  {entry.object}: nothing of the kind was found, so the entry can go: {entry.reason}")
    _summed_up(result)


def _summed_up(result: Any) -> None:
    checked = ", ".join(f"{number} {name}" for name, number in sorted(result.checked.items()))
    print(f"\n{len(result.findings)} findings, {len(result.not_covered)} not covered, {len(result.allowed)} allowed; checked: {checked}")
