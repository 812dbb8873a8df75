insert into auth.users (id, email, email_confirmed_at) values
  ('a2222222-0000-4000-8000-000000000001', 'ruth@red.test', now()), ('a2222222-0000-4000-8000-000000000002', 'ray@red.test', now()),
  ('b2222222-0000-4000-8000-000000000001', 'ben@blue.test', now()), ('c2222222-0000-4000-8000-000000000001', 'otto@free.test', now());
insert into public.accounts (id, primary_owner_user_id, name, slug) values
  ('aaaaaaaa-0000-4000-8000-000000000002', 'a2222222-0000-4000-8000-000000000001', 'RED', 'red'),
  ('bbbbbbbb-0000-4000-8000-000000000002', 'b2222222-0000-4000-8000-000000000001', 'BLUE', 'blue');
insert into public.accounts_memberships (user_id, account_id, account_role) values
  ('a2222222-0000-4000-8000-000000000001', 'aaaaaaaa-0000-4000-8000-000000000002', 'owner'),
  ('a2222222-0000-4000-8000-000000000002', 'aaaaaaaa-0000-4000-8000-000000000002', 'member'),
  ('b2222222-0000-4000-8000-000000000001', 'bbbbbbbb-0000-4000-8000-000000000002', 'owner');
insert into public.tasks (account_id, title, created_by)
  select a.id, a.name || ' task', a.primary_owner_user_id from public.accounts a where not a.is_personal_account;
insert into public.subscriptions (id, account_id, status) select 'sub_' || a.slug, a.id, 'active' from public.accounts a where a.slug is not null;
insert into public.subscription_items (id, subscription_id, product_id) select 'si_' || s.id, s.id, 'pro' from public.subscriptions s;
insert into public.account_notifications (account_id, body) select a.id, a.name || ' note' from public.accounts a where a.slug is not null;
insert into public.invitations (account_id, email, role, invite_token, invited_by)
  select a.id, 'new@' || a.slug || '.test', 'member', 'token-' || a.slug, a.primary_owner_user_id from public.accounts a where a.slug is not null;
