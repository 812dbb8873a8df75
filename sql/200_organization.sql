-- An organization: the unit of tenancy. Its slug is not unique across organizations, or taking one would tell who exists (R51).
create table app.organization (
  id uuid not null default gen_random_uuid() primary key,
  slug text not null constraint organization_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  -- An id may stand wherever a slug may: nobody takes somebody else's id for a name.
  constraint organization_slug_no_id_check check (slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
  name text not null constraint organization_name_check check (char_length(name) between 1 and 120),
  created_by uuid not null,
  created_at timestamptz not null default now(),
  require_mfa boolean not null default false,
  suspended_at timestamptz,
  acl_max_age_hours integer not null default 168 constraint organization_acl_max_age_hours_check check (acl_max_age_hours between 1 and 8760),
  -- What it allows providers of models (F70, F71): decided before each call; what is not known of a provider counts as the worst.
  region text constraint organization_region_check check (region ~ '^[a-z][a-z0-9-]{1,39}$'),
  allowed_regions text[] constraint organization_allowed_regions_check check (cardinality(allowed_regions) between 1 and 20),
  zero_retention boolean not null default false,
  no_training boolean not null default false,
  redact boolean not null default false,
  rows_to_model boolean not null default false,
  external_classification smallint not null default 3 constraint organization_external_classification_check check (external_classification between 1 and 3),
  -- Which calls of tools wait for an approval, beyond those that always do (F36), and who may give it.
  approve_writes boolean not null default false,
  approve_by_another boolean not null default false,
  constraint organization_region_allowed_check check (allowed_regions is null or region is null or region = any (allowed_regions)),
  constraint organization_acl_max_age_hours_key unique (id, acl_max_age_hours)
);
-- authz.org_ids() asks at every statement which organizations are out of sight; without this it would read them all.
create index organization_out_of_sight_idx on app.organization (id) where suspended_at is not null or require_mfa;
comment on table app.organization is 'An organization; everything else belongs to exactly one.';
comment on column app.organization.id is 'Random identifier; org_id everywhere else.';
comment on column app.organization.slug is 'Short name its members use; 2..40 of a-z 0-9 -, and no uuid; unique only among the organizations of one person.';
comment on column app.organization.name is 'Display name; 1..120 characters.';
comment on column app.organization.created_by is 'The person who founded it.';
comment on column app.organization.created_at is 'When it was founded.';
comment on column app.organization.require_mfa is 'True: to a token without a second factor this organization does not exist (F06); authz.org_ids() sees to it.';
comment on column app.organization.suspended_at is 'When it was suspended, or null: while it is, it does not exist for anybody; authz.org_ids() sees to it.';
comment on column app.organization.acl_max_age_hours is 'How long, in hours, a document from another system is read after its access was last checked there (F30). The one place that says so; documents carry a copy.';
comment on column app.organization.region is 'Where it keeps its data; 2..40 of a-z 0-9 -; null: not said.';
comment on column app.organization.allowed_regions is 'Where a provider may process what it is sent; 1..20 regions; null: anywhere.';
comment on column app.organization.zero_retention is 'True: only providers attested to keep nothing.';
comment on column app.organization.no_training is 'True: only providers attested not to train on what they are sent.';
comment on column app.organization.redact is 'True: personal data is replaced by pseudonyms before anything leaves this machine.';
comment on column app.organization.rows_to_model is 'True: a model that asked data in a run is shown rows of the answer; false: its shape and totals of its numbers alone.';
comment on column app.organization.external_classification is 'Documents classified higher than this go to no provider that leaves this machine (F15): 1 nothing confidential, 2 nothing secret, 3 everything.';
comment on column app.organization.approve_writes is 'True: every call of a tool that writes waits for an approval.';
comment on column app.organization.approve_by_another is 'True: nobody approves what they asked for themselves.';

alter table app.organization enable row level security;
alter table app.organization force row level security;
create policy organization_select_member on app.organization for select to authenticated
  using (id = any (array(select authz.org_ids())));
create policy organization_insert_nobody on app.organization for insert to authenticated
  with check (false);
create policy organization_update_manager on app.organization for update to authenticated
  using (id = any (array(select authz.orgs_with('organization.manage'))))
  with check (id = any (array(select authz.orgs_with('organization.manage'))));
create policy organization_delete_nobody on app.organization for delete to authenticated
  using (false);
create policy organization_floor on app.organization as restrictive for all to authenticated
  using (id = any (array(select authz.org_ids())))
  with check (id = any (array(select authz.org_ids())));
create policy organization_select_owner on app.organization for select to ringfence_owner
  using (created_by = (select authz.uid()));
create policy organization_select_joined_owner on app.organization for select to ringfence_owner
  using (id in (select authz.joined_org_ids()));
create policy organization_select_invited_owner on app.organization for select to ringfence_owner
  using (id in (select authz.inviting_org_ids()));
create policy organization_select_sso_owner on app.organization for select to ringfence_owner
  using (id in (select authz.sso_org_ids()));
create policy organization_insert_owner on app.organization for insert to ringfence_owner
  with check (created_by = (select authz.uid()));
create policy organization_update_owner on app.organization for update to ringfence_owner
  using (id in (select authz.owned_org_ids()))
  with check (id in (select authz.owned_org_ids()));
create policy organization_delete_owner on app.organization for delete to ringfence_owner
  using (id in (select authz.purging_org_ids()));
comment on policy organization_select_member on app.organization is 'Members see their organization.';
comment on policy organization_insert_nobody on app.organization is 'Organizations are founded through api.create_organization only.';
comment on policy organization_update_manager on app.organization is 'organization.manage may rename it and, after a step-up, change whether it requires a second factor, what it allows providers and what waits for an approval.';
comment on policy organization_delete_nobody on app.organization is 'Organizations end through api.purge_organization only.';
comment on policy organization_floor on app.organization is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy organization_select_owner on app.organization is 'Founding needs to see the organization just founded.';
comment on policy organization_select_joined_owner on app.organization is 'authz.org_ids() sees which of the person''s organizations are suspended or require a second factor.';
comment on policy organization_select_invited_owner on app.organization is 'Acceptance sees whether the organization is suspended or requires a second factor.';
comment on policy organization_select_sso_owner on app.organization is 'Joining sees the organizations whose identity provider the person has an identity of.';
comment on policy organization_update_owner on app.organization is 'An owner suspends and resumes it.';
comment on policy organization_delete_owner on app.organization is 'A purge deletes what its receipt is about.';
comment on policy organization_insert_owner on app.organization is 'Founding is bound to the person asking.';

grant select on app.organization to authenticated;
grant update (slug, name, require_mfa, acl_max_age_hours, region, allowed_regions, zero_retention, no_training, redact, rows_to_model, external_classification,
  approve_writes, approve_by_another) on app.organization to authenticated;
grant select, insert (slug, name, created_by), update (suspended_at), delete on app.organization to ringfence_owner;
create trigger _050_in_person before insert or update or delete on app.organization
  for each statement execute function authz.tg_in_person();
