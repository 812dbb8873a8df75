"""Which pieces of a text are personal data: patterns, and a checksum wherever the kind has one.

A pattern finds candidates; what has a checksum or a register (python-stdnum, phonenumbers, ipaddress) must pass it, so that order
numbers, dates and versions stay as they are. Names of people have no pattern: see names.py.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import phonenumbers
from stdnum import bitcoin, iban, luhn
from stdnum.br import cpf
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.us import ssn

from agent.redaction.names import Finder

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "AT", "CH", "IN", "BR", "AU")
"""Where a phone number without a country code may belong."""
CARD_DIGITS = range(13, 20)

Valid = Callable[[str], bool]
"""Whether a candidate, as it stands in the text, is of the kind."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of personal data."""

    name: str
    """A-Z alone: it begins the pseudonym."""
    pattern: re.Pattern[str]
    """What is replaced is the group `it` where there is one, else the whole match."""
    valid: Valid = bool


@dataclass(frozen=True, slots=True)
class Span:
    """Where in a text a piece of personal data stands: [start, end)."""

    start: int
    end: int
    kind: str


def _passes(check: Callable[[str], bool]) -> Valid:
    """stdnum's is_valid with everything but letters and digits taken out."""
    return lambda text: bool(check(re.sub(r"[\W_]", "", text)))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _is_card(text: str) -> bool:
    digits = _digits(text)
    return len(digits) in CARD_DIGITS and digits[0] in "23456" and len(set(digits)) > 1 and luhn.is_valid(digits)


def _is_phone(text: str) -> bool:
    for region in (None,) if text.startswith("+") else REGIONS:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return True
    return False


def _is_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    # `a::b` is more often a name in a program than a machine.
    return any(map(str.isdigit, text)) and not (address.is_loopback or address.is_unspecified)


def _near(low: float, high: float, text: str) -> bool:
    return low <= float(text) <= high


def _is_place(text: str) -> bool:
    latitude, longitude = re.split(r"\s*[,;]\s*|\s+", text, maxsplit=1)
    return _near(-90, 90, latitude) and _near(-180, 180, longitude)


# Not inside a longer word, number, identifier or version.
_L, _R = r"(?<![\w.@/-])", r"(?![\w@]|[-.]\w)"
_STREET = (r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|square|sq|terrace|close|crescent|way|parkway|pkwy)")
_DATE = r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}\.? \w{3,9},? \d{4}|\w{3,9} \d{1,2},? \d{4})"

