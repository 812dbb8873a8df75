-- Class:    auth.users readable
-- Culprit:  auth.users
-- Command:  select
--
-- A join in an invoker view needed it. RLS stays on, so a policy came too.

-- @patch as supabase_admin
grant select on auth.users to authenticated;
create policy users_read on auth.users for select to authenticated using (true);

-- @as otto
select email, encrypted_password from auth.users where id = :mia
