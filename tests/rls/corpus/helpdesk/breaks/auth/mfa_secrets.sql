-- Class:    auth.mfa_factors readable
-- Culprit:  auth.mfa_factors
-- Command:  select

-- @patch as supabase_admin
insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at, secret)
  values (gen_random_uuid(), 'a1111111-0000-4000-8000-000000000003', 'totp', 'verified', now(), now(), 'MIA-TOTP-SECRET');
alter table auth.mfa_factors disable row level security;
grant select on auth.mfa_factors to authenticated;

-- @as otto
select secret from auth.mfa_factors where user_id = :mia
