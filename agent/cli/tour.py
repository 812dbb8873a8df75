"""`ringfence tour`, which `make run` calls: start the stack, do the main job, say how to connect."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli.errors import CliError
from agent.cli.options import DEFAULT_STATE_DIR, StateDir
from agent.cli.stack import Port, interruptible, serve_until_told, serving

EXAMPLES = """
Three ways in, to be pasted into a shell in this folder. First, once, the token of {email}:

export TOKEN=$({command} login {email})

# curl
curl -s {url}/v1/chat/completions -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{{"model": "acme/helpdesk", "messages": [{{"role": "user", "content": "How do I install starlette?"}}]}}'

# the openai client
.venv/bin/python - <<'END'
import os, openai
client = openai.OpenAI(base_url="{url}/v1", api_key=os.environ["TOKEN"])
question = [{{"role": "user", "content": "How do I install starlette?"}}]
answer = client.chat.completions.create(model="acme/helpdesk", messages=question)
print(answer.choices[0].message.content, answer.ringfence["citations"])
END

# @supabase/supabase-js. Node 22 and browsers do not need `realtime`. On Node 20, which has no WebSocket of its own, the client
# wants realtime: {{ transport: ws }}, ws being that package's export; without realtime channels any class will do, as here
(cd supabase && node --input-type=module - <<'END'
import {{ createClient }} from "@supabase/supabase-js"
const realtime = {{ transport: globalThis.WebSocket ?? class {{}} }}
const supabase = createClient("{url}", "{publishable_key}", {{ accessToken: async () => process.env.TOKEN, realtime }})
console.log(JSON.stringify((await supabase.rpc("whoami")).data))
END
)
"""


def examples(described: dict[str, Any], state_dir: Path) -> str:
    """Return what to paste into a shell to connect to the running stack."""
    where = "" if state_dir == DEFAULT_STATE_DIR else f"RINGFENCE_STATE_DIR={shlex.quote(str(state_dir))} "
    return EXAMPLES.format(
        url=described["url"], publishable_key=described["publishable_key"], email="owner@acme.test", command=f"{where}.venv/bin/ringfence")


def tour(
    state_dir: StateDir = DEFAULT_STATE_DIR,
    port: Port = None,
    leave: Annotated[bool, typer.Option("--exit", help="End after the transcript instead of serving.")] = False,
) -> None:
    """Start the stack, show what it is for on real input, then keep serving.

    The exit status is not 0 if anything happened that was not expected.
    """
    with interruptible(), serving(state_dir, port, no_seed=False, report=print) as (stack, described):
        failures = asyncio.run(_transcript(described, stack.state))
        if failures:
            raise CliError(f"{failures} lines of the transcript are not as expected")
        print("\nEverything happened as expected.")
        if leave:
            return
        print(f"\nurl:              {described['url']}")
        print(f"publishable key:  {described['publishable_key']}")
        print(f"passwords:        {stack.state.root / 'users.json'}")
        print(examples(described, state_dir))
        serve_until_told(stack, lambda: print("serving until Ctrl-C", flush=True))


async def _transcript(described: dict[str, Any], state: Any) -> int:
    from agent.cli.client import EdgeClient
    from agent.cli.transcript import Transcript

    passwords = {user["email"]: user["password"] for user in described["users"]}
    async with EdgeClient(described["url"], described["publishable_key"]) as client:
        return await Transcript(client, state, passwords).run()
