-- Who is asking. authz.uid() is the only reader of identity; every policy comes down to it.

-- plpgsql, here and in every helper that policies call: its plans are kept, where a SQL function is made ready anew at each call.
create function authz.claims() returns jsonb
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_text text := current_setting('request.jwt.claims', true);
begin
  -- session_user cannot be changed by SQL: a worker or analyst session never takes its identity from a setting, but from the job that
  -- this transaction has begun (DESIGN 6).
  if session_user in ('ringfence_worker', 'ringfence_analyst') then
    return coalesce(authz.job_claims(), '{}');
  end if;
  return case when (v_text is json object) is not true or not pg_input_is_valid(v_text, 'jsonb') then '{}' else v_text::jsonb end;
end
$$;
comment on function authz.claims() is 'The verified claims of this request as an object; empty without a request and when malformed (R36). In worker and analyst sessions what the job begun in this transaction says, and nothing else.';
revoke all on function authz.claims() from public;
grant execute on function authz.claims() to authenticated, ringfence_owner, ringfence_worker, ringfence_analyst;

create function authz.uid() returns uuid
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  -- auth.uid() prefers the legacy setting request.jwt.claim.sub, which would make identity forgeable (R37).
  v_sub text := authz.claims() ->> 'sub';
begin
  return case when pg_input_is_valid(v_sub, 'uuid') then v_sub::uuid end;
end
$$;
comment on function authz.uid() is 'The signed-in person, in a job its requester, or null. The only reader of identity: the claim sub of authz.claims() and nothing else.';
revoke all on function authz.uid() from public;
grant execute on function authz.uid() to authenticated, ringfence_owner, ringfence_worker, ringfence_analyst;

create function authz.require(condition boolean, message text) returns void
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  if require.condition is not true then
    raise sqlstate '22023' using message = require.message;
  end if;
end
$$;
comment on function authz.require(boolean, text) is 'Raise 22023 with the message unless the condition is true; null counts as false (F09).';
revoke all on function authz.require(boolean, text) from public;
grant execute on function authz.require(boolean, text) to authenticated, ringfence_owner;

create function authz.require_org(org_id uuid) returns void
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  if require_org.org_id is null then
    raise sqlstate '22004' using message = 'name the organization: org_id is required';
  end if;
end
$$;
comment on function authz.require_org(uuid) is 'Raise 22004 when no organization is named: a missing organization never means all of them (F20).';
revoke all on function authz.require_org(uuid) from public;
grant execute on function authz.require_org(uuid) to authenticated;
