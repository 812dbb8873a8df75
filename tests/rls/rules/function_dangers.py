"""What a function that clients can call must not do: run text as SQL, write settings that decide who is asking, reach out, read the server's statistics."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls.analysis import tree
from tests.rls.analysis.flow import Flow
from tests.rls.analysis.model import Model, act, persona
from tests.rls.analysis.reading import Line
from tests.rls.analysis.tree import Node
from tests.rls.catalog import Function
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

QUOTING = {"quote_ident", "quote_literal", "quote_nullable"}
RUNS_TEXT = {"query_to_xml", "query_to_xml_and_xmlschema", "query_to_xmlschema", "cursor_to_xml", "ts_stat", "dblink", "dblink_exec", "dblink_open", "dblink_send_query", "crosstab", "connectby",
             "table_to_xml", "schema_to_xml", "database_to_xml"}
REACHES_OUT = {"dblink_connect", "http", "http_get", "http_post", "http_put", "http_delete", "http_collect_response", "pg_read_file", "pg_read_binary_file", "pg_ls_dir", "pg_stat_file", "lo_import",
               "lo_export"}
SERVER = {"pg_stat_activity", "pg_stat_statements", "pg_stats", "pg_statistic", "pg_authid", "pg_shadow", "pg_stat_replication", "pg_user_mapping", "pg_user_mappings", "pg_hba_file_rules",
          "pg_statistic_ext_data", "pg_stats_ext", "pg_largeobject", "pg_file_settings", "pg_prepared_statements", "pg_cursors"}
IDENTITY_SETTING = re.compile(r"^(role|session_authorization|row_security|search_path|request\..*)$", re.I)
HARMLESS_SETTING = re.compile(r"^(response\..*|statement_timeout|lock_timeout|pgrst\..*|hnsw\..*|ivfflat\..*|pg_trgm\..*|work_mem|timezone|plan_filter\..*)$", re.I)
UNTRUSTED = {"plpython3u", "plperlu", "pltclu", "plpythonu", "plsh", "c"}
CLIENT_HEADER = re.compile(r"user|org|tenant|role|account|sub$|admin|team|workspace|company", re.I)
CHOSEN_KEYS = re.compile(r"org|tenant|team|role|admin|plan|staff|permission|account_id|company|workspace|tier|super", re.I)


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    policies = {f.oid for t in context.catalog.tables.values() for f in model.reading.policy_functions(t.policies)}
    for function in context.catalog.own_functions():
        callers = model.callers(function)
        if function.kind not in "fp" or not (callers or function.is_trigger or function.oid in policies):
            continue
        for name, what in _flaws(model, function, bool(callers)):
            arguments = ", ".join(f"<text of the caller's>::{a.type}" for a in function.arguments)
            yield Finding(name, function.label, "execute", persona("anon" if "anon" in callers else "authenticated"), f"function {function.label}: {what}",
                          " ".join(function.source.split())[:600], act(callers[-1] if callers else "authenticated", f"select {function.sql}({arguments});"))


def _flaws(model: Model, function: Function, callable_: bool) -> Iterator[tuple[str, str]]:
    body = model.reading.body(function)
    nodes = body.nodes
    if callable_ and not function.is_trigger:
        if function.language in UNTRUSTED:
            yield "function-untrusted-language", f"written in {function.language}, a language without limits, and callable by clients"
        flow = Flow(model, function)
        for line in body.lines:
            if (argument := _as_sql(flow, line)) is not None:
                yield ("exec-sql", f"runs SQL text made of its argument {argument} (dynamic SQL, exec_sql): concatenated without quote_ident, quote_literal or format %I, so the caller writes the statement"
                       + ("; even as an invoker it lets a session SET ROLE and set_config" if not function.definer else ""))
                break
        yield from _calls(model, function, flow, nodes)
        yield from _server(function, nodes, body.lines)
        if (guard := _null_guard(flow)) is not None:
            yield "definer-null-guard", f"null-unsafe check: {guard} is NULL for a stranger, `NULL <> …` and `NULL not in (…)` are not true, so IF lets the call go on"
    yield from _settings(model, function, body.lines, nodes)
    yield from _sources(model, function, nodes)


def _as_sql(flow: Flow, line: Line) -> str | None:
    """Return the argument that becomes SQL text in an EXECUTE, or None."""
    if line.step.kind != "execute":
        return None
    if line.node is None:
        return next((a for a in sorted(flow.arguments) if re.search(rf"\|\|\s*{re.escape(a)}\b|^{re.escape(a)}\b", line.step.text, re.I)), None)
    return _loose_text(flow, line.node, 0)


def _loose_text(flow: Flow, node: Node, depth: int) -> str | None:
    """Return the argument whose text reaches a string unquoted."""
    node = tree.strip(node)
    if "column_ref" in node or "param_ref" in node:
        for name in sorted(flow.names(node)):
            if name in flow.arguments:
                declared = next((a for a in flow.function.arguments if a.name == name), None)
                return name if declared is None or declared.base_type in ("text", "character varying", "name", "json", "jsonb", "text[]", "character", "unknown") else None
            for setter in flow.setters.get(name, ()) if depth < 4 else ():
                if setter.node is not None and setter.step.kind in ("assign", "declare") and (found := _loose_text(flow, setter.node, depth + 1)):
                    return found
        return None
    if "func_call" in node:
        name, arguments = tree.strings(node["func_call"].get("funcname")), node["func_call"].get("args", [])
        if any(not f.managed for f in flow.reading.functions(name)) or name[-1] in QUOTING or name[-1] in ("length", "array_length", "count"):
            return None
        if name[-1] == "format" and arguments:
            return _loose_format(flow, arguments, depth)
        return next((found for one in arguments if (found := _loose_text(flow, one, depth))), None)
    if "case_expr" in node:
        results = [one["case_when"]["result"] for one in node["case_expr"].get("args", [])] + [node["case_expr"].get("defresult", {})]
        return next((found for one in results if one and (found := _loose_text(flow, one, depth))), None)
    parts = [node["a_expr"].get(side, {}) for side in ("lexpr", "rexpr")] if "a_expr" in node else node.get("coalesce_expr", {}).get("args", [])
    return next((found for one in parts if one and (found := _loose_text(flow, one, depth))), None)


def _loose_format(flow: Flow, arguments: list[Node], depth: int) -> str | None:
    """Return an argument that format() puts in with %s."""
    template = next(iter(tree.constants(arguments[0])), None)
    if template is None:
        return next((found for one in arguments if (found := _loose_text(flow, one, depth))), None)
    places = [m.group(2) for m in re.finditer(r"%(?:(\d+)\$)?[-\d]*([sIL])", template)]
    for letter, value in zip(places, arguments[1:], strict=False):
        if letter == "s" and (found := _loose_text(flow, value, depth)):
            return found
    return None


def _calls(model: Model, function: Function, flow: Flow, nodes: list[Node]) -> Iterator[tuple[str, str]]:
    for name, arguments in tree.calls(nodes):
        word = name[-1] if name else ""
        loose = {a for one in arguments for a in flow.names(one)} & flow.arguments
        if word in RUNS_TEXT and loose and len(name) < 3:
            yield "exec-sql", f"runs SQL text of its argument {min(loose)} through {word}()"
        elif word in REACHES_OUT and loose or name[:1] == ("net",) and word.startswith("http") and arguments and flow.names(arguments[0]) & flow.arguments:
            yield "function-reaches-out", f"passes its argument {min(loose)} to {'.'.join(name)}(): the caller chooses what the server reads or which address it calls, and can send rows there"
        elif name[:1] == ("cron",) and word.startswith("schedule") and loose:
            yield "exec-sql", f"schedules SQL text of its argument {min(loose)} with cron.{word}(), to run as its owner"


def _server(function: Function, nodes: list[Node], lines: tuple[Line, ...]) -> Iterator[tuple[str, str]]:
    named = {name[-1] for name, _ in tree.relations(nodes)} & SERVER
    if function.definer and named:
        yield "definer-server-catalog", f"SECURITY DEFINER over {', '.join(sorted(named))}: shows statements, statistics or secrets of other people that the view would mask for the caller"
    if any(re.match(r"copy\b", line.step.text, re.I) for line in lines) or any(re.search(r"\bexplain\b", line.step.text, re.I) for line in lines if line.step.kind == "execute"):
        yield "function-copy-or-explain", "runs COPY or EXPLAIN: files or plans (row estimates of other tenants) reach the caller"


def _settings(model: Model, function: Function, lines: tuple[Line, ...], nodes: list[Node]) -> Iterator[tuple[str, str]]:
    exposed = bool(model.callers(function)) and not function.is_trigger
    for name, arguments in tree.calls(nodes):
        if name[-1:] != ("set_config",) or len(arguments) < 2:
            continue
        constant = tree.strip(arguments[0]).get("a_const", {}).get("sval", {}).get("sval")
        if constant is None and exposed:
            yield "set-config-rpc", "set_config with a name the caller gives: request.jwt.claims and role are settings too, so the caller becomes whoever they say"
        elif constant is not None and IDENTITY_SETTING.match(constant) and exposed:
            yield "set-config-rpc", f"writes the setting {constant}, which decides who is asking (impersonation), from a function clients can call"
        elif constant is not None and "." in constant and not HARMLESS_SETTING.match(constant) and len(arguments) > 2 and tree.boolean(arguments[2]) is False:
            yield "set-config-session", f"keeps {constant} for the whole session (is_local = false): the next person's request on the same pooled connection finds it"
    for line in lines:
        if re.match(r"set\s+(local\s+|session\s+)?(role|session\s+authorization)\b|reset\s+role\b", line.step.text, re.I):
            yield "function-set-role", f"changes the role inside ({line.step.text.strip()[:60]})"


def _sources(model: Model, function: Function, nodes: list[Node]) -> Iterator[tuple[str, str]]:
    direct = {s for node in nodes for s in model.reading.sources(node)}
    keys = set(tree.constants(nodes))
    of_row = {name[-1] for name in tree.columns(nodes)} & {"raw_user_meta_data"}
    if "user_metadata" in direct and (not of_row or any(CHOSEN_KEYS.search(k) for k in _picked(nodes))):
        yield "function-user-metadata", "decides by user_metadata (raw_user_meta_data), which every user writes for themselves"
    calls = [tree.constants(arguments[0])[:1] for name, arguments in tree.calls(nodes) if name[-1:] == ("current_setting",) and arguments]
    settings = {one[0] for one in calls if one}
    if any(s.startswith(("request.header.", "request.cookie.")) and CLIENT_HEADER.search(s.rpartition(".")[2]) for s in settings) or (
            settings & {"request.headers", "request.cookies"} and any(CLIENT_HEADER.search(k) and k != "user-agent" and not k.startswith("request.") for k in keys)):
        yield "function-client-header", "takes who is asking, or for which tenant, from a request header or cookie, which every client chooses"
    if any(s.startswith("request.jwt.claim.") for s in settings) and function.returns != "void":
        yield "function-legacy-claim-setting", "reads request.jwt.claim.*, the legacy settings PostgREST no longer writes: whoever sets one is whom it says"


def _picked(nodes: list[Node]) -> list[str]:
    """Return the keys taken from raw_user_meta_data."""
    found = []
    for key, one in tree.walk(nodes):
        if key == "a_expr" and tree.strings(one.get("name"))[-1:] in (("->>",), ("->",)) and any(n[-1] == "raw_user_meta_data" for n in tree.columns(one.get("lexpr"))):
            found += tree.constants(one.get("rexpr"))
    return found


def _null_guard(flow: Flow) -> str | None:
    """Return the variable whose NULL slips through the checks of a definer, or None."""
    if not flow.function.definer:
        return None
    looked = [tree.columns(line.node) for line in flow.body.lines if line.node is not None and line.step.kind == "if"]
    if any(("found",) in one for one in looked):
        return None
    for place, line in enumerate(flow.body.lines):
        if line.step.kind != "if" or line.node is None or not flow.stops(place):
            continue
        for key, one in tree.walk({"top": line.node}):
            negative = key == "a_expr" and (one.get("kind") in ("AEXPR_OP", "AEXPR_IN", "AEXPR_OP_ALL") and tree.strings(one.get("name"))[-1:] == ("<>",))
            denied = key == "bool_expr" and one.get("boolop") == "NOT_EXPR" and "a_expr" in one["args"][0] or key == "bool_expr" and one.get("boolop") == "NOT_EXPR" and "column_ref" in one["args"][0]
            tested = one.get("lexpr", {}) if negative else one["args"][0].get("a_expr", {}).get("lexpr", one["args"][0]) if denied else {}
            if "column_ref" not in tree.strip(tested):
                continue
            for name in flow.names(tested) & flow.variables:
                setters = flow.setters.get(name, [])
                nullable = any(s.node is not None and "select_stmt" in s.node and tree.relations(s.node) and s.step.kind == "sql" and not _always(s.node) for s in setters)
                asked = any(k == "null_test" and name in flow.names(n.get("arg")) for other in flow.body.lines for k, n in tree.walk({"top": other.node} if other.node else {}))
                strict = re.search(rf"\binto\s+strict\s+{re.escape(name)}\b", flow.function.source, re.I)
                if nullable and not asked and not strict:
                    return name
    return None


def _always(node: Node) -> bool:
    """Return whether a select always gives a row that is not NULL: exists(...), count(*)."""
    targets = node.get("select_stmt", {}).get("target_list", [])
    value = targets[0]["res_target"].get("val", {}) if len(targets) == 1 else {}
    return "coalesce_expr" in value or value.get("sub_link", {}).get("sub_link_type") == "EXISTS_SUBLINK" or any(n[-1] in ("count", "coalesce", "bool_or") for n, _ in tree.calls(value)[:1])
