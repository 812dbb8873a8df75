-- Class:    RPC that writes the request's claims
-- Culprit:  public.act_as(uuid)
-- Command:  execute
--
-- Support's "sign in as": for the rest of the transaction everybody is whom they say.

create function public.act_as(person uuid) returns void language plpgsql volatile security definer set search_path = '' as $$
begin
  perform set_config('request.jwt.claims', json_build_object('sub', person, 'role', 'authenticated')::text, true);
end
$$;
grant execute on function public.act_as(uuid) to authenticated;

-- @as otto
select act_as(:mia);
select * from documents where org_id = :acme
