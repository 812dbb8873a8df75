-- Class:    Lookup table that decides about permissions is writable
-- Culprit:  public.role_permissions
-- Command:  insert
--
-- Whoever writes here is allowed everything, in every account.

create policy role_permissions_write on public.role_permissions for insert to authenticated with check (true);
grant insert on public.role_permissions to authenticated;

-- @as ray
insert into role_permissions values ('member', 'members.manage'), ('member', 'settings.manage')
-- @as ray
update accounts set name = 'taken over' where id = :red
