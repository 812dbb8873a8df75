-- Class:    Tenant from a session setting the client can choose
-- Culprit:  public.documents
-- Command:  select
--
-- The setting is made by an RPC that takes the organization as it comes.

create function public.use_organization(org uuid) returns void language sql volatile set search_path = '' as $$
  select pg_catalog.set_config('app.org_id', org::text, false)
$$;
grant execute on function public.use_organization(uuid) to authenticated;
drop policy documents_read on public.documents;
create policy documents_read on public.documents for select to authenticated
  using (org_id = nullif(current_setting('app.org_id', true), '')::uuid);

-- @as gina
select use_organization(:acme)
-- @as gina
select * from documents where org_id = :acme
