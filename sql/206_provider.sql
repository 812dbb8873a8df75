-- Who may serve models to this deployment, and what is known of them. The operator registers them; an organization's data policy decides
-- by these facts. What is not known counts as the worst.
create table app.provider (
  name text not null primary key constraint provider_name_check check (name ~ '^[a-z0-9][a-z0-9._-]{0,99}$'),
  leaves boolean not null default true,
  region text constraint provider_region_check check (region ~ '^[a-z][a-z0-9-]{1,39}$'),
  retention_days integer constraint provider_retention_days_check check (retention_days between 0 and 36500),
  trains boolean,
  attestation text constraint provider_attestation_check check (char_length(attestation) between 1 and 300),
  attested_on date,
  input_price bigint constraint provider_input_price_check check (input_price between 0 and 1000000000000),
  output_price bigint constraint provider_output_price_check check (output_price between 0 and 1000000000000),
  -- Without a paper that says so, nobody keeps nothing and nobody trains on nothing: API defaults are otherwise.
  constraint provider_attested_check check (
    not leaves or num_nonnulls(attestation, attested_on) = 2 or (retention_days is distinct from 0 and trains is not false))
);
comment on table app.provider is 'A provider of models, as the operator registered it. It belongs to no organization.';
comment on column app.provider.name is 'What the agent is configured to call it (RINGFENCE_MODEL_PROVIDER), else the host of its address.';
comment on column app.provider.leaves is 'Whether what it is sent leaves this machine.';
comment on column app.provider.region is 'Where it processes what it is sent; null: not known.';
comment on column app.provider.retention_days is 'How many days it keeps what it is sent; 0: not at all; null: not known.';
comment on column app.provider.trains is 'Whether it trains models on what it is sent; null: not known.';
comment on column app.provider.attestation is 'The contract or approval that says so; 1..300 characters.';
comment on column app.provider.attested_on is 'When that was looked at last.';
comment on column app.provider.input_price is 'Price of a million input tokens, in millionths of the currency the operator counts in.';
comment on column app.provider.output_price is 'The same of output tokens.';

alter table app.provider enable row level security;
alter table app.provider force row level security;
create policy provider_select_person on app.provider for select to authenticated
  using ((select authz.uid()) is not null);
create policy provider_insert_nobody on app.provider for insert to authenticated with check (false);
create policy provider_update_nobody on app.provider for update to authenticated using (false) with check (false);
create policy provider_delete_nobody on app.provider for delete to authenticated using (false);
create policy provider_select_owner on app.provider for select to ringfence_owner
  using ((select authz.uid()) is not null);
comment on policy provider_select_person on app.provider is 'Every signed-in person may know where questions can go.';
comment on policy provider_insert_nobody on app.provider is 'The operator registers providers.';
comment on policy provider_update_nobody on app.provider is 'The operator registers providers.';
comment on policy provider_delete_nobody on app.provider is 'The operator registers providers.';
comment on policy provider_select_owner on app.provider is 'authz.reserve_model_call() decides by what is registered.';
grant select on app.provider to authenticated, ringfence_owner;

insert into app.provider (name, leaves, retention_days, trains) values
  ('offline', false, 0, false),
  ('this-machine', false, 0, false);

create function authz.taint_classification(taint text[]) returns smallint
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return case when 'secret' = any (taint) then 3 when 'confidential' = any (taint) then 2 else 0 end::smallint;
comment on function authz.taint_classification(text[]) is 'How classified the documents are at most that a context with these labels holds: 3 secret, 2 confidential, 0 nothing of the kind.';
revoke all on function authz.taint_classification(text[]) from public;
grant execute on function authz.taint_classification(text[]) to authenticated, ringfence_owner;

create function authz.provider_refusal(org_id uuid, provider text, classification smallint) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when not p.leaves then null
    when o.allowed_regions is not null and (p.region = any (o.allowed_regions)) is not true then 'region'
    when o.zero_retention and p.retention_days is distinct from 0 then 'retention'
    when o.no_training and p.trains is distinct from false then 'training'
    when provider_refusal.classification > o.external_classification then 'classification' end
  from app.organization o
  left join app.provider r on r.name = provider_refusal.provider
  cross join lateral (select coalesce(r.leaves, true) as leaves, r.region, r.retention_days, r.trains) p
  where o.id = provider_refusal.org_id
$$;
comment on function authz.provider_refusal(uuid, text, smallint) is 'Which rule of the organization refuses to send this provider text of documents classified so: region, retention, training or classification; null when none does.';
revoke all on function authz.provider_refusal(uuid, text, smallint) from public;
grant execute on function authz.provider_refusal(uuid, text, smallint) to ringfence_owner;
