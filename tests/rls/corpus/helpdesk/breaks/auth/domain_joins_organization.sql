-- Class:    Sign-up trigger joins by the domain of an unconfirmed address
-- Culprit:  private.handle_new_user()
-- Command:  state

create or replace function private.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, display_name) values (new.id, coalesce(left(new.raw_user_meta_data ->> 'full_name', 100), ''));
  insert into public.memberships (org_id, user_id)
    select o.id, new.id from public.organizations o where split_part(o.billing_email, '@', 2) = split_part(new.email, '@', 2);
  return new;
end
$$;

-- @seen
insert into auth.users (id, email, raw_user_meta_data) values (:newcomer, 'nobody@acme.test', '{}')
-- @as newcomer
select * from documents where org_id = :acme
