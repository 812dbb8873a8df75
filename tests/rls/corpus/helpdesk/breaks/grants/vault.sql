-- Class:    vault.decrypted_secrets readable
-- Culprit:  vault.decrypted_secrets
-- Command:  select

insert into vault.secrets (name, secret) values ('stripe', 'SECRET-STRIPE');
grant usage on schema vault to authenticated;
grant select on vault.decrypted_secrets to authenticated;

-- @as otto
select decrypted_secret from vault.decrypted_secrets
