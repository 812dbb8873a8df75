"""Text as the patterns read it: full-width digits and odd dashes are plain ones, and what cannot be seen is not there.

Whoever hides an address from a pattern by a character nobody sees would otherwise hand it to the provider.
"""

import unicodedata
from dataclasses import dataclass

_SAME = {0x00A0: " ", 0x2007: " ", 0x202F: " ", 0x2009: " ", 0x2010: "-", 0x2011: "-", 0x2012: "-", 0x2013: "-", 0x2212: "-",
         0xFF20: "@", 0xFF0E: ".", 0xFF0B: "+"}


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` after folding; `places[i]` is where its character i stood before, and the last place is the old length."""

    text: str
    places: list[int] | range


def fold(text: str) -> Folded:
    """Return `text` folded; each kept character becomes exactly one."""
    if text.isascii():
        return Folded(text, range(len(text) + 1))
    kept: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if unicodedata.category(character) == "Cf":
            continue
        digit = unicodedata.digit(character, None) if character.isdigit() else None
        kept.append(str(digit) if digit is not None else _SAME.get(ord(character), character))
        places.append(place)
    return Folded("".join(kept), [*places, len(text)])
