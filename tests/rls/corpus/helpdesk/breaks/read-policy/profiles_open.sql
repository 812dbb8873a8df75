-- Class:    Personal data readable by everybody signed in
-- Culprit:  public.profiles
-- Command:  select

create policy profiles_read_all on public.profiles for select to authenticated using (true);

-- @as otto
select * from profiles where id = :mia
