-- Class:    Secret in a function's text
-- Culprit:  public.call_model(text)
-- Command:  state
--
-- pg_proc.prosrc is readable by every role.

create function public.call_model(prompt text) returns text language plpgsql volatile security definer set search_path = '' as $$
declare
  v_key text := 'sk-proj-4f9c2b7e1d8a6035c9e2f1b7';
begin
  return 'called with ' || length(v_key) || length(prompt);
end
$$;
grant execute on function public.call_model(text) to service_role;

-- @as anon
select prosrc from pg_catalog.pg_proc where prosrc like '%sk-proj-4f9c%'
