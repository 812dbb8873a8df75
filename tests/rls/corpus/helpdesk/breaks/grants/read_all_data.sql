-- Class:    Predefined role granted (pg_read_all_data)
-- Culprit:  role authenticated | role pg_read_all_data
-- Command:  state
--
-- It grants SELECT on everything; tables whose row security is off or absent (the queue, the secrets' view) open at once.

-- @patch as supabase_admin
grant pg_read_all_data to authenticated with inherit true;
insert into vault.secrets (name, secret) values ('stripe', 'SECRET-STRIPE');

-- @as otto
set local role pg_read_all_data;
select decrypted_secret from vault.decrypted_secrets

-- @undo
revoke pg_read_all_data from authenticated;
