-- Class:    Restrictive aal2 policy dropped
-- Culprit:  public.credentials
-- Not found: nothing left in the schema says that a second factor was asked of this table
-- Command:  select
--
-- rotate_credential() still asks for aal2; the table beside it no longer does.

drop policy credentials_strong on public.credentials;

-- @as nina
select label from credentials where tenant_id = :north
