insert into auth.users (id, email) values ('a6666666-0000-4000-8000-000000000001', 'olive@oak.test'), ('a6666666-0000-4000-8000-000000000002', 'omar@oak.test'),
  ('b6666666-0000-4000-8000-000000000001', 'ella@elm.test'), ('c6666666-0000-4000-8000-000000000001', 'past@oak.test');
insert into public.workspaces values ('aaaaaaaa-0000-4000-8000-000000000004', 'OAK', 'a6666666-0000-4000-8000-000000000001'),
  ('bbbbbbbb-0000-4000-8000-000000000004', 'ELM', 'b6666666-0000-4000-8000-000000000001');
insert into public.workspace_members values
  ('aaaaaaaa-0000-4000-8000-000000000004', 'a6666666-0000-4000-8000-000000000001', 'manage', null),
  ('aaaaaaaa-0000-4000-8000-000000000004', 'a6666666-0000-4000-8000-000000000002', 'read', null),
  ('aaaaaaaa-0000-4000-8000-000000000004', 'c6666666-0000-4000-8000-000000000001', 'write', now()),
  ('bbbbbbbb-0000-4000-8000-000000000004', 'b6666666-0000-4000-8000-000000000001', 'manage', null);
insert into public.models values ('small', 8000, 'x'), ('large', 128000, 'x');
insert into util.provider_keys values ('x', 'SECRET-KEY');
insert into public.knowledge_bases (workspace_id, title) select id, title || ' base' from public.workspaces;
insert into public.kb_files (kb_id, storage_path, sha256) select id, workspace_id || '/file.pdf', title || ' hash' from public.knowledge_bases;
insert into public.kb_passages (file_id, ordinal, content, embedding) select id, 0, sha256 || ' passage', '[1,0,0]' from public.kb_files;
insert into public.assistants (workspace_id, title, instructions) select id, 'Helper', title || ' instructions' from public.workspaces;
insert into public.assistant_functions (assistant_id, title, url, auth_header) select id, 'crm', 'https://crm.test', instructions || ' key' from public.assistants;
insert into public.chats (workspace_id, assistant_id, started_by)
  select a.workspace_id, a.id, w.owner_id from public.assistants a join public.workspaces w on w.id = a.workspace_id;
insert into public.chat_turns (chat_id, content) select c.id, w.title || ' turn' from public.chats c join public.workspaces w on w.id = c.workspace_id;
insert into public.function_requests (chat_id, asked_by, payload) select c.id, c.started_by, '{"to": "crm"}' from public.chats c;
insert into public.answer_cache select id, 'h1', title || ' answer' from public.workspaces;
insert into storage.objects (bucket_id, name) select 'kb', storage_path from public.kb_files;
