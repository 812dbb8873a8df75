-- Class:    Column grant widened (secret column)
-- Culprit:  public.assistant_functions
-- Command:  select

grant select on public.assistant_functions to authenticated;

-- @as omar
select auth_header from assistant_functions where auth_header like 'OAK%'
