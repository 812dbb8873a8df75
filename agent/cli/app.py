"""The commands of `ringfence`, each group in its own module; failures people can act on end in one line, not a trace."""

from __future__ import annotations

import os
import sys

import typer

from agent.cli import analytics, approvals, audit, chat, db, doctor, job, kb, keys, login, me, members, metric, model, openapi, org, retention, rls, secret_keys, stack, table, token, tour, why, worker
from agent.cli.errors import CliError
from agent.errors import AgentError, Unauthenticated

app = typer.Typer(
    name="ringfence",
    help="A multi-tenant AI agent platform on Supabase, with row-level security as the one point of enforcement.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (stack.up, stack.status, stack.down, stack.serve, worker.worker, tour.tour, login.login, chat.chat, analytics.ask, analytics.sql, doctor.doctor, openapi.openapi, why.why):
    app.command()(command)
for command, name in ((members.invite, "invite"), (members.accept, "join"), (members.members, "members")):
    app.command(name)(command)
app.add_typer(kb.app, name="kb")
app.add_typer(db.app, name="db")
app.add_typer(model.app, name="model")
app.add_typer(keys.app, name="keys")
app.add_typer(token.app, name="token")
app.add_typer(org.app, name="org")
app.add_typer(audit.app, name="audit")
keys.app.add_typer(secret_keys.app, name="secrets")
app.add_typer(me.app, name="me")
app.add_typer(retention.app, name="retention")
app.add_typer(approvals.app, name="approvals")
app.add_typer(rls.app, name="rls")
app.add_typer(table.app, name="table")
app.add_typer(job.app, name="job")
app.add_typer(metric.app, name="metric")


def main() -> None:
    """Run a command and exit with its status: 1 for a failure that is explained, 2 for wrong arguments."""
    try:
        app()
    except Unauthenticated:
        print("ringfence: the session has ended, or its token is not accepted any more: run `ringfence login EMAIL`", file=sys.stderr)
        sys.exit(1)
    except (CliError, AgentError, OSError) as err:
        print(f"ringfence: {err}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output has gone (`ringfence ... | head`); nothing is left to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
