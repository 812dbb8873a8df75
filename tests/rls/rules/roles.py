"""What client roles are, what they can become, and what is set for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls.analysis.model import Model, act
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

STRONG = {"pg_read_all_data", "pg_write_all_data", "pg_read_server_files", "pg_write_server_files", "pg_execute_server_program", "pg_read_all_stats", "pg_read_all_settings", "pg_monitor",
          "pg_signal_backend", "pg_maintain", "pg_checkpoint", "pg_database_owner", "pg_create_subscription", "pg_stat_scan_tables"}
FORBIDDEN_SCHEMAS = {"auth", "vault", "private", "pgsodium", "cron", "net", "pg_catalog", "information_schema", "extensions", "supabase_functions", "realtime", "pgmq", "internal", "supabase_migrations"}
EXPECTED_OF_LOGIN = {"service_role"}
SECRET_NAME = re.compile(r"secret|password|api_?key|service_?role_?key|private_?key|token", re.I)


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    catalog = context.catalog
    for name in (*model.roles, "authenticator"):
        role = catalog.roles.get(name)
        if role is None:
            continue
        powers = [word for word, has in (("SUPERUSER", role.superuser), ("BYPASSRLS", role.bypassrls), ("CREATEROLE", role.createrole), ("CREATEDB", role.createdb), ("REPLICATION", role.replication)) if has]
        if powers:
            yield _found("client-role-attribute", name, f"has {', '.join(powers)}: row security does not bind it, or it can make itself free of it", ", ".join(powers))
        if role.login and name in model.roles:
            yield _found("client-role-login", name, "may log in by itself, past the API", "rolcanlogin")
        for other in sorted(role.member_of):
            target = catalog.roles.get(other)
            if target is None or name == "authenticator" and (other in (*model.roles, *EXPECTED_OF_LOGIN) or other in _through(catalog, EXPECTED_OF_LOGIN | {*model.roles})):
                continue
            owns = sorted(t.label for t in catalog.own_tables() if t.owner == other)
            why = ("it is a predefined role with rights over every tenant's data" if other in STRONG else "it has SUPERUSER or BYPASSRLS" if target.superuser or target.bypassrls
                   else f"it owns {', '.join(owns[:4])}" if owns else "it signs people in" if name == catalog.anon_role and other == catalog.user_role else "")
            if why:
                yield _found("client-role-member-of", name, f"is a member of role {other}, and {why}: SET ROLE {other} is enough", f"pg_auth_members: {name} in {other}", f'set local role "{other}";')
    yield from _settings(model)


def _through(catalog: object, names: set[str]) -> set[str]:
    """Return what the expected roles lead to: reported at them, not at the login that may become them."""
    return {other for name in names if (role := catalog.roles.get(name)) for other in role.member_of}  # type: ignore[attr-defined]


def _settings(model: Model) -> Iterator[Finding]:
    catalog = model.catalog
    for name, value in sorted({**catalog.settings, **{k: v for r in ("authenticator", *model.roles) if r in catalog.roles for k, _, v in (s.partition("=") for s in catalog.roles[r].settings)}}.items()):
        listed = [part.strip().strip('"') for part in value.split(",") if part.strip()]
        if name in ("pgrst.db_schemas", "pgrst.db_schema"):
            helpers = {f.schema for t in catalog.own_tables() for f in model.reading.policy_functions(t.policies)}
            for schema in listed:
                known = catalog.schemas.get(schema)
                if schema in helpers and schema != "public" and schema in listed[1:]:
                    yield _found("schema-exposed", "authenticator", f"{name} exposes schema {schema} over the API: the helpers of policies become RPCs, and what lies beside them lacks only a grant",
                                 f"{name} = {value}", of=f"schema {schema}")
                elif schema in FORBIDDEN_SCHEMAS or known is not None and known.managed and schema not in ("graphql_public", "storage", "pgmq_public") or schema == "storage":
                    yield _found("schema-exposed", "authenticator", f"{name} exposes schema {schema} over the API, which was meant to stay private", f"{name} = {value}", of=f"schema {schema}")
        elif name == "pgrst.db_extra_search_path":
            for schema in listed:
                if schema in catalog.schemas and any("CREATE" in catalog.privileges(r, catalog.schemas[schema]) for r in model.roles):
                    yield _found("extra-search-path-writable", "authenticator", f"{name} has schema {schema}, in which clients may create objects", f"{name} = {value}")
        elif name == "pgrst.db_anon_role" and (role := catalog.roles.get(value)) is not None and (role.superuser or role.bypassrls or value == catalog.user_role):
            yield _found("anonymous-role-strong", "authenticator", f"{name} is {value}: requests without a token run as a role that row security does not bind", f"{name} = {value}")
        elif name == "pgrst.db_plan_enabled" and value.lower() in ("true", "on", "1"):
            yield _found("plan-exposed", "authenticator", "pgrst.db_plan_enabled is on: EXPLAIN plans with row estimates of all tenants are given to clients", f"{name} = {value}")
        elif name == "pgrst.db_tx_end" and "override" in value:
            yield _found("transaction-end-override", "authenticator", f"pgrst.db_tx_end = {value}: a client chooses that its request is rolled back", f"{name} = {value}")
        elif name == "pgrst.openapi_mode" and value == "ignore-privileges":
            yield _found("openapi-ignores-privileges", "authenticator", "pgrst.openapi_mode = ignore-privileges: the description lists what the caller may not see", f"{name} = {value}")
        elif name in ("pgrst.jwt_secret", "app.settings.jwt_secret") or SECRET_NAME.search(name) and name not in ("pgrst.jwt_secret_is_base64", "pgrst.jwt_role_claim_key", "password_encryption"):
            yield _found("secret-in-setting", "authenticator", f"secret kept in the setting {name} of a role or database: pg_db_role_setting and current_setting show it to every role", f"{name} = ***")
        elif name == "pgrst.jwt_role_claim_key" and "user_metadata" in value:
            yield _found("role-claim-user-metadata", "authenticator", f"{name} = {value}: the role of a request comes from user_metadata, which users write themselves", f"{name} = {value}")
        elif name == "row_security" and value.lower() in ("off", "false"):
            yield _found("row-security-off", "authenticator", "row_security = off is set for a client role or the database", f"{name} = {value}")
        elif name in ("role", "session_authorization") and value not in model.roles and value != "none":
            yield _found("role-setting", "authenticator", f"sessions begin as {value} by a setting", f"{name} = {value}")


def _found(name: str, role: str, what: str, evidence: str, statement: str = "", of: str = "") -> Finding:
    lead = f"role {role}" if not of else f"role {role}, {of}"
    return Finding(name, f"role {role}" if not of else of, "state", "any", f"{lead}: {what}", evidence,
                   act(role if role != "authenticator" else "authenticated", statement) if statement else f"begin;\nselect rolname, rolsuper, rolbypassrls, rolconfig from pg_roles where rolname = '{role}';\nrollback;")
