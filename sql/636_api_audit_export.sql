-- The trail for a SIEM (F66): events of the Open Cybersecurity Schema Framework, in the order of the chains. Whoever stores a page,
-- then its cursor, and goes on from there gets every event at least once.

create function authz.ocsf_class(action text) returns integer[]
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- Class and activity: Authentication, Account Change, Entity Management (what decides who may do what), API Activity.
  select case
    when kind.noun = 'session' then array[3002, 1]
    when kind.noun = 'membership' then array[3001, case kind.verb when 'insert' then 1 when 'delete' then 6 else 99 end]
    when kind.noun in ('organization', 'role', 'role_permission', 'deny_rule', 'sso_connection', 'sso_group')
      then array[3004, case kind.verb when 'insert' then 1 when 'update' then 3 else 4 end]
    else array[6003, case kind.verb when 'insert' then 1 when 'search' then 2 when 'read' then 2 when 'update' then 3 when 'delete' then 4 else 99 end] end
  from (select split_part(ocsf_class.action, '.', 1), split_part(ocsf_class.action, '.', 2)) kind (noun, verb)
$$;
comment on function authz.ocsf_class(text) is 'The OCSF class and activity of an action of the audit trail.';
revoke all on function authz.ocsf_class(text) from public;
grant execute on function authz.ocsf_class(text) to authenticated;

create function authz.ocsf_event(event app.audit_event, link app.audit_link) returns jsonb
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'class_uid', k.class[1], 'category_uid', k.class[1] / 1000, 'activity_id', k.class[2], 'type_uid', k.class[1] * 100 + k.class[2],
    'activity_name', case when k.class[2] = 99 then event.action end,
    'severity_id', case event.outcome when 'ok' then 1 else 2 end,
    'status_id', case event.outcome when 'ok' then 1 else 2 end, 'status_code', event.outcome, 'status_detail', event.rule,
    'time', floor(extract(epoch from event.at) * 1000)::bigint,
    'metadata', jsonb_build_object(
      'version', '1.8.0', 'product', jsonb_build_object('name', 'Ringfence', 'vendor_name', 'Ringfence'), 'log_name', 'audit',
      'uid', event.id, 'sequence', link.sequence, 'event_code', event.action, 'tenant_uid', event.org_id, 'correlation_uid', coalesce(event.run_id::text, event.request_id)),
    'actor', case when event.actor_id is null then jsonb_build_object('app_name', 'database operator') else jsonb_build_object(
      'user', p.person,
      'session', case when event.auth_session_id is not null then jsonb_build_object('uid', event.auth_session_id) end,
      'app_uid', event.client_id) end,
    'user', case k.class[1] when 3002 then p.person when 3001 then jsonb_build_object('uid', event.object_id) end,
    'service', case k.class[1] when 3002 then jsonb_build_object('name', 'Supabase Auth') end,
    'entity', case k.class[1] when 3004 then jsonb_build_object('type', split_part(event.action, '.', 1), 'uid', coalesce(event.object_id, event.org_id::text)) end)
    -- Of API Activity the endpoint is required; whose address it was is in the log of the edge.
    || case k.class[1] when 6003 then jsonb_build_object(
      'src_endpoint', jsonb_build_object('uid', coalesce(event.auth_session_id::text, 'database')),
      'api', jsonb_build_object('operation', coalesce(event.target, event.action), 'service', jsonb_build_object('name', 'Ringfence'),
        'request', case when event.request_id is not null then jsonb_build_object('uid', event.request_id) end),
      'resources', case
        when event.object_id is not null then jsonb_build_array(jsonb_build_object('uid', event.object_id, 'type', split_part(event.action, '.', 1)))
        when cardinality(event.documents) > 0 then
          (select jsonb_agg(jsonb_build_object('uid', d.id, 'type', 'document') order by d.id) from unnest(event.documents) d (id)) end) else '{}' end
    || jsonb_build_object('unmapped', jsonb_strip_nulls(jsonb_build_object(
      'actor_kind', event.actor_kind, 'actor_role', event.actor_role, 'on_behalf_of', event.on_behalf_of, 'api_token_id', event.api_token_id,
      'run_id', event.run_id, 'bot_id', event.bot_id, 'bot_version', event.bot_version, 'target', event.target,
      'changed', case when event.changed <> '{}' then to_jsonb(event.changed) end,
      'arguments_sha256', event.arguments_sha256, 'object_sha256', event.object_sha256,
      'lane', link.lane, 'event_sha256', link.event_sha256, 'prev_hash', link.prev_hash, 'hash', link.hash))))
  from (select authz.ocsf_class(event.action)) k (class)
  cross join lateral (select jsonb_build_object('uid', event.actor_id, 'org', jsonb_build_object('uid', event.org_id),
    'groups', case when event.actor_role is not null then jsonb_build_array(jsonb_build_object('name', event.actor_role)) end)) p (person)
