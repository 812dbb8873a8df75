-- Class:    Function marked LEAKPROOF that tells its argument
-- Culprit:  public.shown(text)
-- Command:  execute
--
-- The planner may run a leakproof condition before the policy; this one puts foreign values into its error.

-- @patch as supabase_admin
create function public.shown(value text) returns boolean language plpgsql immutable leakproof cost 0.0001 as $$
begin
  if value like 'ACME%' then
    raise exception 'seen: %', value;
  end if;
  return true;
end
$$;
grant execute on function public.shown(text) to authenticated;

-- @as gina raises ACME
select * from documents where shown(title)
