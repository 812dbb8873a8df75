-- Why somebody can or cannot reach something (F87). Nothing here acts as anybody else and nothing is a definer: what another member may
-- is counted from the rows that whoever asks may see, membership, role, teams, grants and rules. What they may not see counts as unknown,
-- which is null in the three-valued logic of SQL; so no answer tells more than row security tells them anyway.

create function authz.explained_member(org_id uuid, user_id uuid) returns table (
  is_caller boolean, active boolean, role_id uuid, role text, permissions text[], team_ids uuid[], teams_known boolean,
  answers_id uuid, answers_role_id uuid)
language sql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
  select m.user_id = authz.uid(), v.active, m.role_id, r.name,
    case when m.user_id = authz.uid()
      then array(select p.name from app.permission p where m.org_id = any (array(select authz.orgs_with(p.name))))
      else array(select p.name from app.permission p
        where v.active and m.permissions & authz.permission_bit(p.name) <> 0
          -- A service account may what its owner may too, and nothing personal (F03).
          and (m.service_owner_id is null or not authz.is_personal(p.name) and exists (
            select from app.role s where s.org_id = m.org_id and s.id = m.service_owner_role_id and s.permissions & authz.permission_bit(p.name) <> 0)))
    end,
    array(select t.team_id from app.team_member t where v.active and t.org_id = m.org_id and t.user_id = m.user_id),
    m.user_id = authz.uid() or m.org_id = any (array(select authz.orgs_with('members.read'))),
    m.service_owner_id, m.service_owner_role_id
  from app.membership m
  join app.role r on r.org_id = m.org_id and r.id = m.role_id
  cross join lateral (select m.status = 'active' and m.service_owner_status is distinct from 'suspended') v (active)
  where m.org_id = explained_member.org_id and m.user_id = explained_member.user_id
$$;
comment on function authz.explained_member(uuid, uuid) is 'What a member one may see holds now: in this very session for oneself, in a session of their own for somebody else. No row for whom one may not see.';
revoke all on function authz.explained_member(uuid, uuid) from public;
grant execute on function authz.explained_member(uuid, uuid) to authenticated;

create function authz.explained_permission(org_id uuid, user_id uuid, permission text) returns table (holds boolean, found jsonb)
language sql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
  select explained_permission.permission = any (s.permissions),
    jsonb_build_object('permission', explained_permission.permission, 'role', s.role)
  from authz.explained_member(explained_permission.org_id, explained_permission.user_id) s
$$;
comment on function authz.explained_permission(uuid, uuid, text) is 'Whether a member one may see holds a permission now, and by which role.';
revoke all on function authz.explained_permission(uuid, uuid, text) from public;
grant execute on function authz.explained_permission(uuid, uuid, text) to authenticated;

create function authz.explained_grants(org_id uuid, user_id uuid, kind text, object_id uuid, level text) returns table (holds boolean, found jsonb)
language plpgsql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_who record;
  v_complete boolean;
  v_id uuid := explained_grants.object_id;
