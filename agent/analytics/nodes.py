"""The constructs that may stand in a statement, as nodes of sqlglot's tree: class, arguments, and nothing that is not here."""

from typing import Final

from sqlglot import exp

_BINARY = "this expression"
_QUERY = "with_ order limit offset"

NODES: Final[dict[type[exp.Expr], frozenset[str]]] = {
    kind: frozenset(arguments.split())
    for kinds, arguments in (
        ((exp.Select,), "with_ expressions distinct from_ joins laterals where group having windows order limit offset operation_modifiers"),
        ((exp.Union, exp.Except, exp.Intersect), f"this expression distinct {_QUERY}"),
        ((exp.Subquery,), f"this alias {_QUERY}"),
        ((exp.With,), "expressions recursive"),
        ((exp.CTE,), "this alias materialized"),
        ((exp.From, exp.Where, exp.Having, exp.Paren, exp.Not, exp.Neg, exp.Any, exp.All, exp.Exists, exp.Grouping, exp.BitwiseNot), "this expressions"),
        ((exp.Join,), "this on side kind using"),
        ((exp.Table,), "this db alias ordinality rows_from joins"),
        ((exp.TableAlias,), "this columns"),
        ((exp.Lateral,), "this alias ordinality"),
        ((exp.Unnest,), "expressions alias offset"),
        ((exp.Values,), "expressions alias"),
        ((exp.Tuple, exp.GroupingSets, exp.Rollup, exp.Cube), "expressions"),
        ((exp.Array,), "expressions bracket_notation"),
        ((exp.Column,), "this table db"),
        ((exp.Identifier,), "this quoted"),
        ((exp.Literal,), "this is_string"),
        ((exp.Boolean, exp.Var, exp.Null), "this"),
        ((exp.Star,), ""),
        ((exp.Alias,), "this alias"),
        ((exp.Group,), "expressions grouping_sets cube rollup"),
        ((exp.Order,), "this expressions"),
        ((exp.Ordered,), "this desc nulls_first"),
        ((exp.Limit, exp.Offset), "expression"),
        ((exp.Fetch,), "direction count limit_options"),
        ((exp.LimitOptions,), "rows with_ties"),
        ((exp.Distinct,), "expressions on"),
        ((exp.Window,), "this partition_by order spec alias over"),
        ((exp.WindowSpec,), "kind start start_side end end_side exclude"),
        ((exp.Filter, exp.WithinGroup), "this expression"),
        ((exp.Case,), "this ifs default"),
        ((exp.If,), "this true"),
        ((exp.Cast,), "this to"),
        ((exp.DataType,), "this expressions nested kind"),
        ((exp.DataTypeParam,), "this"),
        ((exp.Interval,), "this unit"),
        ((exp.Between,), "this low high symmetric"),
        ((exp.In,), "this expressions query"),
        ((exp.Is, exp.Like, exp.ILike), "this expression negate"),
        ((exp.Bracket,), "this expressions offset"),
        ((exp.Slice,), "this expression"),
        ((exp.Kwarg,), _BINARY),
        ((exp.AtTimeZone,), "this zone"),
        ((exp.DPipe,), "this expression safe"),
        ((exp.And, exp.Or, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Add, exp.Sub, exp.Mul, exp.Mod,
          exp.Pow, exp.SimilarTo, exp.Escape, exp.RegexpLike, exp.RegexpILike, exp.ArrayContainsAll, exp.ArrayContainedBy, exp.ArrayOverlaps), _BINARY),
        ((exp.Div,), "this expression typed safe"),
        ((exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar), "this expression only_json_types json_type scalar_only"),
        ((exp.JSONPath,), "expressions"),
        ((exp.JSONPathRoot,), ""),
        ((exp.JSONPathKey, exp.JSONPathSubscript), "this"),
        # `f(a -> 'b')` looks like a function of another dialect; it is written as it was read.
        ((exp.Lambda,), "this expressions"),
        ((exp.Anonymous,), "this expressions"),
        ((exp.Extract,), _BINARY),
        ((exp.Substring,), "this start length"),
        ((exp.Trim,), "this expression position"),
        ((exp.StrPosition,), "this substr"),
        ((exp.Overlay,), "this expression from_ for_"),
        ((exp.GroupConcat,), "this separator"),
        ((exp.CurrentDate, exp.CurrentTimestamp, exp.Localtime, exp.Localtimestamp), ""),
    )
    for kind in kinds
}

SPECIAL_FORMS: Final[dict[type[exp.Expr], frozenset[str]]] = {
    exp.Extract: frozenset({"extract"}),
    exp.Substring: frozenset({"substring"}),
    exp.Trim: frozenset({"btrim", "ltrim", "rtrim"}),
    exp.StrPosition: frozenset({"position"}),
    exp.Overlay: frozenset({"overlay"}),
    exp.GroupConcat: frozenset({"string_agg"}),
    exp.Unnest: frozenset({"unnest"}),
    exp.AtTimeZone: frozenset({"timezone"}),
    exp.SimilarTo: frozenset({"similar_to_escape"}),
    exp.Escape: frozenset({"like_escape", "similar_to_escape"}),
    exp.CurrentDate: frozenset({"current_date"}),
    exp.CurrentTimestamp: frozenset({"current_timestamp"}),
    exp.Localtime: frozenset({"localtime"}),
    exp.Localtimestamp: frozenset({"localtimestamp"}),
}
"""Functions with a grammar of their own, and operators that PostgreSQL's grammar turns into functions: what it may call them."""

PLAIN_WORDS: Final = frozenset("extract substring trim position overlay string_agg unnest".split())
"""Of the functions that are allowed, those whose arguments sqlglot has to read itself."""
