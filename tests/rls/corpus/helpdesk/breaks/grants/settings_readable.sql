-- Class:    Secrets table of the platform readable
-- Culprit:  private.settings
-- Command:  select

create policy settings_read on private.settings for select to authenticated using (true);
grant select on private.settings to authenticated;

-- @as otto
select * from private.settings where value like 'SECRET%'
