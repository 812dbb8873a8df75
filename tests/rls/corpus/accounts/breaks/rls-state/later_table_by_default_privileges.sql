-- Class:    Default privileges open future tables and a later migration forgets RLS
-- Culprit:  public.webinars | schema public
-- Command:  select

alter default privileges in schema public grant all on tables to anon, authenticated;
create table public.webinars (id uuid primary key default gen_random_uuid(), account_id uuid not null, title text not null);
insert into public.webinars (account_id, title) select id, name || ' webinar' from public.accounts;

-- @as anon
select * from webinars where account_id = :red