$$;
comment on function authz.ocsf_event(app.audit_event, app.audit_link) is 'An audit event and its link as an event of OCSF 1.8.0; what OCSF has no word for is in unmapped.';
revoke all on function authz.ocsf_event(app.audit_event, app.audit_link) from public;
grant execute on function authz.ocsf_event(app.audit_event, app.audit_link) to authenticated;

create function api.export_audit_events(org_id uuid, since text default '', max_rows integer default 300) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
  v_since bigint[];
  v_events jsonb;
  v_reached jsonb;
begin
  perform authz.require_auditor(export_audit_events.org_id);
  perform authz.require(since ~ '^([0-9]{1,18}(\.[0-9]{1,18}){0,15})?$', 'since: the cursor of a page before, or nothing');
  perform authz.require(max_rows between 1 and 300, 'max_rows: 1..300');
  v_since := string_to_array(since, '.')::bigint[];
  with page as (
    select l.lane, l.sequence,
      case when e.id is not null then authz.ocsf_event(e, l.link) end as event,
      -- In turns, so that a busy chain holds up no other; of each in order, so that a number for each says where the page ends.
      row_number() over (order by l.turn, l.lane) as place
    from (
      select c.*, c.sequence - coalesce(v_since[a.lane + 1], 0) as turn
      from app.audit_lane a
      cross join lateral (select k.lane, k.sequence, k.event_id, k as link from app.audit_link k
        where k.org_id = a.org_id and k.lane = a.lane and k.sequence > coalesce(v_since[a.lane + 1], 0) order by k.sequence limit max_rows) c
      where a.org_id = export_audit_events.org_id
      order by turn, a.lane limit max_rows) l
    left join app.audit_event e on e.org_id = export_audit_events.org_id and e.id = l.event_id
  )
  select coalesce(jsonb_agg(p.event order by p.place) filter (where p.event is not null), '[]'),
    (select coalesce(jsonb_object_agg(r.lane, r.sequence), '{}') from (select q.lane, max(q.sequence) as sequence from page q group by q.lane) r)
    into v_events, v_reached
  from page p;
  return jsonb_build_object('events', v_events,
    'cursor', (select string_agg(coalesce(v_reached ->> n::text, v_since[n + 1]::text, '0'), '.' order by n)
      from generate_series(0, greatest(cardinality(v_since) - 1, (select max(k::integer) from jsonb_object_keys(v_reached) k), 0)) n));
end
$$;
comment on function api.export_audit_events(uuid, text, integer) is $c$Export the audit trail of an organization as OCSF events. Store a page, then its cursor: with it as since you go on and miss none. The end is reached when the cursor stays as it is.

@audience app
@param org_id    the organization; needs audit.read
@param since     the cursor of the page before, from the beginning without; 0..303 characters
@param max_rows  number of events; 1..300
@returns         {events, cursor}
@errors          22004, 22023, PT404
@effect          read$c$;
revoke all on function api.export_audit_events(uuid, text, integer) from public;
grant execute on function api.export_audit_events(uuid, text, integer) to authenticated;