begin
  select s.* into v_who from authz.explained_member(explained_grants.org_id, explained_grants.user_id) s;
  -- Whether whoever asks sees every grant on it: what the select policies of the three tables say.
  v_complete := v_who.is_caller or case explained_grants.kind
    when 'bot' then explained_grants.org_id = any (array(select authz.orgs_with('bots.manage'))) or v_id = any (array(select authz.shared_bots('owner')))
    when 'knowledge_base' then exists (select from app.knowledge_base k where k.org_id = explained_grants.org_id and k.id = v_id)
      and (explained_grants.org_id = any (array(select authz.orgs_with('documents.manage'))) or v_id = any (array(select authz.granted_knowledge_bases('owner'))))
    else explained_grants.org_id = any (array(select authz.orgs_with('documents.manage'))) or v_id = any (array(select authz.granted_documents('owner')))
      or exists (select from app.document d where d.org_id = explained_grants.org_id and d.id = v_id and (d.owner_id = authz.uid()
        or d.visibility <> 'private' and d.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner')))))
    end;
  return query
    with shared as (
      select g.id, g.level, g.user_id, g.team_id, null::uuid as role_id from app.document_grant g
      where explained_grants.kind = 'document' and g.org_id = explained_grants.org_id and g.document_id = v_id
      union all
      select g.id, g.level, g.user_id, g.team_id, null from app.kb_grant g
      where explained_grants.kind = 'knowledge_base' and g.org_id = explained_grants.org_id and g.knowledge_base_id = v_id
      union all
      select g.id, g.level, g.user_id, g.team_id, g.role_id from app.bot_runner g
      where explained_grants.kind = 'bot' and g.org_id = explained_grants.org_id and g.bot_id = v_id
    ), concerned as (
      select s.id, s.level, s.user_id, s.team_id, s.role_id, v_who.active and case
        when num_nonnulls(s.user_id, s.team_id, s.role_id) = 0 then true
        when s.user_id is not null then s.user_id = explained_grants.user_id
        when s.role_id is not null then s.role_id = v_who.role_id
        when s.team_id = any (v_who.team_ids) then true
        when v_who.teams_known then false end as holds
      from shared s where s.level = any (authz.levels_from(explained_grants.level))
    )
    select case when coalesce(bool_or(c.holds), false) then true when bool_or(c.holds is null) or not v_complete then null else false end,
      jsonb_build_object('grants', coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', c.id, 'level', c.level, 'team_id', c.team_id,
        'with', case when c.user_id is not null then 'member' when c.team_id is not null then 'team' when c.role_id is not null then 'role' else 'everyone' end))
        order by c.id) filter (where c.holds), '[]'))
    from concerned c;
end
$$;
comment on function authz.explained_grants(uuid, uuid, text, uuid, text) is 'Whether a document, knowledge base or bot is shared with a member at a level or above, and by which grants; null when a grant one may not see could say so.';
revoke all on function authz.explained_grants(uuid, uuid, text, uuid, text) from public;
grant execute on function authz.explained_grants(uuid, uuid, text, uuid, text) to authenticated;

create function authz.explained_rules(org_id uuid, user_id uuid, kind text, object_id uuid) returns table (holds boolean, found jsonb)
language plpgsql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_who record;
  v_complete boolean := explained_rules.org_id = any (array(select authz.orgs_with('rules.manage')));
begin
  select s.* into v_who from authz.explained_member(explained_rules.org_id, explained_rules.user_id) s;
  if v_who.is_caller then
    -- Whom a rule concerns is not told of it: they do not see the object, and get no explanation of it.
    return query select explained_rules.object_id <> all (array(select authz.denied(explained_rules.kind))), '{}'::jsonb;
    return;
  end if;
  return query
    with concerned as (
      select d.id, d.reason, case
        when num_nonnulls(d.user_id, d.team_id, d.role_id) = 0 then true
        when d.user_id is not null then d.user_id = explained_rules.user_id or coalesce(d.user_id = v_who.answers_id, false)
        when d.role_id is not null then d.role_id = v_who.role_id or coalesce(d.role_id = v_who.answers_role_id, false)
        when d.team_id = any (v_who.team_ids) then true
        when v_who.teams_known then false end as denies
      from app.deny_rule d
      where d.org_id = explained_rules.org_id and explained_rules.object_id = case explained_rules.kind
        when 'document' then d.document_id when 'knowledge_base' then d.knowledge_base_id when 'bot' then d.bot_id end
    )
    select case when coalesce(bool_or(c.denies), false) then false when bool_or(c.denies is null) or not v_complete then null else true end,
      jsonb_build_object('rules', coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'reason', c.reason) order by c.id) filter (where c.denies), '[]'))
    from concerned c;
end
$$;
comment on function authz.explained_rules(uuid, uuid, text, uuid) is 'Whether no deny rule takes a document, knowledge base or bot from a member, and which do; null when a rule one may not see could.';
revoke all on function authz.explained_rules(uuid, uuid, text, uuid) from public;
grant execute on function authz.explained_rules(uuid, uuid, text, uuid) to authenticated;
