-- Class:    UNIQUE not scoped by tenant
-- Culprit:  public.devices
-- Command:  insert

alter table public.devices drop constraint devices_tenant_id_serial_key, add unique (serial);

-- @as sam differs
insert into devices (site_id, serial) select site_id, 'NORTH site serial' from sites
-- @or
insert into devices (site_id, serial) select site_id, 'nobody serial' from sites
