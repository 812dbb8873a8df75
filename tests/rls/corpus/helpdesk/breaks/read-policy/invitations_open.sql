-- Class:    Invitations readable by everybody
-- Culprit:  public.invitations
-- Command:  select
--
-- So that the invited person can see it before joining; so can all others.

create policy invitations_read_pending on public.invitations for select to authenticated using (accepted_at is null);

-- @as otto
select id, email from invitations where org_id = :acme
