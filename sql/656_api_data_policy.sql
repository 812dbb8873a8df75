-- What an organization allows providers of models, and what is known of them (F70, F71).

create function api.list_providers() returns table (
  name text, leaves boolean, region text, retention_days integer, trains boolean, attestation text, attested_on date, input_price bigint,
  output_price bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select p.name, p.leaves, p.region, p.retention_days, p.trains, p.attestation, p.attested_on, p.input_price, p.output_price
    from app.provider p order by p.name;
end
$$;
comment on function api.list_providers() is $c$List the providers of models the operator registered, with what is attested of them.

@audience app
@returns  array of {name, leaves, region, retention_days, trains, attestation, attested_on, input_price, output_price}; null is not known
@effect   read$c$;
revoke all on function api.list_providers() from public;
grant execute on function api.list_providers() to authenticated;

create function api.set_data_policy(
  org_id uuid, region text default null, allowed_regions text[] default null, zero_retention boolean default false,
  no_training boolean default false, redact boolean default false, rows_to_model boolean default false,
  external_classification integer default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(set_data_policy.org_id);
  perform authz.require(num_nulls(set_data_policy.zero_retention, set_data_policy.no_training, set_data_policy.redact, set_data_policy.rows_to_model) = 0,
    'zero_retention, no_training, redact, rows_to_model: true or false');
  perform authz.require(coalesce(set_data_policy.external_classification, 3) between 1 and 3, 'external_classification: 1..3');
  perform authz.require(array_position(set_data_policy.allowed_regions, null) is null, 'allowed_regions: no null among them');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  update app.organization o set region = set_data_policy.region, allowed_regions = set_data_policy.allowed_regions,
    zero_retention = set_data_policy.zero_retention, no_training = set_data_policy.no_training, redact = set_data_policy.redact,
    rows_to_model = set_data_policy.rows_to_model,
    external_classification = coalesce(set_data_policy.external_classification, o.external_classification)
  where o.id = set_data_policy.org_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  return api.organization_settings(set_data_policy.org_id);
end
$$;
comment on function api.set_data_policy(uuid, text, text[], boolean, boolean, boolean, boolean, integer) is $c$Say what an organization allows providers of models; works on the next call. What the operator does not know of a provider counts as the worst.

@audience app
@param org_id                   the organization; needs organization.manage and a recent second factor of your own
@param region                   where the organization keeps its data; 2..40 of a-z 0-9 -
@param allowed_regions          where providers may process what they are sent; 1..20; none: anywhere
@param zero_retention           true: only providers attested to keep nothing
@param no_training              true: only providers attested not to train on it
@param redact                   true: personal data is replaced by pseudonyms before anything leaves
@param rows_to_model            true: a model that asked data is shown rows of the answer; false: its shape and totals of its numbers alone
@param external_classification  the highest classification of documents that may leave, 1 internal, 2 confidential, 3 secret; 1..3; null: as it is
@returns                {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, rows_to_model, external_classification, approve_writes, approve_by_another}
@errors                 22004, 22023, 23514, 42501, PT401, PT404
@effect                 write$c$;
revoke all on function api.set_data_policy(uuid, text, text[], boolean, boolean, boolean, boolean, integer) from public;
grant execute on function api.set_data_policy(uuid, text, text[], boolean, boolean, boolean, boolean, integer) to authenticated;
