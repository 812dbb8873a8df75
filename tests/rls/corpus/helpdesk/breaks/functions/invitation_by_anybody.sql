-- Class:    Invitation accepted by whoever holds the token, whomever it was for
-- Culprit:  public.accept_invitation(text)
-- Command:  execute
--
-- Tokens are forwarded, logged and seen in referrers: the address must match, be confirmed, and the token be fresh and unused.

create or replace function public.accept_invitation(token text) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_invitation public.invitations;
begin
  select i.* into v_invitation from public.invitations i
    where i.token_hash = encode(sha256(convert_to(accept_invitation.token, 'UTF8')), 'hex');
  if v_invitation.id is null then
    raise exception 'no such invitation' using errcode = 'PT404';
  end if;
  insert into public.memberships (org_id, user_id, role) values (v_invitation.org_id, (select auth.uid()), v_invitation.role)
    on conflict (org_id, user_id) do nothing;
  return v_invitation.org_id;
end
$$;

-- @as otto
select accept_invitation('token of ACME')
-- @seen
select 1 from public.memberships where org_id = :acme and user_id = :otto
