-- Class:    Column grant widened (token hash of invitations)
-- Culprit:  public.invitations
-- Command:  select

grant select on public.invitations to authenticated;

-- @as adam
select token_hash from invitations where org_id = :acme
