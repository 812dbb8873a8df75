"""Pseudonyms: one for each value, the same for one organization as long as the key is, and the way back for one run.

    EMAIL_3f9a0c41d2        kind, underscore, ten hexadecimal digits of HMAC-SHA256(key of the organization, kind and value)

The key of an organization is HMAC-SHA256(key of the process, organization id), so equal values of two organizations have nothing
in common. The map back is an attribute of an object that lives as long as one run; it is never written anywhere.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from agent.redaction.folding import fold
from agent.redaction.kinds import NAME, NAMES, find
from agent.redaction.names import Finder, finder

DIGITS = 10
LITERAL = "LITERAL"
"""The kind of what only looks like a pseudonym: it is hidden too, so that what comes back is never taken for another."""

_KINDS = sorted(NAMES | {LITERAL, NAME})
_LONGEST = max(map(len, _KINDS)) + len("\\_") + DIGITS
# Models put a backslash before an underscore where they write Markdown, and some change the case.
_TOKEN = re.compile(rf"(?P<kind>{'|'.join(_KINDS)})\\?_(?P<digits>[0-9a-f]{{{DIGITS}}})", re.IGNORECASE)


class Pseudonyms:
    """Hides personal data and shows it again; one object a run."""

    def __init__(self, key: bytes, org_id: str, people: Finder | None = None) -> None:
        """`key`: at least 32 bytes. `people`: finds names; the one of this process by default."""
        self._people = people or finder()
        self._key = hmac.digest(key, org_id.encode(), hashlib.sha256)
        self._back: dict[str, str] = {}
        self._of: dict[tuple[str, str], str] = {}

    def __len__(self) -> int:
        """How many values are hidden."""
        return len(self._back)

    def hide(self, text: str) -> str:
        """Return `text` with every piece of personal data replaced by its pseudonym."""
        text = _TOKEN.sub(lambda match: self._pseudonym(LITERAL, match[0], match[0]), text)
        folded = fold(text)
        shown, pieces = 0, []
        for span in find(folded.text, self._people):
            start, end = folded.places[span.start], folded.places[span.end - 1] + 1
            value = folded.text[span.start:span.end]
            pieces += [text[shown:start], self._pseudonym(span.kind, _canonical(span.kind, value), text[start:end])]
            shown = end
        return "".join([*pieces, text[shown:]])

    def show(self, text: str) -> str:
        """Return `text` with every pseudonym of this run replaced by what it stands for."""
        # What was hidden may itself look like a pseudonym: one pass, and nothing is looked at twice.
        return _TOKEN.sub(lambda match: self._back.get(_name(match), match[0]), text)

    def hide_all(self, value: Any) -> Any:
        """Return a JSON value with `hide` applied to every text in it, keys excepted."""
        return _map(value, self.hide)

    def show_all(self, value: Any) -> Any:
        """Return a JSON value with `show` applied to every text in it, keys excepted."""
        return _map(value, self.show)

    def hide_json(self, text: str) -> str:
        """Return JSON text with `hide_all` applied to its value; text that is no JSON is hidden as it stands."""
        return self._in_json(text, self.hide)

    def show_json(self, text: str) -> str:
        """Return JSON text with `show_all` applied to its value; what is restored never breaks its quoting."""
        return self._in_json(text, self.show)

    def _in_json(self, text: str, change: Any) -> str:
        try:
            value = json.loads(text)
        except ValueError:
            return str(change(text))
        return json.dumps(_map(value, change), sort_keys=True, ensure_ascii=False)

    def stream(self) -> "Stream":
        """Return what restores a text that arrives in pieces."""
        return Stream(self)

    def _pseudonym(self, kind: str, canonical: str, original: str) -> str:
        known = self._of.get((kind, canonical))
        if known:
            return known
        attempt = 0
        while True:
            message = f"{kind}\0{attempt}\0{canonical}".encode(errors="surrogatepass")
            name = f"{kind}_{hmac.digest(self._key, message, hashlib.sha256).hex()[:DIGITS]}"
            # Two values of one run never share a pseudonym, however unlikely ten digits make it.
            if name not in self._back:
                break
            attempt += 1
        self._back[name] = original
        self._of[kind, canonical] = name
        return name


class Stream:
    """Restores pieces as they come; holds back only what may be the beginning of a pseudonym."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms, self._held = pseudonyms, ""

    def show(self, piece: str) -> str:
        """Return what can be told of everything so far and was not told yet."""
        text = self._held + piece
        cut = _open_end(text)
        self._held = text[cut:]
        return self._pseudonyms.show(text[:cut])

    def end(self) -> str:
        """Return what was held back."""
        held, self._held = self._held, ""
        return self._pseudonyms.show(held)


def _name(match: re.Match[str]) -> str:
    return f"{match['kind'].upper()}_{match['digits'].lower()}"


def _canonical(kind: str, value: str) -> str:
    """Return what two spellings of one value have in common."""
    if kind in ("SECRET", "WALLET"):
        return value
    if kind == NAME:
        return " ".join(value.split()).casefold()
    return value.casefold() if kind in ("EMAIL", "ADDRESS", "PLACE") else re.sub(r"[\s().\-/]", "", value).casefold()


def _map(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _map(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_map(item, change) for item in value]
    return value


def _open_end(text: str) -> int:
    """Return where the end of `text` begins that could still become a pseudonym; its length when there is none."""
    whole = [match.end() for match in _TOKEN.finditer(text)]
    for start in range(max([len(text) - _LONGEST, 0, *whole]), len(text)):
        if _may_begin(text[start:]):
            return start
    return len(text)


def _may_begin(text: str) -> bool:
    """Whether `text` is a pseudonym without its end."""
    upper = text.upper()
    for kind in _KINDS:
        if kind.startswith(upper):
            return True
        if upper.startswith(kind) and re.fullmatch(rf"(?:\\|\\?_[0-9A-F]{{0,{DIGITS - 1}}})", upper[len(kind):]):
            return True
    return False
