"""How long a value can get: an upper bound of characters for what each function makes of its arguments."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

NUMERAL: Final = 150_000
"""No numeric has more characters: 131,072 digits before the point, 16,383 after it."""
PER_CHARACTER: Final = 20_000
"""What one character of a JSON text can come to: `1e131071` is a number of 131,072 digits."""

_EXPONENT = re.compile(r"\s*[+-]?[0-9_.]+[eE][+]?([0-9_]+)\s*")
_SMALL = re.compile(r"\s*[+-]?[0-9_.]+[eE]-([0-9_]+)\s*")
_EXPONENTS = re.compile(r"[0-9.][eE][+-]?[0-9]{3}")
# One character or more for each of these, so that the whole pattern never matches an empty text.
_WHOLE_PIECES = re.compile(r"(?:(?:\\[sdwSDW]|\[\^?[^]\[\\]+\]|[A-Za-z0-9 ,;:/_'\"-])\+?(?![*?{+]))+")
_WIDE_FORMATS = re.compile(r"month|day|hh24|hh12|hh|ddd|dd|mi|mm|ssss|ss|rn|rm|tzh|tzm|tz|of|us|ms|ff[1-6]|cc|yyyy|y,yyy|y+|iyyy|i+|j|l|d|w|eeee|sg|pl|s", re.IGNORECASE)


class Size(NamedTuple):
    """Of one value, in characters as text."""

    longest: int
    usual: int
    """On an average over the rows; the same as `longest` for what the statement itself says. What is stored is short on an average."""
    cost: int = 0
    """Characters of all that is made on the way to it."""
    number: bool = False
    several: bool = False
    """An array or a row: put into another one, its quotes are quoted."""
    stored: bool = False
    """A column of a relation as it is."""
    distinct: bool = False
    """A column that no two rows of its FROM item share a value of."""
    gathered: bool = False
    """Made by an aggregate of all rows of its group."""


def numeral(text: str) -> int:
    """Return the characters that the number of a literal has."""
    written = _EXPONENT.fullmatch(text) or _SMALL.fullmatch(text)
    return len(text) if written is None else min(NUMERAL, len(text) + int(written[1].replace("_", "") or 0)) if len(written[1]) < 9 else NUMERAL


def with_exponents(text: str) -> bool:
    return _EXPONENTS.search(text) is not None


def of_type(name: str, longest: int, usual: int) -> Size:
    """Return the size of a column of a relation: `longest` and `usual` of a text."""
    if name.endswith("]"):
        return Size(longest, 8, several=True, stored=True)
    kind = name.partition("(")[0].partition(" with")[0].strip()
    width, number = _OF_TYPE.get(kind, (0, False))
    if kind == "numeric":
        return Size(100, 12, number=True, stored=True)
    return Size(width, width if not number else min(width, 12), number=number, stored=True) if width else Size(longest, usual, stored=True)


_OF_TYPE: Final = {
    **dict.fromkeys(("smallint", "integer", "bigint", "int2", "int4", "int8"), (20, True)), "numeric": (100, True),
    **dict.fromkeys(("real", "double precision", "float4", "float8"), (26, True)), "boolean": (5, False), "bool": (5, False), "uuid": (36, False),
    **dict.fromkeys(("date", "timestamp", "timestamptz", "time", "timetz"), (32, False)), "interval": (64, False),
}

Lengths = Sequence[int]
Nodes = Sequence[Any]


def _text(node: Any) -> str | None:
    """Return a text literal as it stands: a cast around it could cut or pad it."""
    return node.a_const.sval.sval if node.WhichOneof("node") == "a_const" and node.a_const.WhichOneof("val") == "sval" else None


def _number(nodes: Nodes, place: int) -> int | None:
    if len(nodes) <= place or nodes[place].WhichOneof("node") != "a_const":
        return None
    return nodes[place].a_const.ival.ival if nodes[place].a_const.WhichOneof("val") == "ival" else None


def _replace(of: Lengths, nodes: Nodes) -> int:
    if len(of) != 3:
        return sum(of)
    found = _text(nodes[1])
    if found == "":
        return of[0]
    width = len(found) if found is not None else 1
    return max(of[0], of[0] // width * of[2] + of[0] % width)


def _regexp_replace(of: Lengths, nodes: Nodes) -> int:
    if len(of) < 3:
        return sum(of)
    pattern, new = _text(nodes[1]), _text(nodes[2])
    copied = 0 if new is not None and "\\" not in new else of[2] // 2 * of[0]
    if len(of) == 3 or (len(of) == 4 and "g" not in (_text(nodes[3]) or "g")):
        return of[0] + of[2] + copied
    # With the flag x a space in the pattern is nothing.
    if pattern is not None and len(of) == 4 and _text(nodes[3]) in ("g", "gi", "ig") and _WHOLE_PIECES.fullmatch(pattern):
        return of[0] * max(1, of[2]) + copied
    return of[0] + (of[0] + 1) * of[2] + copied


def _cut(place: int) -> Callable[[Lengths, Nodes], int]:
    def length(of: Lengths, nodes: Nodes) -> int:
        most = _number(nodes, place)
        return min(of[0], most) if most is not None and most >= 0 else of[0]
    return length


def _format(of: Lengths, nodes: Nodes) -> int:
    form = _text(nodes[1]) if len(nodes) > 1 else None
    return sum(of) * 16 + 32 if form is None else len(form) + 8 * len(_WIDE_FORMATS.findall(form)) + 12


def _rounded(of: Lengths, nodes: Nodes) -> int:
    digits = 0 if len(of) == 1 else _number(nodes, 1)
    return of[0] + 2 + (2_000 if digits is None else min(abs(digits), 2_000))


def _power(of: Lengths, nodes: Nodes) -> int:
    exponent = _number(nodes, 1)
    return NUMERAL if exponent is None or abs(exponent) > 100 else of[0] * (abs(exponent) + 1) + 40


def _matched(of: Lengths, nodes: Nodes) -> int:
    pattern = _text(nodes[1]) if len(nodes) > 1 else None
    return (2 * of[0] + 6) * (1 + (pattern.count("(") if pattern is not None else max(of)))


_GROUPS: Final[tuple[tuple[Callable[[Lengths, Nodes], int], str], ...]] = (
    (lambda of, _: 5, "bool_and bool_or every starts_with regexp_like isfinite"),
    (lambda of, _: 20, """ascii bit_length char_length character_length length octet_length position strpos regexp_count regexp_instr array_length
     array_position cardinality jsonb_array_length jsonb_typeof count cume_dist dense_rank ntile percent_rank rank row_number grouping"""),
    (lambda of, _: 40, """acos asin atan atan2 cbrt cos cot degrees pi radians sin tan width_bucket scale sign corr covar_pop covar_samp regr_avgx
     regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy date_part extract"""),
    (lambda of, _: 64, """age date date_bin date_trunc justify_days justify_hours justify_interval make_date make_interval make_time make_timestamp now
     timezone to_date to_timestamp"""),
    (lambda of, _: max(of, default=0), """btrim initcap lower ltrim regexp_substr reverse rtrim split_part translate upper any_value max min mode lag lead
     first_value last_value nth_value array_remove jsonb_extract_path_text coalesce greatest least nullif bit_and bit_or"""),
    (lambda of, _: sum(of) + 2, "abs ceil ceiling floor mod div trim_scale to_number overlay concat"),
    (lambda of, _: sum(of) + 40, "sqrt ln log log10 sum avg"),
    (lambda of, _: 2 * sum(of) + 60, "stddev stddev_pop stddev_samp var_pop var_samp variance"),
    (lambda of, _: NUMERAL, "exp"),
    (lambda of, _: 1, "chr"),
    (_power, "power pow"), (_rounded, "round trunc"), (_replace, "replace"), (_regexp_replace, "regexp_replace"), (_format, "to_char"),
    (_cut(1), "left right"), (_cut(2), "substring substr"), (_matched, "regexp_match"),
    (lambda of, nodes: max(_number(nodes, 1) or 0, 0), "lpad rpad"),
    (lambda of, _: sum(of[1:]) + of[0] * max(0, len(of) - 2), "concat_ws"),
    (lambda of, _: of[0] + (of[0] + 1) * sum(of[1:]), "array_to_string"),
    (lambda of, _: 5 * of[0] + 5, "string_to_array regexp_split_to_array"),
    (lambda of, _: 4 * sum(of) + 20, "similar_to_escape like_escape"),
    (lambda of, _: sum(of) + 40, "percentile_cont percentile_disc"),
)
LENGTHS: Final = {name: length for length, names in _GROUPS for name in names.split()}
"""Of the result, by the lengths of the arguments and their nodes: for the longest and for the usual ones. Aggregates over rows are not here."""

GATHERING: Final = frozenset({"string_agg", "array_agg"})
"""One value made of as many as there are rows."""

NUMBERS: Final = frozenset("""abs ceil ceiling floor mod div trim_scale to_number sqrt ln log log10 sum avg stddev stddev_pop stddev_samp var_pop var_samp
variance exp power pow round trunc acos asin atan atan2 cbrt cos cot degrees pi radians sin tan width_bucket scale sign count length
char_length character_length extract date_part rank dense_rank row_number ntile""".split())
SEVERAL: Final = frozenset({"array_agg", "string_to_array", "regexp_split_to_array", "regexp_match", "array_remove"})
ONE_OF: Final = frozenset("any_value max min mode lag lead first_value last_value nth_value coalesce greatest least nullif".split())
"""What gives back one of its arguments."""
PICKING: Final = frozenset("any_value max min mode percentile_disc".split())
"""What can pick the longest of all rows."""
