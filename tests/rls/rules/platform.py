"""What the platform keeps for itself: users, factors, secrets, jobs, queues, hooks, server files."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls.analysis import tree
from tests.rls.analysis.model import Model, act, persona
from tests.rls.analysis.predicate import binds, quiet
from tests.rls.catalog import Function, Table
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

KEPT = {"auth", "vault", "cron", "pgsodium", "net", "supabase_functions", "pgmq", "_analytics", "supabase_migrations", "pgbouncer"}
SERVER_FUNCTIONS = ("pg_read_file", "pg_read_binary_file", "pg_ls_dir", "pg_stat_file", "lo_import", "lo_export", "pg_reload_conf", "pg_rotate_logfile", "dblink_connect_u", "pg_hba_file_rules", "pg_show_all_file_settings")
PARAMETERS = {"session_replication_role": "it switches triggers, foreign keys and audit off", "session_preload_libraries": "it loads libraries", "log_statement": "it writes statements to the log",
              "row_security": "it is no protection by itself"}


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for relation in (*context.catalog.tables.values(), *context.catalog.views.values()):
        if relation.schema not in KEPT:
            continue
        for role in model.roles:
            if model.reaches(role, relation, "SELECT", "INSERT", "UPDATE", "DELETE") and _open(model, relation, role):
                command = "select" if model.reaches(role, relation, "SELECT") else "update"
                yield Finding("platform-table-open", relation.label, command, persona(role),
                              f"{relation.label} of the platform is open to {role}: {_what(relation.schema)}", f"granted to {role}", act(role, f"select * from {relation.sql};"))
                break
    for function in context.catalog.own_functions():
        yield from _hook(model, function)
        yield from _sign_up(model, function)
    yield from _server(model, context)


def _what(schema: str) -> str:
    return {"auth": "e-mail addresses, password hashes, sessions and second factors of everybody", "vault": "decrypted secrets", "cron": "scheduled statements, which run as their owner, and what is in them",
            "net": "requests the database made, with their headers and answers", "pgmq": "queue messages of every tenant"}.get(schema, "what was meant for the server")


def _open(model: Model, relation: object, role: str) -> bool:
    if not isinstance(relation, Table):
        return True
    if not relation.rls:
        return True
    return any(not binds(one) and not quiet(one) for c in ("select", "update", "delete") for p in model.applying(relation, c, role, True)
               for one in model.predicate(relation).alternatives(p.using) or ())


def _hook(model: Model, function: Function) -> Iterator[Finding]:
    of_auth = any(g.grantee == "supabase_auth_admin" and g.privilege == "EXECUTE" for g in function.grants)
    if not of_auth or [a.base_type for a in function.arguments] != ["jsonb"] or function.returns != "jsonb":
        return
    callers = model.callers(function)
    if callers:
        yield Finding("auth-hook-callable", function.label, "execute", persona(callers[0]),
                      f"auth hook {function.label} is callable by {', '.join(callers)}: with any user id in the event it answers about any person", "EXECUTE beside supabase_auth_admin",
                      act(callers[-1], f"""select {function.sql}('{{"user_id": "<another person>", "claims": {{}}}}'::jsonb);"""))
    keys = set(tree.constants(model.reading.body(function).nodes))
    if any("user_metadata" in k or "raw_user_meta_data" in k for k in keys) or any(n[-1] == "raw_user_meta_data" for n in tree.columns(model.reading.body(function).nodes)):
        yield Finding("hook-copies-user-metadata", function.label, "state", "any",
                      f"access token hook {function.label} takes what it puts into the token from user_metadata, which users write themselves", " ".join(function.source.split())[:400],
                      f"""begin;\nselect {function.sql}('{{"user_id": "<me>", "claims": {{"user_metadata": {{"role": "admin"}}}}}}'::jsonb);\nrollback;""")


def _sign_up(model: Model, function: Function) -> Iterator[Finding]:
    """A trigger on the table of users that makes members of people by the domain of an address nobody confirmed."""
    users = model.catalog.tables.get(model.tenancy.users or 0)
    if users is None or model.membership is None or function.oid not in {t.function for t in users.triggers}:
        return
    nodes = model.reading.body(function).nodes
    joins = any(key == "insert_stmt" and one["relation"]["relname"] == model.membership.name for key, one in tree.walk(nodes))
    split = any(name[-1] in ("split_part", "substring", "regexp_replace", "right", "strpos", "position") and any("email" in c[-1] for c in tree.columns(arguments)) for name, arguments in tree.calls(nodes))
    confirmed = "confirmed_at" in function.source
    if joins and split and not confirmed:
        yield Finding("sign-up-joins-by-domain", function.label, "state", "any",
                      f"sign-up trigger {function.label} adds people to a tenant by the domain of their e-mail address, which nobody has confirmed yet", " ".join(function.source.split())[:400],
                      "begin;\ninsert into auth.users (id, email) values (gen_random_uuid(), 'nobody@<domain of a tenant>');\n-- and look at the membership\nrollback;")


def _server(model: Model, context: Context) -> Iterator[Finding]:
    for role in model.roles:
        names = [n for (n,) in context.conn.execute(
            "select distinct p.proname from pg_proc p cross join lateral aclexplode(p.proacl) a where p.proname = any (%s) and p.pronamespace = 'pg_catalog'::regnamespace and "
            "(a.grantee = 0 or a.grantee = %s::regrole) and a.privilege_type = 'EXECUTE'", (list(SERVER_FUNCTIONS), role))]
        if names:
            yield Finding("server-function-granted", f"role {role}", "state", "any", f"role {role} may call {', '.join(names)}: files of the server", "EXECUTE on pg_catalog functions",
                          act(role, f"select has_function_privilege('{names[0]}(text)', 'execute');"))
        if context.catalog.server_version >= 150000:
            for name, in context.conn.execute("select p.parname from pg_parameter_acl p cross join lateral aclexplode(p.paracl) a where a.grantee in (0, %s::regrole)", (role,)).fetchall():
                yield Finding("parameter-granted", f"role {role}", "state", "any", f"role {role} may SET {name}: {PARAMETERS.get(name, 'a setting of the server')}", "pg_parameter_acl",
                              act(role, f"set {name} = 'replica';" if name == "session_replication_role" else f"show {name};"))
