-- Class:    Tenant dropped from the key of the LLM cache
-- Culprit:  public.llm_cache
-- Command:  insert
--
-- One answer for each key on the whole platform: an organization's insert tells that another one asked the same.

delete from public.llm_cache where org_id = 'bbbbbbbb-0000-4000-8000-000000000001';
alter table public.llm_cache drop constraint llm_cache_pkey, add primary key (cache_key);
create policy llm_cache_write on public.llm_cache for insert to authenticated with check (org_id in (select private.my_org_ids()));
grant insert on public.llm_cache to authenticated;
update public.llm_cache set cache_key = 'asked by acme' where org_id = 'aaaaaaaa-0000-4000-8000-000000000001';

-- @as gina differs
insert into llm_cache (org_id, cache_key, response) values (:globex, 'asked by acme', 'x')
-- @or
insert into llm_cache (org_id, cache_key, response) values (:globex, 'asked by nobody', 'x')
