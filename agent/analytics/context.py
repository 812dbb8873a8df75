"""What a model is told of a data source: what this person may ask about, and not one row of it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from agent.analytics.chart import plain

_RELATIONS, _COLUMNS, _METRICS, _EXAMPLES = 40, 120, 40, 8
_MEANING, _SQL, _QUESTION = 300, 2000, 400
MOST_CHARACTERS = 24_000
"""Of the whole text: about 8,000 tokens."""


@dataclass(frozen=True, slots=True)
class Named:
    """A relation, a column or a metric: its name, its type or its SQL, and what it means."""

    name: str
    is_: str
    meaning: str


@dataclass(frozen=True, slots=True)
class SourceContext:
    """A data source as one person sees it."""

    source: str
    description: str
    relations: Sequence[tuple[Named, Sequence[Named]]]
    """Each with its columns."""
    metrics: Sequence[Named]
    examples: Sequence[tuple[str, str]]
    """(question, SQL) of accepted queries of the same organization that the person may see; newest first."""

    @classmethod
    def of(cls, described: dict[str, Any]) -> Self:
        """Return the context of what `api.describe_data_source` returns, and `examples` beside it; what is missing is empty."""
        return cls(
            _line(described.get("source") or described.get("name"), _MEANING), _line(described.get("description"), _MEANING),
            [(Named(_line(one.get("name"), _MEANING), "", _line(one.get("description"), _MEANING)),
              [_named(column, "type", "meaning") for column in _some(one.get("columns"), _COLUMNS)])
             for one in _some(described.get("relations"), _RELATIONS)],
            [_named(one, "sql", "description") for one in _some(described.get("metrics"), _METRICS)],
            [(_line(one.get("question"), _QUESTION), _line(one.get("sql"), _SQL)) for one in _some(described.get("examples"), _EXAMPLES)])

    def text(self) -> str:
        """Return it as lines; examples and meanings give way where there is too much, names never."""
        for meanings, examples in ((True, len(self.examples)), (True, 2), (False, 1), (False, 0)):
            text = "\n".join(self._lines(meanings, self.examples[:examples]))
            if len(text) <= MOST_CHARACTERS:
                return text
        return text[:MOST_CHARACTERS].rpartition("\n")[0]

    def _lines(self, meanings: bool, examples: Iterable[tuple[str, str]]) -> Iterable[str]:
        def means(named: Named) -> str:
            return f": {named.meaning}" if meanings and named.meaning else ""

        yield f"Source {self.source}{f': {self.description}' if self.description else ''}"
        for relation, columns in self.relations:
            yield f"\nRelation {relation.name}{means(relation)}"
            for column in columns:
                yield f"- {column.name} {column.is_}{means(column)}"
        if self.metrics:
            yield "\nMetrics; where a question is about one, use exactly its definition:"
            for metric in self.metrics:
                yield f"- {metric.name} = {metric.is_}{means(metric)}"
        shown = list(examples)
        if shown:
            yield "\nQueries that people of this organization accepted:"
            for question, sql in shown:
                yield json.dumps({"question": question, "sql": sql}, ensure_ascii=False)


def _named(row: dict[str, Any], what: str, meaning: str) -> Named:
    return Named(_line(row.get("name"), _MEANING), _line(row.get(what), _SQL), _line(row.get(meaning), _MEANING))


def _some(rows: Any, most: int) -> list[dict[str, Any]]:
    return [row for row in rows or () if isinstance(row, dict)][:most]


def _line(value: Any, characters: int) -> str:
    """Return a text of the organization as one line: it cannot look like a heading or a rule of the prompt."""
    return plain(" ".join(str(value or "").split()), characters)
