-- Class:    Table owned by the API role
-- Culprit:  public.customers
-- Command:  select
--
-- An owner is not bound by row security that is not forced, and may switch it off.

grant create on schema public to authenticated;
alter table public.customers owner to authenticated;
revoke create on schema public from authenticated;

-- @as gina
select * from customers where org_id = :acme
