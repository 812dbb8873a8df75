"""`ringfence chat`: ask a bot and see the answer as it comes, with its citations and run id."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Any

import typer

from agent.cli.errors import CliError
from agent.cli.login import token_for
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, StateDir, Target, target

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def chat(
    question: Annotated[str, typer.Argument(help="What to ask; with --approval it is left out.")] = "",
    *,
    bot: Annotated[str, typer.Option("--bot", metavar="ORG/BOT", help="The bot to ask, for example acme/helpdesk.")],
    approval: Annotated[str | None, typer.Option("--approval", metavar="ID", help="Go on with the answer that waited for this, now that it is decided.")] = None,
    email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Ask a bot. The answer streams; below it stand what it cites and the id of the run."""
    where = target(state_dir)
    if not where.is_edge:
        raise CliError("a bot is asked through the edge: set RINGFENCE_URL to its address, or unset SUPABASE_URL for the local stack")
    if not all(bot.partition("/")):
        raise CliError(f"--bot {bot}: write ORG/BOT, for example acme/helpdesk")
    if bool(question) is bool(approval):
        raise CliError("give a question, or --approval ID to go on with an answer that waited")
    extra = _stream(where, token_for(where, email), bot, question, approval)
    for citation in extra.get("citations", []):
        print(citation_line(citation))
    print(f"run {extra.get('run_id', 'unknown')}")
    if waits := extra.get("approval"):
        org = bot.partition("/")[0]
        print(f"waits until {waits['expires_at']}: `ringfence approvals approve {org} {waits['id']}`, then `ringfence chat --bot {bot} --approval {waits['id']}`")


def citation_line(citation: dict[str, Any]) -> str:
    """Return one citation as a line: number, title, document, chunk, character range, score, trust."""
    return (
        f"[{citation['n']}] {citation['title']}  document {citation['document_id']}  chunk {citation['chunk_id']}  "
        f"characters {citation['start_char']}-{citation['end_char']}  score {citation['score']:.4f}  {citation['trust']}"
    )


def shown(text: str, *, escaped_html: bool) -> str:
    """Return a piece of an answer as a terminal shows it: HTML is no danger here, control characters are."""
    from agent.providers.offline_answer import plain

    return _CONTROL.sub("", plain(text) if escaped_html else text)


def _stream(where: Target, token: str, bot: str, question: str, approval: str | None) -> dict[str, Any]:
    """Print the answer and return its `ringfence` part. Raises: CliError."""
    import openai  # takes most of a second to import, so only here

    extra: dict[str, Any] = {}
    try:
        with openai.OpenAI(base_url=f"{where.url}/v1", api_key=token, max_retries=0) as client:
            messages: Any = [{"role": "user", "content": question or "Go on."}]
            more: Any = {"ringfence": {"approval_id": approval}} if approval else {}
            for chunk in client.chat.completions.create(model=bot, messages=messages, stream=True, extra_body=more):
                told = (chunk.model_extra or {}).get("ringfence") or {}
                if progress := told.pop("progress", None):
                    print(f"[{progress['tool']}: {progress['status']}, job {progress['job_id']}]", file=sys.stderr)
                extra |= told
                for choice in chunk.choices:
                    print(shown(choice.delta.content or "", escaped_html=bool(extra.get("escaped_html"))), end="", flush=True)
    except openai.APIConnectionError as err:
        raise CliError(f"{where.url} cannot be reached") from err
    except openai.APIError as err:
        body = err.body if isinstance(err.body, dict) else {}
        said = f"{body.get('message') or err.message} ({body.get('code') or 'error'})"
        raise CliError(said + (": run `ringfence login EMAIL`" if err.__class__ is openai.AuthenticationError else "")) from err
    print()
    return extra
