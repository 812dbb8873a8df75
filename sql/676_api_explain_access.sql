-- Why somebody can or cannot reach something: one function, for oneself and, with members.manage, for another member (F87).

create function authz.sees_object(org_id uuid, kind text, object_id uuid) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- Row security answers; only the one table that the kind names is looked at.
  select case sees_object.kind
    when 'document' then exists (select from app.document t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    when 'knowledge_base' then exists (select from app.knowledge_base t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    when 'bot' then exists (select from app.bot t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    when 'order' then exists (select from app.customer_order t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    when 'ticket' then exists (select from app.support_ticket t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    when 'conversation' then exists (select from app.conversation t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    when 'run' then exists (select from app.run t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    else false end
$$;
comment on function authz.sees_object(uuid, text, uuid) is 'Whether the person asking may see an object of this kind now.';
revoke all on function authz.sees_object(uuid, text, uuid) from public;
grant execute on function authz.sees_object(uuid, text, uuid) to authenticated;

create function api.explain_access(org_id uuid, kind text, object_id uuid, action text default 'read', user_id uuid default null) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_org uuid := explain_access.org_id;
  v_user uuid := coalesce(explain_access.user_id, authz.uid());
  v_kind text := explain_access.kind;
  v_action text := explain_access.action;
  v_object uuid := explain_access.object_id;
  v_policies jsonb;
  v_verdict boolean;
  v_decided jsonb;
begin
  perform authz.require_org(v_org);
  perform authz.require(v_kind in ('document', 'knowledge_base', 'bot', 'order', 'ticket', 'conversation', 'run'),
    'kind: document, knowledge_base, bot, order, ticket, conversation or run');
  perform authz.require(v_action in ('read', 'change', 'delete') or v_action = 'run' and v_kind = 'bot', 'action: read, change, delete, and of a bot run');
  perform authz.require(v_object is not null, 'object_id: which one');
  if v_user is distinct from authz.uid() then
    -- Asked before anything is looked up, so that the answer is the same for everybody there is or is not.
    if (v_org = any (array(select authz.orgs_with('members.manage')))) is not true then
      raise sqlstate '42501' using message = 'explaining what somebody else may takes members.manage';
    end if;
    if not exists (select from authz.explained_member(v_org, v_user)) then
      raise sqlstate 'PT404' using message = 'no such member, or not yours to see';
    end if;
  end if;
  if authz.sees_object(v_org, v_kind, v_object) is not true then
    raise sqlstate 'PT404' using message = 'no such object, or not yours to see';
  end if;
  with clauses as (
    select c.policy, c.need, c.clause, c.holds, c.found, row_number() over () as n from (
      select * from authz.explained_document(v_org, v_user, v_object, v_action) where v_kind = 'document'
      union all select * from authz.explained_knowledge_base(v_org, v_user, v_object, v_action) where v_kind = 'knowledge_base'
      union all select * from authz.explained_bot(v_org, v_user, v_object, v_action) where v_kind = 'bot'
      union all select * from authz.explained_row(v_org, v_user, v_kind, v_object, v_action) where v_kind in ('order', 'ticket', 'conversation', 'run')
    ) c
  ), needs as (
    -- One alternative that holds is enough; one that is unknown leaves it unknown.
    select c.policy, c.need, case when coalesce(bool_or(c.holds), false) then true when bool_or(c.holds is null) then null else false end as holds
    from clauses c group by c.policy, c.need
  ), policies as (
    select n.policy, case when not coalesce(bool_and(n.holds), true) then false when bool_or(n.holds is null) then null else true end as holds
    from needs n group by n.policy
  ), told as (
    select p.policy, p.holds, min(c.n) as n, jsonb_agg(jsonb_strip_nulls(jsonb_build_object('need', c.need, 'clause', c.clause, 'found', c.found))
      || jsonb_build_object('holds', c.holds) order by c.n) as clauses
    from policies p join clauses c on c.policy = p.policy group by p.policy, p.holds
  ), verdict as (
    select case when not coalesce(bool_and(p.holds), true) then false when bool_or(p.holds is null) then null else true end as holds from policies p
  )
  select v.holds,
    (select jsonb_agg(jsonb_build_object('policy', t.policy, 'restrictive', t.policy like '%\_floor', 'holds', t.holds, 'clauses', t.clauses) order by t.n) from told t),
    (select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('policy', c.policy, 'clause', c.clause, 'found', c.found)) order by c.n)
      from clauses c join needs d on d.policy = c.policy and d.need = c.need
      where d.holds is not distinct from v.holds and c.holds is not distinct from v.holds and (v.holds is not true or c.policy not like '%\_floor'))
    into v_verdict, v_policies, v_decided
  from verdict v;
  return jsonb_build_object('kind', v_kind, 'id', v_object, 'action', v_action, 'user_id', v_user,
    'verdict', case v_verdict when true then 'allowed' when false then 'denied' else 'undetermined' end,
    'decided_by', coalesce(v_decided, '[]'), 'policies', v_policies);
end
$$;
comment on function api.explain_access(uuid, text, uuid, text, uuid) is $c$Explain why a person can or cannot reach an object: every policy that applies, its clauses, and the role, grant or rule each was decided by.

@audience app
@param org_id     the organization
@param kind       document, knowledge_base, bot, order, ticket, conversation or run
@param object_id  the object; one you cannot see yourself is answered like one that does not exist
@param action     read, change, delete or run
@param user_id    another member, with members.manage and members.read; leave it out for yourself in this session. For another member the answer is about a session of their own, with a second factor where the organization requires one
@returns          {kind, id, action, user_id, verdict (allowed, denied, undetermined: a grant or rule you may not see would decide), decided_by: [{policy, clause, found}], policies: [{policy, restrictive, holds, clauses: [{need, clause, holds, found}]}]}; all policies must hold, in each every need, of each need one clause
@errors           22004, 22023, 42501, PT404
@effect           read$c$;
revoke all on function api.explain_access(uuid, text, uuid, text, uuid) from public;
grant execute on function api.explain_access(uuid, text, uuid, text, uuid) to authenticated;
