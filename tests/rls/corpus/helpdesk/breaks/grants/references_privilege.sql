-- Class:    REFERENCES privilege granted
-- Culprit:  public.customers
-- Command:  state
--
-- A foreign key from a table of one's own tells which ids exist, past every policy.

grant references on public.customers to authenticated;

-- @as otto
create temporary table probe (id uuid references public.customers (id));
select 1
-- @seen
select 1 from information_schema.table_privileges where table_name = 'customers' and grantee = 'authenticated' and privilege_type = 'REFERENCES'
