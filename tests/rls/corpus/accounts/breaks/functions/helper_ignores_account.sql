-- Class:    Membership helper ignores the tenant argument
-- Culprit:  public.has_role_on_account(uuid,character varying) | public.tasks
-- Command:  execute
--
-- `account_id` is the column and the argument; unqualified, plain SQL takes the column.

create or replace function public.has_role_on_account(account_id uuid, account_role varchar(50) default null) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select 1 from public.accounts_memberships membership
    where membership.user_id = (select auth.uid()) and membership.account_id = account_id
      and (membership.account_role = has_role_on_account.account_role or has_role_on_account.account_role is null))
$$;

-- @as ben
select * from tasks where account_id = :red
