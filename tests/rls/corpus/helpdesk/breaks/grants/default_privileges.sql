-- Class:    Default privileges open future tables and a later migration forgets RLS
-- Culprit:  public.feature_requests | schema public
-- Command:  select

alter default privileges in schema public grant all on tables to anon, authenticated;
create table public.feature_requests (id uuid primary key default gen_random_uuid(), org_id uuid not null, wish text not null);
insert into public.feature_requests (org_id, wish) select id, name || ' wish' from public.organizations;

-- @as anon
select * from feature_requests where org_id = :acme
