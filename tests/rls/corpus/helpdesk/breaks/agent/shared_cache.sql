-- Class:    Tenant-less shared LLM/embedding cache
-- Culprit:  public.prompt_cache
-- Command:  select
--
-- Who asks the same question gets the other organization's answer, with what its documents said.

create table public.prompt_cache (
  prompt_hash text primary key,
  response text not null,
  created_at timestamptz not null default now()
);
alter table public.prompt_cache enable row level security;
create policy prompt_cache_read on public.prompt_cache for select to authenticated using (true);
create policy prompt_cache_write on public.prompt_cache for insert to authenticated with check (true);
grant select, insert on public.prompt_cache to authenticated;
insert into public.prompt_cache (prompt_hash, response) values ('h1', 'ACME revenue is 3 million');

-- @as gina
select * from prompt_cache where response like 'ACME%'
