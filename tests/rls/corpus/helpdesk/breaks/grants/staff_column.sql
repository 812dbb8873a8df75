-- Class:    Column grant widened (is_staff flag on one's own profile)
-- Culprit:  public.profiles
-- Command:  update

grant update on public.profiles to authenticated;

-- @as otto
update profiles set is_staff = true where id = :otto
