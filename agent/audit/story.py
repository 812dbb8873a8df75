"""The narrative of a run as lines for a terminal, from what `api.audit_narrative` answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def lines(told: dict[str, Any]) -> Iterator[str]:
    """Yield who asked what bot, what was done step by step, and what it came to; no question, answer or passage is in it."""
    who, bot, totals = told["who"], told["bot"], told["totals"]
    yield f"run {told['run_id']} in {told['organization']['slug']}: {told['status']}{_also(' ', told['error_code'])}"
    yield f"  {_short(told['started_at'])} to {_short(told['finished_at'])}{_also(', request ', told['request_id'])}"
    yield f"  asked by {who['email'] or who['user_id']}{_also(' as ', who['role'])} ({who['actor_kind']}{_also(' of ', who['on_behalf_of'])}" \
          f"{_also(', app ', who['client_id'])}{_also(', API token ', who['api_token_id'])})"
    yield f"  bot {bot['slug'] or bot['id']} version {bot['version']}{_also(', sha256 ', bot['sha256'])}"
    yield f"  question sha256 {told['question_sha256']}{_also(', answer sha256 ', told['answer_sha256'])}"
    for step in told["steps"]:
        yield from _step(step)
    if told["taint"]:
        yield f"  in its context: {', '.join(told['taint'])}"
    for one in told["approvals"]:
        yield f"  {_short(one['requested_at'])} approval {one['id']} of {one['tool']}: {one['state']}, {one['reason']}{_also(', decided by ', one['decided_by'])}"
    for call in told["model_calls"]:
        yield f"  {_short(call['at'])} {call['purpose']} by {call['model']} of {call['provider']}: {_facts(call)}"
    for event in told["events"]:
        if event["action"] not in ("run.insert", "run.update"):
            yield f"  {_short(event['at'])} {event['action']}{_also(' ', event['target'])}: {event['outcome']}{_also(' by ', event['rule'])}"
    yield f"  {totals['model_calls']} model calls, {totals['tool_calls']} tool calls, {totals['denied']} denied, " \
          f"{totals['input_tokens']} tokens in, {totals['output_tokens']} out"
    unrecorded = [str(step["position"]) for step in told["steps"] if step["recorded"] is False]
    if unrecorded:
        yield f"  NOT AS RECORDED: steps {', '.join(unrecorded)}"


def _step(step: dict[str, Any]) -> Iterator[str]:
    place = f" [{step['lane']}.{step['sequence']}]" if step["sequence"] is not None else ""
    head = f"  {step['position']}. {_short(step['at'])} {step['kind']} {step['name']}: {step['outcome']}{_also(' ', step['sqlstate'])}{_also(' by ', step['rule'])}{place}"
    if step["kind"] == "model":
        yield f"{head}{_also(', served by ', step['provider'])}, {step['input_tokens'] or 0} tokens in, {step['output_tokens'] or 0} out"
        return
    yield f"{head}, {step['row_count']} rows, arguments sha256 {step['arguments_sha256']}"
    for document in step["documents"]:
        title = f" {document['title']!r}" if document["title"] else ""
        yield f"       document {document['document_id']}{title}, passages {', '.join(document['chunk_ids'])}"
    if step["rows"]:
        yield f"       rows {', '.join(map(str, step['rows']))}"


def _facts(call: dict[str, Any]) -> str:
    """Return what was known of the provider when the call was decided, and the decision."""
    if call["refused_by"]:
        return f"refused by {call['refused_by']}"
    kept = {None: "retention not known", 0: "keeps nothing"}.get(call["retention_days"], f"keeps it {call['retention_days']} days")
    trains = {None: "training not known", True: "trains on it"}.get(call["trains"], "does not train on it")
    return f"region {call['region'] or 'not known'}, {kept}, {trains}{', personal data replaced' if call['redacted'] else ''}{_also(', cost ', call['cost'])}"


def _also(before: str, value: Any) -> str:
    return f"{before}{value}" if value is not None and value != "" else ""


def _short(time: str | None) -> str:
    return time.partition(".")[0].replace("T", " ") if time else "now"
