-- Class:    Sign-up trigger trusts raw_user_meta_data
-- Culprit:  private.handle_new_user()
-- Command:  state
--
-- What is sent with the sign-up form decides the organization and the role.

create or replace function private.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, display_name) values (new.id, coalesce(left(new.raw_user_meta_data ->> 'full_name', 100), ''));
  if new.raw_user_meta_data ? 'org_id' then
    insert into public.memberships (org_id, user_id, role)
      values ((new.raw_user_meta_data ->> 'org_id')::uuid, new.id, coalesce(new.raw_user_meta_data ->> 'role', 'member')::public.org_role);
  end if;
  return new;
end
$$;

-- @seen
insert into auth.users (id, email, raw_user_meta_data)
  values (:newcomer, 'new@evil.test', jsonb_build_object('org_id', 'aaaaaaaa-0000-4000-8000-000000000001', 'role', 'owner'))
-- @as newcomer
select * from documents where org_id = :acme
