"""Personal data is found, replaced and restored (F69)."""

import itertools
import random
import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from agent.app import create_app
from agent.config import Config
from agent.errors import Misconfigured
from agent.redaction import names
from agent.redaction.kinds import KINDS, NAMES, find
from agent.redaction.pseudonyms import DIGITS, Pseudonyms
from tests.agent.hostile_texts import HOSTILE

KEY = b"k" * 32
# Made up, with checksums that hold where there are any.
PLANTED = {
    "EMAIL": ["jane.doe+home@example.co.uk", "müller@bücher.example"],
    "PHONE": ["+49 30 901820", "(415) 555-2671", "020 7946 0018", "+1-415-555-2671", "030 901820"],
    "IBAN": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"],
    "CARD": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    "SSN": ["536-90-4399"],
    "HEALTHID": ["943 476 5919"],
    "NATIONALID": ["AB 12 34 56 C", "RSSMRA85T10A562S", "12345678Z", "X1234567L", "390.533.447-05", "2345 6789 0124"],
    "TAXID": ["36 574 261 809"],
    "PASSPORT": ["C01X00T47"],
    "BIRTHDATE": ["12.03.1984", "1984-03-12", "March 12, 1984"],
    "MAC": ["00:1B:44:11:3A:B7"],
    "IP": ["192.168.10.4", "2001:db8::8a2e:370:7334"],
    "WALLET": ["1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "0x52908400098527886E0F7030069857D2E4169EE7"],
    "PLACE": ["52.52000, 13.40500"],
    "ADDRESS": ["221B Baker Street", "Invalidenstraße 43"],
    "SECRET": ["sk-" + "abcdEFGH1234567890xyz", "AKIA" + "IOSFODNN7EXAMPLE"],
}
BEFORE = {"PASSPORT": "passport no: ", "BIRTHDATE": "born on "}
ORDINARY = (
    "order NOR-4711 of 2026-11-22T04:41:08Z, release 1.2.3, run 3f9a0c41-7d2e-4b11-9a3c-1234567890ab, ISBN 978-3-16-148410-0, 12 000 000 EUR, "
    "192 passages, 3.14159265, e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, 0.0.0.0, 127.0.0.1, 1763783400 and "
    "1763783400123, price 1,299.00; std::vector a::b; 2026-2027; 100 200 300; 8787; 1024 x 768; 12.03.1984 to 31.12.1999; RFC 8725; $12.50 [1, 2]")


def pseudonyms(org: str = "acme") -> Pseudonyms:
    return Pseudonyms(KEY, org)


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in PLANTED.items() for value in values])
def test_each_kind_is_found_whole_and_nothing_beside_it_F69(kind: str, value: str) -> None:
    text = f"It said ({BEFORE.get(kind, '')}{value}), and so on."
    [span] = find(text)
    assert (span.kind, text[span.start:span.end]) == (kind, value)


def test_every_kind_there_is_was_planted_and_there_are_at_least_twelve_F69() -> None:
    assert {kind.name for kind in KINDS} == NAMES == PLANTED.keys() and len(NAMES) >= 12


def test_numbers_dates_versions_and_code_stay_as_they_are_F69() -> None:
    assert find(ORDINARY) == []
    assert pseudonyms().hide(ORDINARY) == ORDINARY


def test_what_fails_its_checksum_is_an_ordinary_number_F69() -> None:
    for wrong in ("4111 1111 1111 1112", "GB82WEST12345698765433", "390.533.447-06", "999.10.10.10"):
        assert find(f"It was {wrong}.") == [], wrong


@pytest.mark.parametrize("value", ["jane\u200b@exam\u00adple.com", "４１１１ 1111 1111 1111", "DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", "jane＠example．com"])
def test_characters_nobody_sees_hide_nothing_from_it_F69(value: str) -> None:
    hidden = pseudonyms().hide(f"a {value} b")
    assert re.fullmatch(rf"a [A-Z]+_[0-9a-f]{{{DIGITS}}} b", hidden)


