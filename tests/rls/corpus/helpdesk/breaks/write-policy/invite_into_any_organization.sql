-- Class:    INSERT check names the sender and not the tenant (invitations)
-- Culprit:  public.invitations
-- Command:  insert
--
-- One invites oneself into any organization.

drop policy invitations_send on public.invitations;
create policy invitations_send on public.invitations for insert to authenticated with check (invited_by = (select auth.uid()));

-- @as otto
insert into invitations (org_id, email, role, token_hash)
  values (:acme, 'otto@free.test', 'admin', encode(sha256(convert_to('mine', 'UTF8')), 'hex'))
-- @seen
select * from public.invitations where org_id = :acme and email = 'otto@free.test'
