"""An endpoint that knows the right SQL of every question over data: with it the way from question to rows is judged, and no model.

What is not right then is a fault of ours: of the prompt's form, the guard, the queue, the worker or the judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aiohttp import web

from tests.agent.scripted_model import calls
from tests.e2e.scripted import Model, serving
from tests.eval.data import DataQuestion

_ASKED = re.compile(r"^Question: (.*)$", re.MULTILINE)
_NO_CHART = {"mark": "none", "x": "", "y": "", "color": ""}


class _Knowing(Model):
    def __init__(self, questions: Sequence[DataQuestion]) -> None:
        super().__init__()
        self.answers = {question.text: question.sql for question in questions}

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        found = _ASKED.search(body["messages"][1]["content"])
        sql = self.answers.get(found[1]) if found else None
        return await calls(("reply", {"can_answer": bool(sql), "refusal": "" if sql else "The source does not hold it.", "sql": sql or "", "chart": _NO_CHART}))(request, body)


@contextmanager
def knowing(questions: Sequence[DataQuestion]) -> Iterator[dict[str, str]]:
    """Yield the settings of a worker that asks it."""
    with serving(_Knowing(questions)) as url:
        yield {"RINGFENCE_MODEL_BASE_URL": url, "RINGFENCE_MODEL_NAME": "script", "RINGFENCE_MODEL_API_KEY": "none"}
