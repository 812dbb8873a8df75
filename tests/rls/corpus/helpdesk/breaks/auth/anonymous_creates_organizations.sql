-- Class:    Anonymous sign-ins taken for people
-- Culprit:  public.create_organization(text,text)
-- Not found: whether anonymous sign-ins may found an organization is intent, not shape
-- Command:  execute
--
-- An anonymous user has the role authenticated and a uid.

create or replace function public.create_organization(name text, slug text) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_org uuid;
begin
  if (select auth.uid()) is null then
    raise exception 'sign in first' using errcode = '42501';
  end if;
  insert into public.organizations (name, slug) values (create_organization.name, create_organization.slug) returning id into v_org;
  insert into public.memberships (org_id, user_id, role) values (v_org, (select auth.uid()), 'owner');
  insert into public.subscriptions (org_id, plan_id) values (v_org, 'free');
  return v_org;
end
$$;

-- @as ghost
select create_organization('Ghost', 'ghost')
