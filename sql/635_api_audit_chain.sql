-- The chain of the trail over the API: to compute it again elsewhere, to keep its end elsewhere, and to see what has no record (F47, F62).

create function authz.require_auditor(org_id uuid) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(require_auditor.org_id);
  if (require_auditor.org_id = any (array(select authz.orgs_with('audit.read')))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization whose audit trail you may read';
  end if;
end
$$;
comment on function authz.require_auditor(uuid) is 'Raise PT404 unless the person asking may read the whole audit trail of the organization: half of a chain cannot be verified.';
revoke all on function authz.require_auditor(uuid) from public;
grant execute on function authz.require_auditor(uuid) to authenticated;

create function api.list_audit_links(org_id uuid, chain integer default 0, after_sequence bigint default 0, max_rows integer default 500)
returns table (lane integer, sequence bigint, event_id uuid, event_sha256 text, prev_hash text, hash text, event jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
  perform authz.require_auditor(list_audit_links.org_id);
  perform authz.require(chain between 0 and 15, 'chain: 0..15');
  perform authz.require(after_sequence between 0 and 9000000000000000000, 'after_sequence: 0..9000000000000000000');
  perform authz.require(max_rows between 1 and 500, 'max_rows: 1..500');
  return query
    select l.lane::integer, l.sequence, l.event_id, l.event_sha256, l.prev_hash, l.hash, case when e.id is not null then authz.event_json(e) end
    from app.audit_link l
    left join app.audit_event e on e.org_id = l.org_id and e.id = l.event_id
    where l.org_id = list_audit_links.org_id and l.lane = chain and l.sequence > after_sequence
    order by l.sequence
    limit max_rows;
end
$$;
comment on function api.list_audit_links(uuid, integer, bigint, integer) is $c$List one of the chains of an organization's audit trail with its events, to compute its hashes again: each is SHA-256 of prev_hash, a space, sequence, a space and event_sha256.

@audience app
@param org_id          the organization; needs audit.read
@param chain           which of its chains; 0..15
@param after_sequence  only links after this one; 0..9000000000000000000
@param max_rows        number of links; 1..500
@returns               array of {lane, sequence, event_id, event_sha256, prev_hash, hash, event: null when it is gone}; in order
@errors                22004, 22023, PT404
@effect                read$c$;
revoke all on function api.list_audit_links(uuid, integer, bigint, integer) from public;
grant execute on function api.list_audit_links(uuid, integer, bigint, integer) to authenticated;

create function api.audit_anchor(org_id uuid) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_auditor(audit_anchor.org_id);
  return jsonb_build_object('org_id', audit_anchor.org_id,
    'taken_at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'heads', (select coalesce(jsonb_agg(jsonb_build_object('lane', h.lane, 'sequence', h.sequence, 'hash', h.hash) order by h.lane), '[]')
      from app.audit_lane a
      cross join lateral (select l.* from app.audit_link l where l.org_id = a.org_id and l.lane = a.lane order by l.sequence desc limit 1) h
      where a.org_id = audit_anchor.org_id));
end
$$;
comment on function api.audit_anchor(uuid) is $c$Tell where the chains of an organization's audit trail end now. Kept elsewhere, it shows later that nothing before it was changed or cut off.

@audience app
@param org_id  the organization; needs audit.read
@returns       {org_id, taken_at, heads: [{lane, sequence, hash}]}
@errors        22004, PT404
@effect        read$c$;
revoke all on function api.audit_anchor(uuid) from public;
grant execute on function api.audit_anchor(uuid) to authenticated;

create function authz.audit_gaps(org_id uuid) returns table (kind text, object_id text, detail text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'unlinked', e.id::text, 'an event has no link in a chain'
  from app.audit_event e
  where e.org_id = audit_gaps.org_id and not exists (select from app.audit_link l where l.org_id = e.org_id and l.event_id = e.id)
  union all
  select 'unrecorded', s.id::text, 'step ' || s.position || ' of run ' || s.run_id || ' has no audit event'
  from app.run_step s join app.audit_lane c on c.org_id = s.org_id and c.lane = 0
  -- What was done before the trail recorded steps has none; a step whose clock was turned back to then has a place in its run all the same.
  where s.org_id = audit_gaps.org_id and s.created_at >= c.started_at
    and not exists (select from app.audit_event e
      where e.org_id = s.org_id and e.run_id = s.run_id and e.object_id = s.id::text and e.action = s.kind || '.call')
  union all
  select 'changed', s.id::text, 'step ' || s.position || ' of run ' || s.run_id || ' is not as it was recorded'
  from app.run_step s join app.audit_event e on e.org_id = s.org_id and e.run_id = s.run_id and e.object_id = s.id::text and e.action = s.kind || '.call'
  where s.org_id = audit_gaps.org_id and e.object_sha256 is distinct from authz.step_digest(s)
  union all
  select 'unrecorded', r.id::text, 'run ' || r.id || ' has no audit event'
  from app.run r
  where r.org_id = audit_gaps.org_id and not exists (select from app.audit_event e
    where e.org_id = r.org_id and e.run_id = r.id and e.action = 'run.insert')
$$;
comment on function authz.audit_gaps(uuid) is 'What of an organization has no record, or is not as recorded: events without a link, runs and steps without an event, steps that were changed. For a check every night: no row is right.';
revoke all on function authz.audit_gaps(uuid) from public;
grant execute on function authz.audit_gaps(uuid) to authenticated;

create function api.check_audit(org_id uuid) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_auditor(check_audit.org_id);
  if (check_audit.org_id = any (array(select authz.orgs_with('runs.read')))) is not true then
    raise sqlstate '42501' using message = 'runs.read is needed too: a check of half the runs would find nothing';
  end if;
  return jsonb_build_object('findings', (
    select coalesce(jsonb_agg(to_jsonb(g) order by g.kind, g.object_id), '[]')
    from (select * from authz.audit_gaps(check_audit.org_id) limit 1000) g));
end
$$;
comment on function api.check_audit(uuid) is $c$Find what has no record in the audit trail, or is not as it was recorded: events without a link, runs and steps without an event, changed steps.

@audience app
@param org_id  the organization; needs audit.read and runs.read
@returns       {findings: [{kind: unlinked, unrecorded or changed, object_id, detail}], at most 1000; none when all is right}
@errors        22004, 42501, PT404
@effect        read$c$;
revoke all on function api.check_audit(uuid) from public;
grant execute on function api.check_audit(uuid) to authenticated;