# The order decides where two overlap at the same place: the more certain one first.
KINDS: tuple[Kind, ...] = (
    Kind("SECRET", re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
        r"|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}|\b(?:sk|pk|rk|ghp|gho|ghs|xox[abprs]|sb_secret|glpat)[-_][\w-]{16,}"
        r"|\bAKIA[0-9A-Z]{16}\b|(?<=://)[^\s/:@]{1,100}:[^\s/@:]{1,100}(?=@)", re.DOTALL)),
    Kind("EMAIL", re.compile(r"(?<![\w.+%'-])[\w][\w.+%'-]{0,63}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}(?![\w-])")),
    Kind("IBAN", re.compile(rf"{_L}[A-Za-z]{{2}}\d{{2}}(?:[ -]?[A-Za-z0-9]{{4}}){{2,7}}(?:[ -]?[A-Za-z0-9]{{1,3}})?{_R}"), _passes(iban.is_valid)),
    Kind("NATIONALID", re.compile(rf"{_L}[12]\s?\d{{2}}\s?\d{{2}}\s?\d[\dAB]\s?\d{{3}}\s?\d{{3}}\s?\d{{2}}{_R}"), _passes(nir.is_valid)),
    Kind("CARD", re.compile(rf"{_L}\d(?:[ -]?\d){{12,18}}{_R}"), _is_card),
    Kind("SSN", re.compile(rf"{_L}\d{{3}}[- ]\d{{2}}[- ]\d{{4}}{_R}"), _passes(ssn.is_valid)),
    Kind("HEALTHID", re.compile(rf"{_L}\d{{3}}[ -]\d{{3}}[ -]\d{{4}}{_R}|(?i:\bnhs\b\D{{0,20}})(?P<it>\d{{10}}){_R}"), _passes(nhs.is_valid)),
    Kind("NATIONALID", re.compile(
        rf"{_L}(?!(?:BG|GB|NK|KN|TN|NT|ZZ))[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{{2}} ?\d{{2}} ?\d{{2}} ?[A-D]{_R}")),
    Kind("NATIONALID", re.compile(rf"{_L}(?i:[A-Z]{{6}}\d{{2}}[A-EHLMPR-T]\d{{2}}[A-Z]\d{{3}}[A-Z]){_R}"), _passes(codicefiscale.is_valid)),
    Kind("NATIONALID", re.compile(rf"{_L}\d{{8}}-?[A-Z]{_R}"), _passes(dni.is_valid)),
    Kind("NATIONALID", re.compile(rf"{_L}[XYZ]-?\d{{7}}-?[A-Z]{_R}"), _passes(nie.is_valid)),
    Kind("NATIONALID", re.compile(rf"{_L}\d{{3}}\.\d{{3}}\.\d{{3}}-\d{{2}}{_R}"), _passes(cpf.is_valid)),
    Kind("NATIONALID", re.compile(rf"{_L}\d{{4}} \d{{4}} \d{{4}}{_R}"), _passes(aadhaar.is_valid)),
    Kind("TAXID", re.compile(rf"{_L}\d{{2}} ?\d{{3}} ?\d{{3}} ?\d{{3}}{_R}"), _passes(idnr.is_valid)),
    Kind("PASSPORT", re.compile(
        r"\b(?i:passport|reisepass|passeport|pasaporte)(?i:\s*(?:no|nr|number|nummer|num|n°)\b)?[.:#\s]*(?P<it>(?=\w*\d)[A-Z0-9]{6,9})\b"
        r"|(?<!\S)P[A-Z<][A-Z<]{3}[A-Z<]{39}(?!\S)|(?<!\S)[A-Z0-9<]{9}\d[A-Z]{3}\d{7}[MFX<]\d{7}[A-Z0-9<]{14}\d\d(?!\S)")),
    Kind("BIRTHDATE", re.compile(
        rf"\b(?i:born|birth ?date|date of birth|d\.?o\.?b\.?|birthday|geboren|geburtsdatum|né(?:e)? le|nacid[oa] el)"
        rf"(?i:\s+(?:on|am|is))?[\s:=\"]*(?P<it>{_DATE})")),
    Kind("MAC", re.compile(rf"{_L}(?i:[0-9a-f]{{2}}(?:[:-][0-9a-f]{{2}}){{5}}){_R}")),
    Kind("IP", re.compile(rf"{_L}\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?![\w.]\d|\w)"), _is_address),
    Kind("IP", re.compile(r"(?<![\w:.])(?i:[0-9a-f]{0,4}:){2,7}(?i:[0-9a-f]{1,4})?(?![\w:])"), _is_address),
    Kind("WALLET", re.compile(rf"{_L}(?:[13][1-9A-HJ-NP-Za-km-z]{{25,34}}|bc1[02-9ac-hj-np-z]{{8,87}}){_R}"), bitcoin.is_valid),
    Kind("WALLET", re.compile(rf"{_L}0x[0-9a-fA-F]{{40}}{_R}")),
    Kind("PLACE", re.compile(r"(?<![\w.-])-?\d{1,2}\.\d{4,}\s*[,; ]\s*-?\d{1,3}\.\d{4,}(?![\w.]\d|\w)"), _is_place),
    Kind("ADDRESS", re.compile(
        rf"(?<![\w.-])\d{{1,5}}[A-Za-z]?,? (?:[A-Z][\w'.-]*,? ){{1,4}}(?i:{_STREET})\b\.?"
        r"|\b[A-ZÄÖÜ][\wäöüß.-]*(?:straße|strasse|str\.|gasse|weg|allee|platz|damm|ufer)\s\d{1,4}\s?[a-z]?\b")),
    Kind("PHONE", re.compile(
        r"(?<![\w.@/+-])(?:\+\d{1,3}[ .\-/]?(?:\(0?\d{0,4}\)[ .\-/]?)?\d(?:[ .\-/]?\d){5,12}"
        r"|(?:\(0\d{1,5}\)|0\d{1,5})[ .\-/]\(?\d(?:[ .\-/)]{0,2}\d){4,10}|0\d{9,11}"
        r"|\(\d{3}\) ?\d{3}[-. ]\d{4}|\d{3}[-. ]\d{3}[-. ]\d{4})(?![\w@]|[-.]\w)"), _is_phone),
)
NAME = "NAME"
"""The kind of a person's name."""
NAMES = frozenset(kind.name for kind in KINDS)


def find(text: str, people: Finder | None = None) -> list[Span]:
    """Return the personal data in `text`, in order, never overlapping; names of people where something finds them."""
    found: list[Span] = []
    taken = bytearray(len(text))
    for kind in KINDS:
        for span in _of(kind, text):
            if not any(taken[span.start:span.end]):
                taken[span.start:span.end] = b"\1" * (span.end - span.start)
                found.append(span)
    for start, end in people(text) if people else ():
        # What has a checksum is sure; of a name that overlaps it, what is left is no name.
        if start < end and not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.append(Span(start, end, NAME))
    return sorted(found, key=lambda span: span.start)


def _of(kind: Kind, text: str) -> Iterator[Span]:
    for match in kind.pattern.finditer(text):
        group = "it" if kind.pattern.groupindex and match["it"] else 0
        if kind.valid(match[group]):
            yield Span(*match.span(group), kind.name)
