"""The names in a question that no passage mentions: then the passages are about something else, however near they seem.

A small embedding model puts "the default of truststore" next to any text on certificates. What the model's own vocabulary does
not hold as one word (truststore, NOR-4711, LGPL) is taken for a name, and a name is compared by its letters, not by meaning.
"""

import re
import threading
from collections.abc import Iterable
from functools import cache

from agent.embedding import TOKENIZER_FILE, packaged_file

_WORD = re.compile(r"[^\W_]+")
INFLECTION = 3
"""Letters that may differ at the end: tokeniser and tokenisers, licences and license."""
_lock = threading.Lock()


def unmentioned(question: str, texts: Iterable[str]) -> set[str]:
    """Return the names in `question` that none of `texts` mentions. Blocks: the vocabulary is read at the first call."""
    with _lock:
        known = _vocabulary()
    there = {word for text in texts for word in _words(text)}
    return {name for name in _words(question) if name not in known and not _mentioned(name, there)}


def _mentioned(name: str, there: set[str]) -> bool:
    if name in there:
        return True
    beginning = name[:max(4, len(name) - INFLECTION)]
    return not any(c.isdigit() for c in name) and any(word.startswith(beginning) for word in there)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


@cache
def _vocabulary() -> frozenset[str]:
    from tokenizers import Tokenizer

    return frozenset(Tokenizer.from_file(str(packaged_file(*TOKENIZER_FILE))).get_vocab())
