"""The constructs that may stand in a statement, as nodes of PostgreSQL's own parse tree: message, field, and nothing that is not here."""

from typing import Final

from postgast import pg_query_pb2 as pg

IGNORED: Final = frozenset({
    "location", "stmt_location", "stmt_len", "list_start", "list_end", "rexpr_list_start", "rexpr_list_end", "funcformat", "row_format",
    "typemod", "relpersistence", "argnumber",
})
"""Places in the text, and how a thing was spelled; no meaning."""

FIELDS: Final[dict[type, frozenset[str]]] = {
    getattr(pg, name): frozenset(fields.split())
    for name, fields in {
        "SelectStmt": "distinct_clause target_list from_clause where_clause group_clause group_distinct having_clause window_clause values_lists"
                      " sort_clause limit_offset limit_count limit_option with_clause op all larg rarg",
        "WithClause": "ctes recursive",
        "CommonTableExpr": "ctename aliascolnames ctematerialized ctequery",
        "ResTarget": "name val",
        "ColumnRef": "fields",
        "A_Star": "",
        "A_Const": "ival fval boolval sval isnull",
        "A_Expr": "kind name lexpr rexpr",
        "A_ArrayExpr": "elements",
        "A_Indirection": "arg indirection",
        "A_Indices": "is_slice lidx uidx",
        "BoolExpr": "boolop args",
        "NullTest": "arg nulltesttype",
        "BooleanTest": "arg booltesttype",
        "CaseExpr": "arg args defresult",
        "CaseWhen": "expr result",
        "CoalesceExpr": "args",
        "MinMaxExpr": "op args",
        "SubLink": "sub_link_type testexpr oper_name subselect",
        "TypeCast": "arg type_name",
        "TypeName": "names typmods array_bounds",
        "FuncCall": "funcname args agg_order agg_filter over agg_within_group agg_star agg_distinct",
        "NamedArgExpr": "arg name",
        "SQLValueFunction": "op",
        "GroupingFunc": "args",
        "GroupingSet": "kind content",
        "RowExpr": "args",
        "SortBy": "node sortby_dir sortby_nulls",
        "WindowDef": "name refname partition_clause order_clause frame_options start_offset end_offset",
        "JoinExpr": "jointype larg rarg using_clause quals",
        "RangeVar": "schemaname relname inh alias",
        "RangeSubselect": "lateral subquery alias",
        "RangeFunction": "lateral ordinality is_rowsfrom functions alias",
        "Alias": "aliasname colnames",
        "List": "items",
        "String": "sval",
        "Integer": "ival",
        "Float": "fval",
        "Boolean": "boolval",
    }.items()
}

NAMES: Final = {
    "IntoClause": "SELECT INTO", "into_clause": "SELECT INTO", "locking_clause": "a row lock", "coldeflist": "a list of column definitions",
    "is_natural": "NATURAL JOIN", "func_variadic": "VARIADIC", "search_clause": "SEARCH", "cycle_clause": "CYCLE", "ParamRef": "a parameter",
    "CollateClause": "COLLATE", "RangeTableSample": "TABLESAMPLE", "bsval": "a bit string", "use_op": "ORDER BY … USING",
    "XmlExpr": "XML", "XmlSerialize": "XML", "RangeTableFunc": "XMLTABLE", "MultiAssignRef": "an assignment", "setof": "SETOF",
    "pct_type": "%TYPE", "catalogname": "the name of a database",
}
"""What a person calls it, for the message of a refusal."""

SQL_VALUES: Final = {
    pg.SVFOP_CURRENT_DATE: "current_date",
    pg.SVFOP_CURRENT_TIMESTAMP: "current_timestamp",
    pg.SVFOP_LOCALTIME: "localtime",
    pg.SVFOP_LOCALTIMESTAMP: "localtimestamp",
}
"""The time; not who asks, nor where."""

SUBLINKS: Final = frozenset({pg.EXISTS_SUBLINK, pg.ALL_SUBLINK, pg.ANY_SUBLINK, pg.EXPR_SUBLINK, pg.ARRAY_SUBLINK})

JOINS: Final = frozenset({pg.JOIN_INNER, pg.JOIN_LEFT, pg.JOIN_RIGHT, pg.JOIN_FULL})

SPELLED_NOT: Final = {
    (pg.AEXPR_IN, "<>"): (pg.AEXPR_IN, "="),
    (pg.AEXPR_LIKE, "!~~"): (pg.AEXPR_LIKE, "~~"),
    (pg.AEXPR_ILIKE, "!~~*"): (pg.AEXPR_ILIKE, "~~*"),
    (pg.AEXPR_SIMILAR, "!~"): (pg.AEXPR_SIMILAR, "~"),
    (pg.AEXPR_OP, "!~"): (pg.AEXPR_OP, "~"),
    (pg.AEXPR_OP, "!~*"): (pg.AEXPR_OP, "~*"),
    (pg.AEXPR_NOT_BETWEEN, "NOT BETWEEN"): (pg.AEXPR_BETWEEN, "BETWEEN"),
    (pg.AEXPR_NOT_BETWEEN_SYM, "NOT BETWEEN SYMMETRIC"): (pg.AEXPR_BETWEEN_SYM, "BETWEEN SYMMETRIC"),
}
"""`a not in (1)` and `not a in (1)` are one thing, in two spellings: sqlglot writes the second."""

FRAME_BETWEEN: Final = 0x10
"""`rows 2 preceding` and `rows between 2 preceding and current row` differ in this bit alone."""
