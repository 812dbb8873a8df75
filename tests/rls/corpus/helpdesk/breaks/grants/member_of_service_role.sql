-- Class:    service_role granted to authenticated
-- Culprit:  role authenticated | role service_role
-- Command:  state

grant select on all tables in schema public to service_role;
grant service_role to authenticated;

-- @as gina
set local role service_role;
select * from documents where org_id = :acme

-- @undo
revoke service_role from authenticated;
