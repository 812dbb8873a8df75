-- A chat over documents. Rows reach their workspace through a chain of foreign keys; only the top of the chain names it.
-- Policies follow the chain through the rows the caller may already see.

create schema util;
grant usage on schema util to authenticated, service_role;

create table public.workspaces (
  id uuid primary key default gen_random_uuid(),
  title text not null,
  owner_id uuid not null default auth.uid() references auth.users (id)
);
create table public.workspace_members (
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  member_id uuid not null references auth.users (id) on delete cascade,
  access text not null default 'read' check (access in ('read', 'write', 'manage')),
  removed_at timestamptz,
  primary key (workspace_id, member_id)
);
create index workspace_members_member_idx on public.workspace_members (member_id) where removed_at is null;

create function util.can(workspace uuid, needed text) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (
    select 1 from public.workspace_members m
    where m.workspace_id = can.workspace and m.member_id = (select auth.uid()) and m.removed_at is null
      and case can.needed when 'read' then true when 'write' then m.access in ('write', 'manage') when 'manage' then m.access = 'manage' else false end)
$$;
create function util.visible_workspaces() returns uuid[] language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(m.workspace_id), '{}') from public.workspace_members m
  where m.member_id = (select auth.uid()) and m.removed_at is null
$$;
revoke execute on all functions in schema util from public;
grant execute on all functions in schema util to authenticated;

create table public.knowledge_bases (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  title text not null
);
create table public.kb_files (
  id uuid primary key default gen_random_uuid(),
  kb_id uuid not null references public.knowledge_bases (id) on delete cascade,
  storage_path text not null,
  sha256 text not null,
  unique (kb_id, sha256)
);
create table public.kb_passages (
  id uuid primary key default gen_random_uuid(),
  file_id uuid not null references public.kb_files (id) on delete cascade,
  ordinal int not null,
  content text not null,
  embedding extensions.vector(3),
  unique (file_id, ordinal)
);
create table public.assistants (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  title text not null,
  instructions text not null default ''
);
create table public.assistant_functions (
  id uuid primary key default gen_random_uuid(),
  assistant_id uuid not null references public.assistants (id) on delete cascade,
  title text not null,
  url text not null,
  auth_header text
);
create table public.chats (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  assistant_id uuid not null,
  started_by uuid not null default auth.uid() references auth.users (id)
);
create table public.chat_turns (
  id uuid primary key default gen_random_uuid(),
  chat_id uuid not null references public.chats (id) on delete cascade,
  speaker text not null default 'human' check (speaker in ('human', 'assistant', 'function')),
  content text not null,
  at timestamptz not null default now()
);
create table public.function_requests (
  id uuid primary key default gen_random_uuid(),
  chat_id uuid not null references public.chats (id) on delete cascade,
  asked_by uuid not null,
  payload jsonb not null,
  verdict text not null default 'pending',
  verdict_by uuid
);
create table public.answer_cache (
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  question_hash text not null,
  answer text not null,
  primary key (workspace_id, question_hash)
);
create table public.models (id text primary key, context_length int not null, vendor text not null);
create table util.provider_keys (vendor text primary key, api_key text not null);

alter table public.workspaces enable row level security;
alter table public.workspace_members enable row level security;
alter table public.knowledge_bases enable row level security;
alter table public.kb_files enable row level security;
alter table public.kb_passages enable row level security;
alter table public.assistants enable row level security;
alter table public.assistant_functions enable row level security;
alter table public.chats enable row level security;
alter table public.chat_turns enable row level security;
alter table public.function_requests enable row level security;
alter table public.answer_cache enable row level security;
alter table public.models enable row level security;
alter table util.provider_keys enable row level security;

create policy workspaces_select on public.workspaces for select to authenticated using (id = any ((select util.visible_workspaces())::uuid[]));
create policy workspaces_update on public.workspaces for update to authenticated
  using (util.can(id, 'manage')) with check (util.can(id, 'manage'));
grant select, update (title) on public.workspaces to authenticated;
create policy workspace_members_select on public.workspace_members for select to authenticated
  using (workspace_id = any ((select util.visible_workspaces())::uuid[]));
create policy workspace_members_insert on public.workspace_members for insert to authenticated
  with check (util.can(workspace_id, 'manage') and member_id <> (select auth.uid()));
create policy workspace_members_update on public.workspace_members for update to authenticated
  using (util.can(workspace_id, 'manage') and member_id <> (select auth.uid()))
  with check (util.can(workspace_id, 'manage') and member_id <> (select auth.uid()));
create policy workspace_members_aal2 on public.workspace_members as restrictive for insert to authenticated
  with check ((select auth.jwt() ->> 'aal') = 'aal2');
grant select, insert, update (access, removed_at) on public.workspace_members to authenticated;
create policy knowledge_bases_select on public.knowledge_bases for select to authenticated
  using (workspace_id = any ((select util.visible_workspaces())::uuid[]));
create policy knowledge_bases_write on public.knowledge_bases for all to authenticated
  using (util.can(workspace_id, 'write')) with check (util.can(workspace_id, 'write'));
grant select, insert, update (title), delete on public.knowledge_bases to authenticated;
create policy kb_files_select on public.kb_files for select to authenticated
  using (kb_id in (select b.id from public.knowledge_bases b));
