"""Does a passage say what an answer says? A check of words, for models small enough to make things up.

It refuses what it cannot find: every figure of the answer, and most of its other words, must stand in the passage or in the
question. It does not understand: an answer that turns "must" into "must not" passes.
"""

import re

SHARE = 0.7
"""How many of the answer's own words must stand in the passage."""
STEM = 5
"""Words are compared by this many letters: "encode" and "encoding" are one."""

_WORD = re.compile(r"[^\W_]+(?:[._+'-][^\W_]+)*")
_EMPTY = frozenset(
    "a an and are as at be because by can cannot do does for from has have if in into is it its may must no not of on one only or "
    "should so such than that the their them then there these they this to use used uses using was were when where which while "
    "will with yes you your".split())


def is_grounded(answer: str, question: str, passage: str) -> bool:
    """Return whether `passage` holds the words of `answer`; an answer that has no word of its own is not checked against it."""
    held, asked = _Words(passage), _Words(question)
    own = [word for word in _words(answer) if word not in _EMPTY and word not in asked]
    if any(any(c.isdigit() for c in word) and word not in held for word in own):
        return False
    return sum(word in held for word in own) >= SHARE * len(own)


def says_nothing_new(answer: str, question: str) -> bool:
    """Return whether an answer is yes, no, or the question's own words: then only the passage itself can support it."""
    asked = _Words(question)
    return all(word in _EMPTY or word in asked for word in _words(answer))


class _Words:
    """The words of a text: figures as they are, others by their stem."""

    def __init__(self, text: str) -> None:
        self._words = set(_words(text))
        # "HTTP/1.1," and "`--flag`" are split at signs; an answer may keep together what a passage takes apart.
        self._stems = {part[:STEM] for word in self._words for part in (word, *re.split(r"[._+'-]", word))}

    def __contains__(self, word: str) -> bool:
        if word in self._words:
            return True
        return not any(c.isdigit() for c in word) and word[:STEM] in self._stems


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("’", "'"))
