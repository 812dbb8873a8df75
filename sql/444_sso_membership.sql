-- Membership by single sign-on: joining because a group gives a role, and following the groups from then on (F05). Nobody is added:
-- who may join says so. What follows without asking only ever changes or ends a membership that was joined this way.

create function authz.sso_offers() returns table (org_id uuid, connection_id uuid, role_id uuid)
language sql stable rows 2
set search_path = pg_catalog, pg_temp
as $$
  select distinct on (g.org_id, g.connection_id) g.org_id, g.connection_id, g.role_id
  from authz.sso_identities() i
  join app.sso_connection c on c.provider = i.provider
  join app.sso_group g on g.org_id = c.org_id and g.connection_id = c.id
  where i.signed_in_at > now() - make_interval(hours => c.groups_max_age_hours)
    and g.name = any (authz.sso_groups(i.told -> c.groups_claim))
  order by g.org_id, g.connection_id, g.position, g.name collate "C"
$$;
comment on function authz.sso_offers() is 'Which role the groups of the signed-in person give now, one an identity provider and organization. For definer functions.';
revoke all on function authz.sso_offers() from public;
grant execute on function authz.sso_offers() to ringfence_owner;

create function authz.sync_sso() returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_seat record;
begin
  for v_seat in
    select m.org_id, m.role_id, offer.role_id as given
    from app.sso_member s
    join app.membership m on m.org_id = s.org_id and m.user_id = s.user_id
    join app.role r on r.org_id = m.org_id and r.id = m.role_id
    left join authz.sso_offers() offer on offer.org_id = s.org_id and offer.connection_id = s.connection_id
    -- Whom an owner made an owner stays one: no group gives that, and the last one must not go.
    where s.user_id = (select authz.uid()) and not (r.built_in and r.name = 'owner')
      and offer.role_id is distinct from m.role_id
  loop
    if v_seat.given is null then
      delete from app.membership m where m.org_id = v_seat.org_id and m.user_id = authz.uid();
    else
      update app.membership m set role_id = v_seat.given where m.org_id = v_seat.org_id and m.user_id = authz.uid();
    end if;
  end loop;
end
$$;
comment on function authz.sync_sso() is 'Let the memberships that the person whose token is made joined by single sign-on follow their groups: another role, or none and so the end. For the access token hook.';
revoke all on function authz.sync_sso() from public;
grant execute on function authz.sync_sso() to ringfence_owner;

create function authz.join_by_group(org_id uuid) returns uuid
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_offer record;
  v_require_mfa boolean;
  v_seat record;
begin
  perform authz.require_person();
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
  end if;
  if exists (select from authz.sso_offers() o where o.org_id = join_by_group.org_id) then
    -- In line with whoever changes groups, roles or members; then looked at again.
    perform pg_advisory_xact_lock(hashtextextended(join_by_group.org_id::text, 0));
  end if;
  select o.connection_id, o.role_id into v_offer
  from authz.sso_offers() o join app.sso_group g on g.org_id = o.org_id and g.connection_id = o.connection_id and g.role_id = o.role_id
  where o.org_id = join_by_group.org_id
    -- A token made for one organization joins no other.
    and (not (authz.claims() ? 'org_id') or o.org_id::text = authz.claims() ->> 'org_id')
  order by g.position, g.name collate "C" limit 1;
  select o.require_mfa into v_require_mfa from app.organization o
  where o.id = join_by_group.org_id and o.suspended_at is null and v_offer.role_id is not null;
  if v_require_mfa is null then
    raise sqlstate 'PT404' using message = 'no group of yours opens this organization: sign in through its identity provider';
  end if;
  if v_require_mfa and not authz.is_aal2() then
    raise sqlstate 'PT401' using message = 'this organization asks for a second factor: sign in with yours, or enrol one first';
  end if;
  select m.role_id, m.status, m.service_owner_id, r.built_in and r.name = 'owner' as owns,
    exists (select from app.sso_member s where s.org_id = m.org_id and s.user_id = m.user_id) as follows
  into v_seat
  from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
  where m.org_id = join_by_group.org_id and m.user_id = authz.uid();
  if v_seat.role_id is null then
    -- Whom somebody sent away comes back when invited again, and not by themselves.
    if exists (select from app.departure d
      where d.org_id = join_by_group.org_id and d.user_id = authz.uid() and not exists (
        select from app.invitation i where i.org_id = d.org_id and i.accepted_by = d.user_id and i.accepted_at > d.ended_at))
    then
      raise sqlstate '42501' using message = 'this organization ended your membership: ask it to invite you';
    end if;
    insert into app.membership (org_id, user_id, role_id) values (join_by_group.org_id, authz.uid(), v_offer.role_id);
  elsif v_seat.status <> 'active' or v_seat.owns or v_seat.follows or v_seat.service_owner_id is not null then
    raise sqlstate 'PT409' using message = 'already a member';
  else
    update app.membership m set role_id = v_offer.role_id
    where m.org_id = join_by_group.org_id and m.user_id = authz.uid() and m.role_id <> v_offer.role_id;
  end if;
  insert into app.sso_member (org_id, user_id, connection_id) values (join_by_group.org_id, authz.uid(), v_offer.connection_id);
  return v_offer.role_id;
end
$$;
comment on function authz.join_by_group(uuid) is 'Make the person asking a member with the role their groups give at an identity provider of this organization, and let their role follow the groups; bound to authz.uid().';
revoke all on function authz.join_by_group(uuid) from public;
grant execute on function authz.join_by_group(uuid) to authenticated;
alter function authz.join_by_group(uuid) owner to ringfence_owner;

create function authz.sso_organizations() returns table (org_id uuid, slug text, name text, role text)
language sql stable security definer rows 2
set search_path = pg_catalog, pg_temp
as $$
  select distinct on (o.id) o.id, o.slug, o.name, r.name
  from authz.sso_offers() offer
  join app.organization o on o.id = offer.org_id and o.suspended_at is null
  join app.role r on r.org_id = offer.org_id and r.id = offer.role_id
  join app.sso_group g on g.org_id = offer.org_id and g.connection_id = offer.connection_id and g.role_id = offer.role_id
  where (select authz.acts_in_person())
    and (not (select authz.claims() ? 'org_id') or o.id::text = (select authz.claims() ->> 'org_id'))
    and not exists (select from app.membership m where m.org_id = o.id and m.user_id = (select authz.uid()))
  order by o.id, g.position, g.name collate "C"
$$;
comment on function authz.sso_organizations() is 'The organizations that the person asking may join by single sign-on now, and the role they would have.';
revoke all on function authz.sso_organizations() from public;
grant execute on function authz.sso_organizations() to authenticated;
alter function authz.sso_organizations() owner to ringfence_owner;
