-- What the person may do, read from tables at every statement: a removed member has nothing on the next request (F04, F17).
-- Policies wrap these as  org_id = any (array(select authz.orgs_with('...')))  so that each runs once a statement.
-- The bodies name tables of later files, so they are checked when first called instead of now.
set check_function_bodies = off;

create function authz.joined_org_ids() returns setof uuid
language plpgsql stable rows 10
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select m.org_id from app.membership m where m.user_id = (select authz.uid());
end
$$;
comment on function authz.joined_org_ids() is 'The organizations the signed-in person belongs to, whatever their token lets them see; for the policy by which authz.org_ids() reads those.';
revoke all on function authz.joined_org_ids() from public;
grant execute on function authz.joined_org_ids() to ringfence_owner;

create function authz.service_owner_ids() returns setof uuid
language sql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
  select m.service_owner_id from app.membership m where m.user_id = (select authz.uid()) and m.service_owner_id is not null
$$;
comment on function authz.service_owner_ids() is 'Who answers for the signed-in service account; for the policy that holds it to the rules that concern them.';
revoke all on function authz.service_owner_ids() from public;
grant execute on function authz.service_owner_ids() to ringfence_owner;

create function authz.service_owner_role_ids() returns setof uuid
language sql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
  select m.service_owner_role_id from app.membership m where m.user_id = (select authz.uid()) and m.service_owner_id is not null
$$;
comment on function authz.service_owner_role_ids() is 'The roles of those who answer for the signed-in service account; for the policy that holds it to the rules that concern them.';
revoke all on function authz.service_owner_role_ids() from public;
grant execute on function authz.service_owner_role_ids() to ringfence_owner;

create function authz.owned_org_ids() returns setof uuid
language sql stable rows 10
set search_path = pg_catalog, pg_temp
as $$
  select m.org_id from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
  where m.user_id = (select authz.uid()) and m.status = 'active' and m.service_owner_id is null and r.built_in and r.name = 'owner'
    and (not (select authz.claims() ? 'org_id') or m.org_id::text = (select authz.claims() ->> 'org_id'))
$$;
comment on function authz.owned_org_ids() is 'The organizations the signed-in person is an owner of, suspended ones too; for the policy by which authz.set_suspended() resumes one.';
revoke all on function authz.owned_org_ids() from public;
grant execute on function authz.owned_org_ids() to ringfence_owner;

create function authz.inviting_org_ids() returns setof uuid
language sql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
  select i.org_id from app.invitation i
  where i.email = (select authz.verified_email()) and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
$$;
comment on function authz.inviting_org_ids() is 'The organizations with an open invitation to the confirmed address of the signed-in person; for the policies by which authz.join_by_invitation() looks at it.';
revoke all on function authz.inviting_org_ids() from public;
grant execute on function authz.inviting_org_ids() to ringfence_owner;

create function authz.role_carries(org_id uuid, role_id uuid, wanted bigint) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A function of its own, called for service accounts only: as part of a statement it would cost everybody the setting up.
  return exists (select from app.role r where r.org_id = role_carries.org_id and r.id = role_carries.role_id and r.permissions & wanted <> 0);
end
$$;
comment on function authz.role_carries(uuid, uuid, bigint) is 'Whether a role of an organization of the signed-in person carries the permission of this bit.';
revoke all on function authz.role_carries(uuid, uuid, bigint) from public;
grant execute on function authz.role_carries(uuid, uuid, bigint) to ringfence_owner;

-- Both read one index of app.membership and no other table for each membership: with a thousand of them, each table more is a
-- millisecond. The first eight lines of conditions are the same in both (a test holds them equal): one function calling the other
-- would hand every row on twice. Sequential scans are off: the plan is kept, and a few hundred organizations read whole at every
-- statement cost more than the index of those out of sight.
create function authz.org_ids() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  v_claims jsonb := authz.claims();
  v_me uuid := authz.uid();
  v_session uuid := authz.session_id();
  v_token uuid;
  v_only uuid;
  v_since timestamptz;
begin
  -- Somebody anonymous belongs nowhere (R43).
  if v_me is null or v_claims -> 'is_anonymous' = 'true' then
    return;
  end if;
  select t.id, case when t.revoked_at is null and t.expires_at > now() then t.org_id end, t.created_at into v_token, v_only, v_since
  from app.api_token t where t.session_id = v_session and t.user_id = v_me;
  return query
    select m.org_id from app.membership m
    where m.user_id = v_me and m.status = 'active'
      -- A token made for one organization sees that one only; a claim can narrow, never widen. Malformed narrows to nothing.
      and (not v_claims ? 'org_id' or m.org_id::text = v_claims ->> 'org_id')
      -- A suspended organization does not exist; nor, to a token without a second factor, one that requires it (F06, R42): here, so
      -- everywhere. The first condition is that of organization_out_of_sight_idx, which holds few.
      and not exists (select from app.organization o
        where o.id = m.org_id and (o.suspended_at is not null or o.require_mfa)
          and (o.suspended_at is not null or not (select authz.is_aal2())))
      -- A service account goes with its owner (F03).
      and m.service_owner_status is distinct from 'suspended'
      -- The session of an API token reaches one organization, while the token lives and by the membership it was made in (F08).
      and (v_token is null or m.org_id = v_only and m.created_at <= v_since);
end
$$;
comment on function authz.org_ids() is 'The organizations the signed-in person belongs to now: narrowed by the token''s org_id claim when it has one and to the one of an API token, without those suspended, and without those that require a second factor the token lacks.';
revoke all on function authz.org_ids() from public;
grant execute on function authz.org_ids() to authenticated, ringfence_owner;
alter function authz.org_ids() owner to ringfence_owner;