def everything() -> str:
    return "; ".join(f"{BEFORE.get(kind, '')}{value}" for kind, values in PLANTED.items() for value in values) + "\n" + ORDINARY


def test_all_of_it_comes_back_as_it_was_F69() -> None:
    names = pseudonyms()
    hidden = names.hide(everything())
    assert not [value for values in PLANTED.values() for value in values if value in hidden.removesuffix(ORDINARY)]
    assert names.show(hidden) == everything()


def test_the_same_value_has_one_pseudonym_in_an_organization_and_another_elsewhere_F69() -> None:
    names = pseudonyms()
    first, again, spaced = (names.hide(text) for text in ("Jane.Doe@Example.com", "jane.doe@example.com", "x"))
    assert first == again != spaced and len(names) == 1
    assert pseudonyms().hide("jane.doe@example.com") == first
    assert pseudonyms("globex").hide("jane.doe@example.com") != first
    assert Pseudonyms(b"o" * 32, "acme").hide("jane.doe@example.com") != first


def test_two_values_never_share_a_pseudonym_even_when_their_digits_collide_F69(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.redaction.pseudonyms.DIGITS", 1)
    names = pseudonyms()
    texts = [f"person{i}@example.com" for i in range(12)]
    assert len({names.hide(text) for text in texts}) == 12


def test_what_only_looks_like_a_pseudonym_is_never_taken_for_one_F69() -> None:
    names = pseudonyms()
    real = names.hide("jane@example.com")
    # A document that quotes the pseudonym of somebody else's address.
    quoted = names.hide(f"write to {real}")
    assert real not in quoted and names.show(quoted) == f"write to {real}"
    assert names.show("EMAIL_0000000000") == "EMAIL_0000000000"


@pytest.mark.parametrize("written", [lambda text: text, lambda text: text.replace("_", "\\_"), lambda text: re.sub(r"[A-Z]+_[0-9a-f]{10}", lambda m: m[0].lower(), text)])
def test_a_stream_is_restored_however_it_is_cut_F69(written) -> None:  # type: ignore[no-untyped-def]
    names = pseudonyms()
    text, chance = written(names.hide(everything())), random.Random(7)
    expected = names.show(text)
    assert expected.startswith("jane.doe+home@example.co.uk; ")
    for _ in range(200):
        stream, shown, at = names.stream(), "", 0
        while at < len(text):
            size = chance.randint(1, 9)
            shown += stream.show(text[at:at + size])
            at += size
        assert shown + stream.end() == expected


def test_a_stream_holds_back_no_more_than_the_beginning_of_a_pseudonym_F69() -> None:
    stream = pseudonyms().stream()
    assert stream.show("Everything else goes on at once. ") == "Everything else goes on at once. "
    assert stream.show("EMAIL_12") == "" and stream.show(" is none.") == "EMAIL_12 is none."


def test_texts_in_json_are_replaced_inside_their_quotes_F69() -> None:
    names = pseudonyms()
    value = {"rows": [{"note": 'she\n"jane@example.com"', "n": 3, "none": None}], "jane@example.com": True}
    hidden = names.hide_all(value)
    assert "jane@" not in hidden["rows"][0]["note"] and hidden["rows"][0]["n"] == 3 and "jane@example.com" in hidden
    assert names.show_all(hidden) == value
    assert names.show_json(names.hide_json('{"to": "a\\n\\"b@example.com"}')) == '{"to": "a\\n\\"b@example.com"}'
    assert names.show_json(names.hide_json("not json b@example.com")) == "not json b@example.com"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_text_is_looked_through_and_comes_back_as_it_was_F69(hostile: str) -> None:
    """How long it takes, and whether twice the text takes more than twice as long, is measured by `make bench`."""
    assert all(one.end <= other.start for one, other in itertools.pairwise(find(hostile)))
    names = Pseudonyms(KEY, "organization")
    assert names.show(names.hide(hostile)) == hostile


PEOPLE = ("Anna Schmidt", "José  García", "O'Brien")


def people(text: str) -> Iterator[tuple[int, int]]:
    """A finder that knows three people."""
    return (match.span() for match in re.finditer("|".join(map(re.escape, PEOPLE)), text))


def test_a_name_that_the_optional_model_finds_is_replaced_and_restored_like_the_other_kinds_F69() -> None:
    hiding = Pseudonyms(KEY, "acme", people)
    text = "Anna Schmidt wrote to José  García (jose@example.com); O'Brien, not obrien@example.com, answered Anna Schmidt."
    hidden = hiding.hide(text)
    assert not any(name in hidden for name in PEOPLE) and "@example.com" not in hidden
    assert hiding.show(hidden) == text and len(set(re.findall(r"NAME_[0-9a-f]{10}", hidden))) == 3
    assert hiding.hide("ANNA  SCHMIDT".title()) == "Anna  Schmidt", "what the model does not find stays"
    stream = hiding.stream()
    assert "".join(stream.show(piece) for piece in hidden) + stream.end() == text
    assert Pseudonyms(KEY, "acme").hide("Anna Schmidt") == "Anna Schmidt", "without a model names stay as they are"


def test_a_name_never_cuts_a_sure_kind_in_two_F69() -> None:
    hiding = Pseudonyms(KEY, "acme", lambda text: iter([(0, len(text)), (3, 3)]))
    assert re.fullmatch(r"To EMAIL_[0-9a-f]{10}", hiding.hide("To anna.schmidt@example.com"))


class Pipeline:
    """A spaCy pipeline as far as it is used: every capitalised word is a person, every number a date."""

    pipe_names = ("tok2vec", "ner")

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def __call__(self, text: str) -> SimpleNamespace:
        self.lengths.append(len(text))
        return SimpleNamespace(ents=[SimpleNamespace(start_char=m.start(), end_char=m.end(), label_="PERSON" if m[0][0].isupper() else "DATE")
                                     for m in re.finditer(r"[A-Z]\w+|\d+", text)])


def test_the_model_that_the_operator_names_is_loaded_and_looks_at_a_long_text_in_windows_F69(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, asked = Pipeline(), []
    monkeypatch.setattr(names.importlib, "import_module", lambda name: SimpleNamespace(load=lambda model, exclude: asked.append(model) or pipeline))
    monkeypatch.setenv("RINGFENCE_NAMES_MODEL", "some_model")
    names.finder.cache_clear()
    try:
        text = "to Bob on 2026, " * 20_000
        found = list(names.finder()(text))  # type: ignore[misc]
        assert {text[a:b] for a, b in found} == {"Bob"} and len(found) == 20_000
        assert max(pipeline.lengths) <= names.WINDOW and sum(pipeline.lengths) == len(text) and asked == ["some_model"]
        assert "Bob" not in Pseudonyms(KEY, "acme").hide("to Bob") and asked == ["some_model"], "loaded once"
    finally:
        names.finder.cache_clear()


@pytest.mark.parametrize("spacy", [None, SimpleNamespace(pipe_names=("tagger",))])
def test_a_model_that_is_not_there_or_finds_no_names_stops_the_start_F69(monkeypatch: pytest.MonkeyPatch, spacy: SimpleNamespace | None) -> None:
    def imported(name: str) -> SimpleNamespace:
        if spacy is None:
            raise ImportError
        return SimpleNamespace(load=lambda model, exclude: spacy)

    monkeypatch.setattr(names.importlib, "import_module", imported)
    monkeypatch.setenv("RINGFENCE_NAMES_MODEL", "some_model")
    names.finder.cache_clear()
    try:
        with pytest.raises(Misconfigured, match="RINGFENCE_NAMES_MODEL"):
            create_app(Config("http://127.0.0.1:1", "k"))
    finally:
        names.finder.cache_clear()
