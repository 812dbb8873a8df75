"""What a statement may call, convert to and compare with: names as PostgreSQL's own parser gives them, and nothing that is not here.

None of these functions runs text, reads a setting, a file, a catalog or a large object, takes a lock, waits or sends: that is why they
are here, and what a new name has to meet. What makes values or rows without limit is held by `agent.analytics.bounds`.
"""

from typing import Final

_OF_ROWS = """any_value array_agg avg bit_and bit_or bool_and bool_or corr count covar_pop covar_samp every max min mode percentile_cont
percentile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop stddev_samp
string_agg sum var_pop var_samp variance"""

_WINDOW = "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number"

_NUMBERS = """abs acos asin atan atan2 cbrt ceil ceiling cos cot degrees div exp floor ln log log10 mod pi pow power radians round scale sign
sin sqrt tan trim_scale trunc width_bucket"""

_TEXT = """ascii bit_length btrim char_length character_length chr concat concat_ws initcap left length lower lpad ltrim octet_length overlay
position regexp_count regexp_instr regexp_like regexp_match regexp_replace regexp_split_to_array regexp_substr replace reverse right rpad
rtrim similar_to_escape like_escape split_part starts_with strpos substr substring to_char to_number translate upper"""

_TIME = """age date date_bin date_part date_trunc extract isfinite justify_days justify_hours justify_interval make_date make_interval make_time
make_timestamp now timezone to_date to_timestamp"""

_ARRAYS = "array_length array_position array_remove array_to_string cardinality string_to_array"

_JSON = "jsonb_array_length jsonb_extract_path_text jsonb_typeof"

SET_RETURNING: Final = frozenset("generate_series jsonb_array_elements_text jsonb_object_keys regexp_split_to_table string_to_table unnest".split())
"""Only as an item of FROM: in a select list one call multiplies the rows of another."""

SYNTAX: Final = frozenset("coalesce greatest grouping least nullif".split())
"""Written like functions; PostgreSQL has grammar for them."""

FUNCTIONS: Final = frozenset(" ".join((_OF_ROWS, _WINDOW, _NUMBERS, _TEXT, _TIME, _ARRAYS, _JSON)).split()) | SET_RETURNING

AGGREGATES: Final = frozenset(_OF_ROWS.split())

TYPES: Final = frozenset("""bool bpchar date float4 float8 int2 int4 int8 interval json jsonb numeric text time timestamp timestamptz timetz
uuid varchar""".split())
"""No type whose input function looks something up (regclass, regproc, …) and none that holds a document of its own language (xml)."""

OPERATORS: Final = frozenset("""+ - * / % ^ = <> < > <= >= || ~ ~* !~ !~* ~~ ~~* !~~ !~~* -> ->> @> <@ &&""".split())
"""By plain name. OPERATOR(schema.name) is refused: the name alone decides, and only pg_catalog is searched."""

MONTH_TO_SECOND: Final = {4: "year", 2: "month", 8: "day", 1024: "hour", 2048: "minute", 4096: "second"}
"""Field of an interval by the bit that PostgreSQL keeps for it."""
