-- The chains of an organization's audit trail (F62): each event has one link, each link holds the digest of the one before. Links are made
-- when a transaction commits. Whoever makes one keeps its place until the commit is on disk, so one place would let through no more commits
-- than the disk takes one by one. There are sixteen, each a chain of its own: the first free one is taken, so that an organization in which
-- one thing happens at a time has one chain, and the order in each is that of the commits, without a gap. No two organizations meet.
create table app.audit_lane (
  org_id uuid not null references app.organization (id) on delete cascade,
  lane smallint not null constraint audit_lane_lane_check check (lane between 0 and 15),
  started_at timestamptz not null default clock_timestamp(),
  primary key (org_id, lane)
);
comment on table app.audit_lane is 'The places at which the transactions of an organization link their events. A row is locked and never changed, so it leaves no dead rows behind.';
comment on column app.audit_lane.org_id is 'The organization.';
comment on column app.audit_lane.lane is 'Which of its chains: 0..15.';
comment on column app.audit_lane.started_at is 'When the organization''s first event was linked.';

alter table app.audit_lane enable row level security;
alter table app.audit_lane force row level security;
create policy audit_lane_select_auditor on app.audit_lane for select to authenticated
  using (org_id = any (array(select authz.orgs_with('audit.read'))));
create policy audit_lane_insert_nobody on app.audit_lane for insert to authenticated with check (false);
create policy audit_lane_update_nobody on app.audit_lane for update to authenticated using (false) with check (false);
create policy audit_lane_delete_nobody on app.audit_lane for delete to authenticated using (false);
create policy audit_lane_floor on app.audit_lane as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy audit_lane_select_owner on app.audit_lane for select to ringfence_owner
  using ((select pg_trigger_depth()) > 0);
create policy audit_lane_insert_owner on app.audit_lane for insert to ringfence_owner
  with check ((select pg_trigger_depth()) > 0);
create policy audit_lane_update_owner on app.audit_lane for update to ringfence_owner
  using ((select pg_trigger_depth()) > 0)
  with check (false);
comment on policy audit_lane_select_auditor on app.audit_lane is 'audit.read sees that there are chains, and since when.';
comment on policy audit_lane_insert_nobody on app.audit_lane is 'Only the trigger writes here.';
comment on policy audit_lane_update_nobody on app.audit_lane is 'Nobody changes it.';
comment on policy audit_lane_delete_nobody on app.audit_lane is 'It goes with its organization.';
comment on policy audit_lane_floor on app.audit_lane is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy audit_lane_select_owner on app.audit_lane is 'The trigger finds a free place.';
comment on policy audit_lane_insert_owner on app.audit_lane is 'The trigger makes them with the first link.';
comment on policy audit_lane_update_owner on app.audit_lane is 'The trigger locks it, and changes nothing.';
grant select on app.audit_lane to authenticated;
grant select, insert (org_id, lane), update (started_at) on app.audit_lane to ringfence_owner;

create table app.audit_link (
  org_id uuid not null references app.organization (id) on delete cascade,
  lane smallint not null,
  sequence bigint not null constraint audit_link_sequence_check check (sequence > 0),
  event_id uuid not null,
  event_sha256 text not null constraint audit_link_event_sha256_check check (event_sha256 ~ '^[0-9a-f]{64}$'),
  prev_hash text not null constraint audit_link_prev_hash_check check (prev_hash ~ '^[0-9a-f]{64}$'),
  hash text not null constraint audit_link_hash_check check (hash ~ '^[0-9a-f]{64}$'),
  primary key (org_id, lane, sequence),
  constraint audit_link_event_id_key unique (org_id, event_id)
);
comment on table app.audit_link is 'One link for each audit event. A table of its own: an event is never written twice.';
comment on column app.audit_link.org_id is 'The organization.';
comment on column app.audit_link.lane is 'Which of the organization''s chains.';
comment on column app.audit_link.sequence is 'Place in that chain: 1, 2, 3 without a gap. Where an export goes on from.';
comment on column app.audit_link.event_id is 'The event. No foreign key: a link must outlive a deletion it gives evidence of.';
comment on column app.audit_link.event_sha256 is 'authz.event_digest() of the event.';
comment on column app.audit_link.prev_hash is 'The hash of the link before; of the first, SHA-256 of the organization''s identifier, a space and the lane.';
comment on column app.audit_link.hash is 'SHA-256, hexadecimal, of prev_hash, a space, sequence, a space and event_sha256.';

alter table app.audit_link enable row level security;
alter table app.audit_link force row level security;
create policy audit_link_select_auditor on app.audit_link for select to authenticated
  using (org_id = any (array(select authz.orgs_with('audit.read'))));
create policy audit_link_insert_nobody on app.audit_link for insert to authenticated with check (false);
create policy audit_link_update_nobody on app.audit_link for update to authenticated using (false) with check (false);
create policy audit_link_delete_nobody on app.audit_link for delete to authenticated using (false);
create policy audit_link_floor on app.audit_link as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy audit_link_select_owner on app.audit_link for select to ringfence_owner
  using ((select pg_trigger_depth()) > 0);
create policy audit_link_insert_owner on app.audit_link for insert to ringfence_owner
  with check ((select pg_trigger_depth()) > 0);
