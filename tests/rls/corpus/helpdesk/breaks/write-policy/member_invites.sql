-- Class:    Invitations sent by whoever is a member
-- Culprit:  public.invitations
-- Command:  insert
--
-- A viewer invites an address of their own as admin.

drop policy invitations_send on public.invitations;
create policy invitations_send on public.invitations for insert to authenticated
  with check (org_id in (select private.my_org_ids()) and invited_by = (select auth.uid()));

-- @as vera
insert into invitations (org_id, email, role, token_hash) values (:acme, 'me2@acme.test', 'admin', 'x')
