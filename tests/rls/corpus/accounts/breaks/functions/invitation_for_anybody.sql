-- Class:    Invitation accepted by whoever holds the token, whomever it was for
-- Culprit:  public.accept_invitation(text)
-- Command:  execute

create or replace function public.accept_invitation(token text) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_invitation public.invitations;
begin
  delete from public.invitations i where i.invite_token = accept_invitation.token returning i.* into v_invitation;
  if not found then
    raise exception 'Invalid or expired invitation token';
  end if;
  insert into public.accounts_memberships (user_id, account_id, account_role)
    values ((select auth.uid()), v_invitation.account_id, v_invitation.role);
  return v_invitation.account_id;
end
$$;

-- @as otto
select accept_invitation('token-red')
-- @as otto
select * from tasks where account_id = :red
