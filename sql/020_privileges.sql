-- What the migration role creates from now on is closed until a grant beside the object opens it (R7, R8).
-- The revoke is global, not "in schema": a per-schema revoke cannot take back PostgreSQL's built-in default for PUBLIC.
alter default privileges revoke execute on functions from public;

-- Nobody shadows our names with a temporary table (R6). The name of the database differs between projects.
do $$
begin
  execute pg_catalog.format('revoke temporary on database %I from public', pg_catalog.current_database());
end
$$;

-- PostgREST reads its settings from the role it logs in with: the only exposed schema, and the check before every request.
alter role authenticator set pgrst.db_schemas = 'api';
alter role authenticator set pgrst.db_pre_request = 'authz.pre_request';
alter role authenticator set idle_in_transaction_session_timeout = '10s';
alter role ringfence_worker set idle_in_transaction_session_timeout = '60s';
alter role ringfence_analyst set idle_in_transaction_session_timeout = '60s';
alter role ringfence_analyst set default_transaction_read_only = on;
-- The least of what bounds a job: SQL can raise it for itself, which is why the worker watches from outside (R28).
alter role ringfence_worker set statement_timeout = '30s';
alter role ringfence_analyst set statement_timeout = '45s';