create function authz.orgs_with(permission text) returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  v_claims jsonb := authz.claims();
  v_me uuid := authz.uid();
  v_session uuid := authz.session_id();
  v_token uuid;
  v_only uuid;
  v_since timestamptz;
  v_allowed text[];
  v_bit bigint := authz.permission_bit(orgs_with.permission);
  v_personal boolean := authz.is_personal(orgs_with.permission);
begin
  -- Somebody anonymous belongs nowhere (R43).
  if v_me is null or v_claims -> 'is_anonymous' = 'true' then
    return;
  end if;
  select t.id, case when t.revoked_at is null and t.expires_at > now() then t.org_id end, t.created_at, t.permissions
  into v_token, v_only, v_since, v_allowed
  from app.api_token t where t.session_id = v_session and t.user_id = v_me;
  -- What acts for a person gets less than the person: an OAuth client nothing personal, an API token what it was made for (F08, R44).
  if v_personal and v_claims ? 'client_id' or v_token is not null and (orgs_with.permission = any (v_allowed)) is not true then
    return;
  end if;
  return query
    select m.org_id from app.membership m
    where m.user_id = v_me and m.status = 'active'
      -- A token made for one organization sees that one only; a claim can narrow, never widen. Malformed narrows to nothing.
      and (not v_claims ? 'org_id' or m.org_id::text = v_claims ->> 'org_id')
      -- A suspended organization does not exist; nor, to a token without a second factor, one that requires it (F06, R42): here, so
      -- everywhere. The first condition is that of organization_out_of_sight_idx, which holds few.
      and not exists (select from app.organization o
        where o.id = m.org_id and (o.suspended_at is not null or o.require_mfa)
          and (o.suspended_at is not null or not (select authz.is_aal2())))
      -- A service account goes with its owner (F03).
      and m.service_owner_status is distinct from 'suspended'
      -- The session of an API token reaches one organization, while the token lives and by the membership it was made in (F08).
      and (v_token is null or m.org_id = v_only and m.created_at <= v_since)
      and m.permissions & v_bit <> 0
      -- A service account may what its owner may too, and nothing personal: who lost a role would take it back through theirs (F03, F12).
      and (m.service_owner_id is null or not v_personal and authz.role_carries(m.org_id, m.service_owner_role_id, v_bit));
end
$$;
comment on function authz.orgs_with(text) is 'The organizations in which the signed-in person''s role carries this permission now and this session may use it; none for an unknown permission.';
revoke all on function authz.orgs_with(text) from public;
grant execute on function authz.orgs_with(text) to authenticated, ringfence_analyst;
alter function authz.orgs_with(text) owner to ringfence_owner;

create function authz.role_ids() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select m.role_id from app.membership m
    where m.user_id = (select authz.uid()) and m.org_id in (select authz.org_ids());
end
$$;
comment on function authz.role_ids() is 'The roles the signed-in person holds now, one an organization.';
revoke all on function authz.role_ids() from public;
grant execute on function authz.role_ids() to authenticated;
alter function authz.role_ids() owner to ringfence_owner;

create function authz.team_ids() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select t.team_id from app.team_member t
    where t.user_id = (select authz.uid()) and t.org_id in (select authz.org_ids());
end
$$;
comment on function authz.team_ids() is 'The teams the signed-in person is in now.';
revoke all on function authz.team_ids() from public;
grant execute on function authz.team_ids() to authenticated;
alter function authz.team_ids() owner to ringfence_owner;

create function authz.managed_team_ids() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select t.team_id from app.team_member t
    where t.user_id = (select authz.uid()) and t.manager and t.org_id in (select authz.org_ids());
end
$$;
comment on function authz.managed_team_ids() is 'The teams whose manager the signed-in person is now: they choose its members without holding teams.manage (F16).';
revoke all on function authz.managed_team_ids() from public;
grant execute on function authz.managed_team_ids() to authenticated;
alter function authz.managed_team_ids() owner to ringfence_owner;

create function authz.denied(kind text) returns setof uuid
language plpgsql stable security definer rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select d.id
    from app.deny_rule r, lateral (select case denied.kind
      when 'knowledge_base' then r.knowledge_base_id when 'document' then r.document_id when 'bot' then r.bot_id when 'data_source' then r.data_source_id end as id) d
    where d.id is not null
      -- The policy shows the owner role more than this: what a replacing document inherits.
      and (r.user_id = (select authz.uid()) or r.team_id = any (array(select authz.team_ids())) or r.role_id = any (array(select authz.role_ids()))
        or num_nonnulls(r.user_id, r.team_id, r.role_id) = 0
        or r.user_id = any (array(select authz.service_owner_ids())) or r.role_id = any (array(select authz.service_owner_role_ids())));
end
$$;
comment on function authz.denied(text) is 'What deny rules take from the signed-in person now: ids of the kind knowledge_base, document, bot or data_source. For restrictive policies (F15).';
revoke all on function authz.denied(text) from public;
grant execute on function authz.denied(text) to authenticated;
alter function authz.denied(text) owner to ringfence_owner;

create function authz.denied_tools() returns table (org_id uuid, tool text)
language sql stable security definer rows 1
set search_path = pg_catalog, pg_temp
as $$
  select r.org_id, r.tool from app.deny_rule r where r.tool is not null
$$;
comment on function authz.denied_tools() is 'The tools that deny rules take from the signed-in person now, by organization.';
revoke all on function authz.denied_tools() from public;
grant execute on function authz.denied_tools() to authenticated;
alter function authz.denied_tools() owner to ringfence_owner;

reset check_function_bodies;
