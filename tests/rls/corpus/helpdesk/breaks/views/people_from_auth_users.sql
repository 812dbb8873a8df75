-- Class:    Definer view over auth.users
-- Culprit:  public.people
-- Command:  select

create view public.people as select id, email, last_sign_in_at from auth.users;
grant select on public.people to authenticated;

-- @as otto
select * from people where id = :mia
