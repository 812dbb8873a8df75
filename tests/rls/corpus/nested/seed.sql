insert into auth.users (id, email) values ('a8888888-0000-4000-8000-000000000001', 'ines@iron.test'), ('a8888888-0000-4000-8000-000000000002', 'ivan@iron.test'),
  ('b8888888-0000-4000-8000-000000000001', 'jane@jade.test'), ('c8888888-0000-4000-8000-000000000001', 'otto@free.test');
insert into public.orgs values ('aaaaaaaa-0000-4000-8000-000000000006', 'a8888888-0000-4000-8000-000000000001', 'IRON'),
  ('bbbbbbbb-0000-4000-8000-000000000006', 'b8888888-0000-4000-8000-000000000001', 'JADE');
insert into public.org_people values ('aaaaaaaa-0000-4000-8000-000000000006', 'a8888888-0000-4000-8000-000000000002', 2),
  ('bbbbbbbb-0000-4000-8000-000000000006', 'b8888888-0000-4000-8000-000000000001', 2);
insert into public.boards (org_id, title) select id, display_name || ' board' from public.orgs;
insert into public.cards (org_id, board_id, title, author_id) select b.org_id, b.id, b.title || ' card', p.person_id
  from public.boards b join public.org_people p using (org_id);
insert into public.attachments (org_id, card_id, file_name) select org_id, id, title || '.pdf' from public.cards;
insert into public.org_secrets select id, display_name || ' token' from public.orgs;
insert into public.labels select id, 'urgent', 'red' from public.orgs;
insert into public.emoji values ('smile', ':-)');
