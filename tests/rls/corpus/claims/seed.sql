insert into auth.users (id, email) values ('a4444444-0000-4000-8000-000000000001', 'nina@north.test'),
  ('b4444444-0000-4000-8000-000000000001', 'sam@south.test'), ('c4444444-0000-4000-8000-000000000001', 'gone@north.test');
insert into public.units values ('c', 'degree Celsius'), ('pa', 'pascal');
insert into public.tenants (tenant_id, display_name) values
  ('aaaaaaaa-0000-4000-8000-000000000003', 'NORTH'), ('bbbbbbbb-0000-4000-8000-000000000003', 'SOUTH');
insert into public.tenant_users (tenant_id, user_id, is_admin, deactivated_at) values
  ('aaaaaaaa-0000-4000-8000-000000000003', 'a4444444-0000-4000-8000-000000000001', true, null),
  ('bbbbbbbb-0000-4000-8000-000000000003', 'b4444444-0000-4000-8000-000000000001', true, null),
  ('aaaaaaaa-0000-4000-8000-000000000003', 'c4444444-0000-4000-8000-000000000001', true, now());
insert into public.sites (tenant_id, label) select tenant_id, display_name || ' site' from public.tenants;
insert into public.devices (tenant_id, site_id, serial) select tenant_id, site_id, label || ' serial' from public.sites;
insert into public.readings (tenant_id, device_id, taken_at, value) select tenant_id, device_id, now(), 20 from public.devices;
insert into public.alerts (tenant_id, device_id, message) select tenant_id, device_id, serial || ' is hot' from public.devices;
insert into public.credentials (tenant_id, label, secret) select tenant_id, display_name, display_name || ' secret' from public.tenants;
