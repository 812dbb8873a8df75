-- Class:    Rows of one person readable by all
-- Culprit:  public.private_settings
-- Command:  select

create policy "Settings are viewable" on public.private_settings for select to authenticated using (true);

-- @as bob
select phone from private_settings where user_id = :ana