create policy kb_files_insert on public.kb_files for insert to authenticated
  with check (exists (select 1 from public.knowledge_bases b where b.id = kb_files.kb_id and util.can(b.workspace_id, 'write')));
create policy kb_files_delete on public.kb_files for delete to authenticated
  using (exists (select 1 from public.knowledge_bases b where b.id = kb_files.kb_id and util.can(b.workspace_id, 'write')));
grant select, insert, delete on public.kb_files to authenticated;
create policy kb_passages_select on public.kb_passages for select to authenticated using (file_id in (select f.id from public.kb_files f));
grant select on public.kb_passages to authenticated;
create policy assistants_select on public.assistants for select to authenticated
  using (workspace_id = any ((select util.visible_workspaces())::uuid[]));
create policy assistants_write on public.assistants for all to authenticated
  using (util.can(workspace_id, 'manage')) with check (util.can(workspace_id, 'manage'));
grant select, insert, update (title, instructions), delete on public.assistants to authenticated;
create policy assistant_functions_select on public.assistant_functions for select to authenticated
  using (exists (select 1 from public.assistants a where a.id = assistant_functions.assistant_id));
create policy assistant_functions_write on public.assistant_functions for insert to authenticated
  with check (exists (select 1 from public.assistants a where a.id = assistant_functions.assistant_id and util.can(a.workspace_id, 'manage')));
grant select (id, assistant_id, title, url), insert on public.assistant_functions to authenticated;
create policy chats_mine on public.chats for select to authenticated
  using (started_by = (select auth.uid()) and workspace_id = any ((select util.visible_workspaces())::uuid[]));
create policy chats_start on public.chats for insert to authenticated
  with check (started_by = (select auth.uid()) and util.can(workspace_id, 'read')
    and exists (select 1 from public.assistants a where a.id = chats.assistant_id and a.workspace_id = chats.workspace_id));
grant select, insert on public.chats to authenticated;
create policy chat_turns_mine on public.chat_turns for select to authenticated
  using (exists (select 1 from public.chats c where c.id = chat_turns.chat_id and c.started_by = (select auth.uid())));
create policy chat_turns_say on public.chat_turns for insert to authenticated
  with check (speaker = 'human' and exists (select 1 from public.chats c where c.id = chat_turns.chat_id and c.started_by = (select auth.uid())));
grant select, insert on public.chat_turns to authenticated;
create policy function_requests_select on public.function_requests for select to authenticated
  using (exists (select 1 from public.chats c where c.id = function_requests.chat_id));
grant select on public.function_requests to authenticated;
create policy answer_cache_select on public.answer_cache for select to authenticated
  using (workspace_id = any ((select util.visible_workspaces())::uuid[]));
grant select on public.answer_cache to authenticated;
create policy models_select on public.models for select to authenticated using (true);
grant select on public.models to authenticated;

create function public.match_passages(query_embedding extensions.vector(3), match_threshold float default 0.5, match_count int default 10)
returns table (id uuid, file_id uuid, content text, similarity float)
language sql stable security invoker set search_path = '' as $$
  select p.id, p.file_id, p.content, 1 - (p.embedding operator(extensions.<=>) query_embedding)
  from public.kb_passages p
  where 1 - (p.embedding operator(extensions.<=>) query_embedding) > match_threshold
  order by p.embedding operator(extensions.<=>) query_embedding limit least(match_count, 50)
$$;
create function public.give_verdict(request uuid, accepted boolean) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.function_requests r set verdict = case when accepted then 'accepted' else 'refused' end, verdict_by = (select auth.uid())
    from public.chats c
    where r.id = request and c.id = r.chat_id and r.verdict = 'pending' and r.asked_by <> (select auth.uid()) and util.can(c.workspace_id, 'manage');
  if not found then
    raise exception 'no such request' using errcode = 'PT404';
  end if;
end
$$;
create function public.found_workspace(title text) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_id uuid;
begin
  if (select auth.uid()) is null or ((select auth.jwt()) ->> 'is_anonymous')::boolean then
    raise exception 'sign in first' using errcode = '42501';
  end if;
  insert into public.workspaces (title, owner_id) values (found_workspace.title, (select auth.uid())) returning id into v_id;
  insert into public.workspace_members values (v_id, (select auth.uid()), 'manage');
  return v_id;
end
$$;
revoke execute on function public.match_passages(extensions.vector, float, int), public.give_verdict(uuid, boolean), public.found_workspace(text)
  from public, anon;
grant execute on function public.match_passages(extensions.vector, float, int), public.give_verdict(uuid, boolean), public.found_workspace(text)
  to authenticated;

insert into storage.buckets (id, name, public) values ('kb', 'kb', false);
create policy kb_read on storage.objects for select to authenticated
  using (bucket_id = 'kb' and ((storage.foldername(objects.name))[1])::uuid = any ((select util.visible_workspaces())::uuid[]));
create policy kb_upload on storage.objects for insert to authenticated
  with check (bucket_id = 'kb' and util.can(((storage.foldername(objects.name))[1])::uuid, 'write'));

alter publication supabase_realtime add table public.chat_turns;
create policy workspace_topics on realtime.messages for select to authenticated
  using (realtime.messages.extension in ('broadcast', 'presence')
    and split_part((select realtime.topic()), ':', 1) = 'workspace'
    and split_part((select realtime.topic()), ':', 2)::uuid = any ((select util.visible_workspaces())::uuid[]));
