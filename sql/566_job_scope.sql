-- The scope of a job: who this very transaction acts for (DESIGN 6.2). Neither log-in for background work can read or write it; only the
-- functions below do, so that no SQL inside the transaction can change whose data it sees.
create table app.job_lease (
  org_id uuid not null references app.organization (id) on delete cascade,
  job_id uuid not null,
  lease uuid not null,
  worker text not null constraint job_lease_worker_check check (char_length(worker) between 1 and 100),
  place smallint not null constraint job_lease_place_check check (place between 1 and 100),
  expires_at timestamptz not null,
  primary key (org_id, job_id),
  -- What bounds the jobs of an organization that run at once. A lock would have to be one that nothing but the queue can take.
  constraint job_lease_place_key unique (org_id, place),
  constraint job_lease_job_id_fkey foreign key (org_id, job_id) references app.analytics_job (org_id, id) on delete cascade
);
create index job_lease_expires_at_idx on app.job_lease (expires_at);
comment on table app.job_lease is 'Which worker holds a running job, and until when; there is a row exactly while the job runs.';
comment on column app.job_lease.org_id is 'The organization.';
comment on column app.job_lease.job_id is 'The job.';
comment on column app.job_lease.lease is 'A random secret of the worker: whoever does not know it begins nothing in the job.';
comment on column app.job_lease.worker is 'What the worker calls itself.';
comment on column app.job_lease.place is 'Which of the organization''s places for running jobs it takes, from 1; authz.job_limits() says how many there are.';
comment on column app.job_lease.expires_at is 'From then on another worker may take the job.';

create table app.job_scope (
  -- Looked at when the transaction ends, by when the row is gone: a rehearsal is of no organization.
  org_id uuid not null references app.organization (id) on delete cascade deferrable initially deferred,
  xact_id xid8 not null default pg_current_xact_id(),
  began_at timestamptz not null default now(),
  job_id uuid not null,
  data_source_id uuid not null,
  claims jsonb not null,
  primary key (org_id, xact_id),
  -- One job a transaction, whatever its organization.
  constraint job_scope_xact_id_key unique (xact_id)
);
comment on table app.job_scope is 'For which job, and so for whom, a transaction acts. Rows live no longer than their transaction.';
comment on column app.job_scope.org_id is 'The organization of the job.';
comment on column app.job_scope.xact_id is 'The transaction.';
comment on column app.job_scope.began_at is 'When the transaction began: in a restored copy the same number may come again, not with the same time.';
comment on column app.job_scope.job_id is 'The job.';
comment on column app.job_scope.data_source_id is 'What it asks.';
comment on column app.job_scope.claims is 'What authz.claims() answers in this transaction.';

alter table app.job_lease enable row level security;
alter table app.job_lease force row level security;
create policy job_lease_floor on app.job_lease as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy job_lease_select_owner on app.job_lease for select to ringfence_owner
  using ((select authz.works_the_queue()));
create policy job_lease_insert_owner on app.job_lease for insert to ringfence_owner
  with check ((select authz.runs_the_queue()));
create policy job_lease_update_owner on app.job_lease for update to ringfence_owner
  using ((select authz.runs_the_queue())) with check ((select authz.runs_the_queue()));
create policy job_lease_delete_owner on app.job_lease for delete to ringfence_owner
  using ((select authz.runs_the_queue()));
comment on policy job_lease_floor on app.job_lease is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy job_lease_select_owner on app.job_lease is 'The functions of the queue compare leases, in the sessions of the two log-ins for background work alone.';
comment on policy job_lease_insert_owner on app.job_lease is 'A worker takes a job.';
comment on policy job_lease_update_owner on app.job_lease is 'A worker holds on to a job.';
comment on policy job_lease_delete_owner on app.job_lease is 'A worker lets go of a job.';
grant select, insert (org_id, job_id, lease, worker, place, expires_at), update (expires_at), delete on app.job_lease to ringfence_owner;

alter table app.job_scope enable row level security;
alter table app.job_scope force row level security;
create policy job_scope_floor on app.job_scope as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy job_scope_select_owner on app.job_scope for select to ringfence_owner
  using ((select authz.works_the_queue()) and xact_id = (select pg_current_xact_id_if_assigned()) and began_at = now());
create policy job_scope_insert_owner on app.job_scope for insert to ringfence_owner
  with check ((select authz.works_the_queue()) and xact_id = (select pg_current_xact_id_if_assigned()) and began_at = now());
create policy job_scope_delete_owner on app.job_scope for delete to ringfence_owner
  using ((select authz.works_the_queue()) and xact_id = (select pg_current_xact_id_if_assigned()) and began_at = now());
comment on policy job_scope_floor on app.job_scope is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy job_scope_select_owner on app.job_scope is 'The row of this very transaction and no other, in the sessions of the two log-ins for background work alone.';
comment on policy job_scope_insert_owner on app.job_scope is 'As that: a job is begun in this transaction.';
comment on policy job_scope_delete_owner on app.job_scope is 'As that: who may no longer gets no scope, and none outlives its transaction.';
grant select, insert (org_id, job_id, data_source_id, claims), delete on app.job_scope to ringfence_owner;

create function authz.tg_job_scope_over() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from app.job_scope s where s.xact_id = pg_current_xact_id();
  return null;
end
$$;
comment on function authz.tg_job_scope_over() is 'Trigger, at the end of the transaction: its scope goes with it. One that has become read only can therefore only be rolled back.';
revoke all on function authz.tg_job_scope_over() from public;
create constraint trigger _900_over after insert on app.job_scope
  deferrable initially deferred for each row execute function authz.tg_job_scope_over();