comment on policy audit_link_select_auditor on app.audit_link is 'audit.read sees the chain.';
comment on policy audit_link_insert_nobody on app.audit_link is 'Only the trigger writes here.';
comment on policy audit_link_update_nobody on app.audit_link is 'Append-only.';
comment on policy audit_link_delete_nobody on app.audit_link is 'Append-only.';
comment on policy audit_link_floor on app.audit_link is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy audit_link_select_owner on app.audit_link is 'The trigger reads the last link.';
comment on policy audit_link_insert_owner on app.audit_link is 'The trigger adds the next; by the time it runs the claims may be nobody''s any more.';
grant select on app.audit_link to authenticated;
grant select, insert (org_id, lane, sequence, event_id, event_sha256, prev_hash, hash) on app.audit_link to ringfence_owner;

create function authz.event_json(event app.audit_event) returns jsonb
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- The time as text of our own: how PostgreSQL writes one in JSON depends on the session's time zone.
  select to_jsonb(event) || jsonb_build_object('at', to_char(event.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
$$;
comment on function authz.event_json(app.audit_event) is 'An audit event as JSON, the same in every session: at is in UTC, with microseconds.';
revoke all on function authz.event_json(app.audit_event) from public;
grant execute on function authz.event_json(app.audit_event) to authenticated, ringfence_owner;

create function authz.event_digest(event app.audit_event) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select authz.row_digest(authz.event_json(event))
$$;
comment on function authz.event_digest(app.audit_event) is 'authz.row_digest() of authz.event_json(). agent/audit/chain.py computes the same from outside.';
revoke all on function authz.event_digest(app.audit_event) from public;
grant execute on function authz.event_digest(app.audit_event) to authenticated, ringfence_owner;

create function authz.link_hash(prev_hash text, sequence bigint, event_sha256 text) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select encode(sha256(convert_to(prev_hash || ' ' || sequence || ' ' || event_sha256, 'UTF8')), 'hex')
$$;
comment on function authz.link_hash(text, bigint, text) is 'The hash of a link; null when anything it is made of is missing.';
revoke all on function authz.link_hash(text, bigint, text) from public;
grant execute on function authz.link_hash(text, bigint, text) to ringfence_owner;

create function authz.first_hash(org_id uuid, lane integer) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select encode(sha256(convert_to(org_id || ' ' || lane, 'UTF8')), 'hex')
$$;
comment on function authz.first_hash(uuid, integer) is 'What the first link of a chain holds as the hash before it.';
revoke all on function authz.first_hash(uuid, integer) from public;
grant execute on function authz.first_hash(uuid, integer) to authenticated, ringfence_owner;

create function authz.tg_audit_link() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_digest text := authz.event_digest(new);
  v_lane smallint;
  v_sequence bigint;
  v_hash text;
begin
  -- What was done in an organization before the same transaction purged it goes along.
  if authz.is_purging(new.org_id) then
    return null;
  end if;
  loop
    -- A place that this transaction holds already counts as free.
    select l.lane into v_lane from app.audit_lane l where l.org_id = new.org_id order by l.lane limit 1 for no key update skip locked;
    exit when found;
    insert into app.audit_lane (org_id, lane) select new.org_id, n from generate_series(0, 15) n on conflict do nothing;
    if not found then
      -- Whoever waits holds no place here, so nobody waits for them.
      select l.lane into strict v_lane from app.audit_lane l where l.org_id = new.org_id and l.lane = pg_backend_pid() % 16 for no key update;
      exit;
    end if;
  end loop;
  -- A statement of its own: it sees what those before us at this place have committed.
  select l.sequence, l.hash into v_sequence, v_hash
  from app.audit_link l where l.org_id = new.org_id and l.lane = v_lane order by l.sequence desc limit 1;
  v_sequence := coalesce(v_sequence, 0) + 1;
  v_hash := coalesce(v_hash, authz.first_hash(new.org_id, v_lane));
  insert into app.audit_link (org_id, lane, sequence, event_id, event_sha256, prev_hash, hash)
  values (new.org_id, v_lane, v_sequence, new.id, v_digest, v_hash, authz.link_hash(v_hash, v_sequence, v_digest));
  return null;
end
$$;
comment on function authz.tg_audit_link() is 'Trigger, at commit: link an audit event to a chain of its organization. When that fails the transaction does.';
revoke all on function authz.tg_audit_link() from public;
create constraint trigger _900_link after insert on app.audit_event deferrable initially deferred
  for each row execute function authz.tg_audit_link();
alter function authz.tg_audit_link() owner to ringfence_owner;

create function authz.tg_append_only() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- One condition inside the other: a truncate has no old row to look at.
  if tg_op = 'DELETE' then
    if authz.is_purging(old.org_id) then
      return old;
    end if;
  end if;
  raise sqlstate '42501' using message = 'the audit trail is only ever added to';
end
$$;
comment on function authz.tg_append_only() is 'Trigger: refuse every change and deletion, whoever asks, the owner of the table too; a purge alone takes an organization''s rows along.';
revoke all on function authz.tg_append_only() from public;
create trigger _010_append_only before update or delete on app.audit_event
  for each row execute function authz.tg_append_only();
create trigger _010_append_only_truncate before truncate on app.audit_event
  for each statement execute function authz.tg_append_only();
create trigger _010_append_only before update or delete on app.audit_link
  for each row execute function authz.tg_append_only();
create trigger _010_append_only_truncate before truncate on app.audit_link
  for each statement execute function authz.tg_append_only();
alter function authz.tg_append_only() owner to ringfence_owner;
