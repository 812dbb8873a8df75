-- Refusals in the trail (F64). What was refused is rolled back, and its record would be with it: whoever relays the refusal (the edge, the
-- agent) says so in a call of its own, with the token of the person refused. They could say it themselves, and of nobody but themselves.

create function authz.note_denial(function_name text, code text, message text, org_id uuid, run_id uuid, bot text) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run uuid;
  v_run_org uuid;
  v_bot uuid;
  v_version integer;
  v_orgs uuid[] := array(select authz.org_ids());
  v_org uuid := note_denial.org_id;
  v_policy text := substring(note_denial.message from '^new row violates row-level security policy "([a-z_0-9]{1,63})"');
  v_object text := substring(note_denial.message from '^permission denied for (?:table|view|function|schema) ([a-z_0-9]{1,63})$');
begin
  if note_denial.run_id is not null then
    select r.org_id, r.id, r.bot_id, r.bot_version into v_run_org, v_run, v_bot, v_version from app.run r where r.id = note_denial.run_id and r.user_id = authz.uid();
    v_org := coalesce(v_org, v_run_org);
  end if;
  if v_org is null and note_denial.bot is not null then
    select o.id into v_org from app.organization o
    where o.id = any (v_orgs) and split_part(note_denial.bot, '/', 1) in (o.id::text, o.slug) order by o.id limit 1;
  end if;
  if v_org is null and cardinality(v_orgs) = 1 then
    v_org := v_orgs[1];
  end if;
  -- An organization that is not theirs gets nothing written into its trail, and nobody learns from here whether it exists.
  if v_org = any (v_orgs) is not true then
    return false;
  end if;
  perform authz.record_event(
    org_id => v_org, action => 'access.deny', object_id => note_denial.function_name, target => note_denial.function_name, outcome => 'denied',
    run_id => case when v_run_org = v_org then v_run end,
    bot_id => case when v_run_org = v_org then v_bot end,
    bot_version => case when v_run_org = v_org then v_version end,
    rule => case
      when note_denial.code = 'PT401' then 'step_up'
      when exists (select from pg_policy p where p.polname = v_policy) then 'policy:' || v_policy
      when v_object is not null then 'privilege:' || v_object
      else 'function:' || note_denial.function_name end);
  return true;
end
$$;
comment on function authz.note_denial(text, text, text, uuid, uuid, text) is 'Record that authz.uid() was refused, in one of the organizations of this session; false when none of them is named or meant.';
revoke all on function authz.note_denial(text, text, text, uuid, uuid, text) from public;
grant execute on function authz.note_denial(text, text, text, uuid, uuid, text) to authenticated;
alter function authz.note_denial(text, text, text, uuid, uuid, text) owner to ringfence_owner;

create function api.record_denial(
  function_name text, code text, message text default '', named_org uuid default null, run_id uuid default null, bot text default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require(code in ('42501', 'PT401'), 'code: 42501 or PT401');
  perform authz.require(char_length(message) between 0 and 500, 'message: 0..500 characters');
  perform authz.require(bot is null or char_length(bot) between 0 and 200, 'bot: 0..200 characters');
  perform authz.require(exists (select from pg_proc p where p.pronamespace = 'api'::regnamespace and p.proname = record_denial.function_name),
    'function_name: a function of this catalog');
  if not authz.note_denial(record_denial.function_name, code, message, named_org, run_id, bot) then
    raise sqlstate 'PT404' using message = 'none of your organizations is meant';
  end if;
  return jsonb_build_object('recorded', true);
end
$$;
comment on function api.record_denial(text, text, text, uuid, uuid, text) is $c$Record that a call of yours was refused, in the audit trail of your organization that it was about. The edge does so by itself.

@audience app
@param function_name  name of a function, the one that refused
@param code           42501 or PT401
@param message        what the database said; 0..500 characters; only the policy or privilege it names is kept
@param named_org      the organization the call named, if it named one
@param run_id         the run the call named
@param bot            the bot the call named, as organization/bot; 0..200 characters
@returns              {recorded}
@errors               22023, PT404
@effect               write$c$;
revoke all on function api.record_denial(text, text, text, uuid, uuid, text) from public;
grant execute on function api.record_denial(text, text, text, uuid, uuid, text) to authenticated;
